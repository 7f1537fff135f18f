/** TensorFlow.js on its plain JavaScript backend. */

import { buildNetwork } from "./tfjs-network.mjs";

let predict;

export async function load(model) {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  await tf.ready();
  predict = buildNetwork(tf, model);
}

export const prepare = (input) => input;

export const run = (input) => predict(input);
