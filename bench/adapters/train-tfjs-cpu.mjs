/**
 * A training step of TensorFlow.js on its plain JavaScript backend, the only one of its backends for Node without native
 * code that has the gradients of convolutions; the whole package, since its core alone knows no gradients. A step takes half a minute, so those of the check are the ones timed.
 */

import { layers } from "../models/mobilenet-v1.mjs";
import { TRAINING } from "../models/training.mjs";
import { readParameters, readTargets, UPDATES } from "./training.mjs";

let tf;
let step;
let forward;
const stepMs = [];

export async function load(model) {
  tf = await import("@tensorflow/tfjs");
  await tf.setBackend("cpu");
  await tf.ready();
  const tensors = readParameters(model);
  const variable = (name, shape) => tf.variable(tf.tensor(tensors.get(name).data, shape ?? tensors.get(name).shape));
  const list = layers(model).map((layer) => ({ ...layer, ...variablesOf(layer, variable) }));
  const targets = tf.tensor2d(readTargets(model), [model.batch, model.classes]);
  const optimizer = tf.train.momentum(TRAINING.rate, TRAINING.momentum);
  const lossOf = (x) => tf.losses.softmaxCrossEntropy(targets, list.reduce(applyLayer, x));
  const firstOf = async (loss) => {
    const [value] = await loss.data();
    loss.dispose();
    return value;
  };
  step = async (x) => {
    const start = performance.now();
    const value = await firstOf(optimizer.minimize(() => lossOf(x), true));
    stepMs.push(performance.now() - start);
    return value;
  };
  forward = (x) => firstOf(tf.tidy(() => lossOf(x)));
}

export const prepare = ({ data, shape }) => tf.tensor4d(data, shape);

export const run = (input) => step(input);

/** After the last update the loss alone. */
export async function check(input) {
  const losses = [];
  while (losses.length < UPDATES) losses.push(await step(input));
  return [...losses, await forward(input)];
}

/** The times of all steps but the first. */
export const facts = () => ({ stepMs: stepMs.slice(1) });

function variablesOf({ type, name, inChannels, outChannels }, variable) {
  if (type === "pool") return {};
  if (type === "classifier") {
    return { kernel: variable(`${name}/kernel`, [inChannels, outChannels]), bias: variable(`${name}/bias`) };
  }
  return {
    kernel: variable(`${name}/${type === "depthwise" ? "depthwise_kernel" : "kernel"}`),
    gamma: variable(`${name}_bn/gamma`),
    beta: variable(`${name}_bn/beta`),
  };
}

function applyLayer(x, { type, kernel, bias, gamma, beta, stride, kernel: { shape } = {} }) {
  if (type === "pool") return tf.mean(x, [1, 2]);
  if (type === "classifier") return tf.add(tf.matMul(x, kernel), bias);
  const padding = (shape[0] - 1) / 2;
  const z =
    type === "depthwise" ? tf.depthwiseConv2d(x, kernel, stride, padding) : tf.conv2d(x, kernel, stride, padding);
  const { mean, variance } = tf.moments(z, [0, 1, 2]);
  return tf.relu6(tf.batchNorm(z, mean, variance, beta, gamma, TRAINING.epsilon));
}
