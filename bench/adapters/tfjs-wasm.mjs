/** TensorFlow.js on its WebAssembly backend: one thread, since the library switches threads off in Node. */

import { buildNetwork } from "./tfjs-network.mjs";

let predict;

export async function load(model) {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  await tf.ready();
  predict = buildNetwork(tf, model);
}

export const prepare = (input) => input;

export const run = (input) => predict(input);
