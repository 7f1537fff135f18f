/**
 * One set of weights from one seed: under Keras names with batch norm, and with batch norm folded for libraries that
 * fold nothing themselves. Kernels `[kh, kw, in, out]`, depthwise `[3, 3, channels, 1]`, as Keras lays them out.
 */

import { layers } from "./mobilenet-v1.mjs";
import { random } from "./random.mjs";

/** Keras' epsilon in `mobilenet.py`. */
const EPSILON = 1e-3;

const kernelName = ({ type, name }) => `${name}/${type === "depthwise" ? "depthwise_kernel" : "kernel"}`;

const weighted = (model) => layers(model).filter(({ type }) => type !== "pool");

/**
 * Weights as a trained network has them in size: He's scale keeps the activations of all layers near 1, so that relu6
 * cuts some and not all, and the logits of two libraries differ visibly when one of them is wrong.
 */
export function kerasWeights(model, seed = 1) {
  const { uniform, normal } = random(seed);
  const weights = new Map();
  const fill = (name, shape, value) => {
    const elements = shape.reduce((product, side) => product * side, 1);
    weights.set(name, { shape, data: Float32Array.from({ length: elements }, value) });
  };
  for (const layer of weighted(model)) {
    const { type, name, kernel, inChannels, outChannels } = layer;
    const isDepthwise = type === "depthwise";
    const fanIn = kernel * kernel * (isDepthwise ? 1 : inChannels);
    const gain = type === "classifier" ? 1 : 2;
    const shape = [kernel, kernel, inChannels, isDepthwise ? 1 : outChannels];
    fill(kernelName(layer), shape, () => normal() * Math.sqrt(gain / fanIn));
    if (type === "classifier") {
      fill(`${name}/bias`, [outChannels], () => normal() / 10);
      continue;
    }
    fill(`${name}_bn/gamma`, [outChannels], () => 0.9 + uniform() / 5);
    fill(`${name}_bn/beta`, [outChannels], () => uniform() * 0.4 - 0.1);
    fill(`${name}_bn/moving_mean`, [outChannels], () => uniform() / 5 - 0.1);
    fill(`${name}_bn/moving_variance`, [outChannels], () => 0.9 + uniform() / 5);
  }
  return weights;
}

/** The same function without batch norm: each convolution gets a scaled kernel and a bias. */
export function foldWeights(model, weights) {
  const folded = new Map();
  for (const layer of weighted(model)) {
    const { type, name, outChannels } = layer;
    const kernel = weights.get(kernelName(layer));
    if (type === "classifier") {
      folded.set(kernelName(layer), kernel);
      folded.set(`${name}/bias`, weights.get(`${name}/bias`));
      continue;
    }
    const statistic = (which) => weights.get(`${name}_bn/${which}`).data;
    const [gamma, variance] = [statistic("gamma"), statistic("moving_variance")];
    const [beta, mean] = [statistic("beta"), statistic("moving_mean")];
    const scale = Float64Array.from(gamma, (value, channel) => value / Math.sqrt(variance[channel] + EPSILON));
    // In both layouts the output channel is the fastest index.
    const data = kernel.data.map((value, index) => value * scale[index % outChannels]);
    folded.set(kernelName(layer), { shape: kernel.shape, data });
    const bias = beta.map((value, channel) => value - mean[channel] * scale[channel]);
    folded.set(`${name}/bias`, { shape: [outChannels], data: bias });
  }
  return folded;
}

/** The kernel and bias of a layer among folded weights. */
export function parametersOf(folded, layer) {
  return { kernel: folded.get(kernelName(layer)), bias: folded.get(`${layer.name}/bias`) };
}
