/** A training step of this library as it was built (`npm run build` in the project). */

import { STEM_FILTERS } from "../models/mobilenet-v1.mjs";
import { TRAINING } from "../models/training.mjs";
import { firstLosses, readLabels, readParameters } from "./training.mjs";

let trainer;
let labels;
let createMs;

export async function load(model, { threads, backend, simd = "auto" }) {
  const { mobileNetV1 } = await import("../../dist/esm/index.js");
  const { withParameters } = await import("../../dist/esm/layers.js");
  const { constant, createTrainer, sgd } = await import("../../dist/esm/train.js");
  const { alpha, resolution, classes, batch, stemStride } = model;
  const { rate, momentum, epsilon } = TRAINING;
  const stem = { stride: stemStride, filters: STEM_FILTERS };
  const options = { alpha, resolution, classes, stem, padding: "symmetric", dropout: 0, epsilon };
  const tensors = [...readParameters(model)].map(([name, tensor]) => [name, { dtype: "float32", ...tensor }]);
  const network = withParameters(mobileNetV1(options), new Map(tensors));
  labels = readLabels(model);
  const start = performance.now();
  trainer = await createTrainer(network, {
    batch,
    optimizer: sgd({ momentum }),
    schedule: constant({ rate }),
    backend,
    ...(backend === "wasm" ? { threads, simd } : {}),
  });
  createMs = performance.now() - start;
}

export const prepare = ({ data }) => data;

export const run = async (input) => (await trainer.step(input, labels)).loss;

export const check = (input) => firstLosses(() => run(input));

/** Rows `{ name, phase, kind, milliseconds }`, one a part of a step, each the median of the runs. */
export const profile = async (input, { runs }) => (await trainer.profile(input, labels, { runs })).parts;

export const arenaBytes = () => trainer.bytes;

export const facts = () => ({ createMs, bytes: trainer.bytes, threads: trainer.threads });
