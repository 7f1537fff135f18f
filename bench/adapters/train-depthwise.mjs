/** A training step of this library as it was built (`npm run build` in the project). */

import { STEM_FILTERS } from "../models/mobilenet-v1.mjs";
import { TRAINING } from "../models/training.mjs";
import { makeTrainer } from "./depthwise-trainer.js";
import { firstLosses, readLabels, readParameters } from "./training.mjs";

let trainer;
let labels;
let createMs;

export async function load(model, { threads, backend, simd = "auto" }) {
  labels = readLabels(model);
  const options = { backend, ...(backend === "wasm" ? { threads, simd } : {}) };
  const asked = { ...model, ...TRAINING, stemFilters: STEM_FILTERS };
  ({ trainer, createMs } = await makeTrainer(asked, readParameters(model), options));
}

export const prepare = ({ data }) => data;

export const run = async (input) => (await trainer.step(input, labels)).loss;

export const check = (input) => firstLosses(() => run(input));

/** Rows `{ name, phase, kind, milliseconds }`, one a part of a step, each the median of the runs. */
export const profile = async (input, { runs }) => (await trainer.profile(input, labels, { runs })).parts;

export const arenaBytes = () => trainer.bytes;

export const facts = () => ({ createMs, bytes: trainer.bytes, threads: trainer.threads });
