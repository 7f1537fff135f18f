/** PyTorch, native code, eager, from the weights with batch norm folded. */

import { layers } from "../models/mobilenet-v1.mjs";
import { startPython } from "./python-program.mjs";

/** A little faster here than channels first, in each of the three networks. */
const IS_CHANNELS_LAST = true;

let ask;

/** @param options `python`: one that can import torch */
export async function load(model, { threads, python }) {
  ask = startPython(python, "pytorch.py", threads);
  const { folded: weights, image } = model.files;
  await ask("load", { layers: layers(model), weights, image, threads, isChannelsLast: IS_CHANNELS_LAST });
}

/** The program reads the image itself. */
export const prepare = () => undefined;

export const run = async () => (await ask("run")).logits;

/** Instead of the harness' own clock. */
export const timeRuns = async (_input, details) => (await ask("time", details)).times;
