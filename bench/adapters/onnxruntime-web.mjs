/** onnxruntime-web from the ONNX file, as it runs in Node without help. */

import { readFileSync } from "node:fs";
import { channelsFirst } from "./channels-first.mjs";

let runtime;
let session;

export async function load(model, { threads }) {
  runtime = await import("onnxruntime-web");
  runtime.env.wasm.numThreads = threads;
  session = await runtime.InferenceSession.create(readFileSync(model.files.onnx), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
}

/** A race does not time this turn. */
export function prepare(input) {
  const { data, shape } = channelsFirst(input);
  return new runtime.Tensor("float32", data, shape);
}

export const run = async (input) => (await session.run({ input })).logits.data;
