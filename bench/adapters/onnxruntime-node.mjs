/** onnxruntime-node, native code, from the ONNX file. Its install script is not needed: it fetches CUDA's files only. */

import { readFileSync } from "node:fs";
import { channelsFirst } from "./channels-first.mjs";

let runtime;
let session;

export async function load(model, { threads }) {
  ({ default: runtime } = await import("onnxruntime-node"));
  session = await runtime.InferenceSession.create(readFileSync(model.files.onnx), {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
}

/** A race does not time this turn. */
export function prepare(input) {
  const { data, shape } = channelsFirst(input);
  return new runtime.Tensor("float32", data, shape);
}

export const run = async (input) => (await session.run({ input })).logits.data;
