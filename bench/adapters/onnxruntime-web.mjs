/** onnxruntime-web from the ONNX file, as it runs in Node without help. */

import { readFileSync } from "node:fs";

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

/** ONNX wants channels first; a race does not time this turn. */
export function prepare({ data, shape: [batch, height, width, channels] }) {
  const pixels = height * width;
  const planes = new Float32Array(data.length);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      planes[channel * pixels + pixel] = data[pixel * channels + channel];
    }
  }
  return new runtime.Tensor("float32", planes, [batch, channels, height, width]);
}

export const run = async (input) => (await session.run({ input })).logits.data;
