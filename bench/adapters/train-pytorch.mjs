/** A training step of PyTorch, native code, eager. */

import { layers } from "../models/mobilenet-v1.mjs";
import { TRAINING } from "../models/training.mjs";
import { startPython } from "./python-program.mjs";
import { firstLosses } from "./training.mjs";

let ask;

/** @param options `python`: one that can import torch; `isChannelsLast`: the layout of its tensors */
export async function load(model, { threads, python, isChannelsLast }) {
  ask = startPython(python, "train-pytorch.py", threads);
  const { keras: weights, image, labels } = model.files;
  const { batch } = model;
  await ask("load", { layers: layers(model), weights, image, labels, batch, threads, isChannelsLast, ...TRAINING });
}

/** The program reads the batch itself. */
export const prepare = () => undefined;

export const run = async () => (await ask("run")).loss;

export const check = () => firstLosses(run);

/** Instead of the harness' own clock. */
export const timeRuns = async (_input, details) => (await ask("time", details)).times;
