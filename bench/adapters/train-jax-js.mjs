/**
 * A training step of jax-js on its WebAssembly backend, jitted as one. One thread: it starts workers only where there is
 * the browser's Worker. Arrays are counted by hand: a use takes one away, `ref` adds one.
 */

import { layers } from "../models/mobilenet-v1.mjs";
import { TRAINING } from "../models/training.mjs";
import { channelsFirst } from "./channels-first.mjs";
import { firstLosses, readParameters, readTargets } from "./training.mjs";

let jax;
let update;
let parameters;
let velocities;
let targets;

export async function load(model) {
  // It asks for the number of cores.
  const navigator = { userAgent: "Node", hardwareConcurrency: 1 };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  jax = await import("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const { nn, numpy: np, tree } = jax;
  const list = layers(model);
  const tensors = readParameters(model);
  const weighted = list.filter(({ type }) => type !== "pool");
  parameters = Object.fromEntries(weighted.map((layer) => [layer.name, arraysOf(layer, tensors)]));
  velocities = tree.map(({ shape }) => np.zeros(shape), tree.ref(parameters));
  targets = np.array(readTargets(model)).reshape([model.batch, model.classes]);
  const loss = (p, x, y) => np.mean(np.sum(nn.logSoftmax(forward(model, list, p, x)).mul(y), 1)).neg();
  update = jax.jit((p, v, x, y) => {
    const [value, gradients] = jax.valueAndGrad(loss)(tree.ref(p), x, y);
    const nextV = tree.map((a, b) => a.mul(TRAINING.momentum).add(b), v, gradients);
    const nextP = tree.map((a, b) => a.sub(b.mul(TRAINING.rate)), p, tree.ref(nextV));
    return [value, nextP, nextV];
  });
}

/** It knows no other layout of convolutions than channels first. */
export function prepare(input) {
  const { data, shape } = channelsFirst(input);
  return jax.numpy.array(data).reshape(shape);
}

export async function run(input) {
  const [loss, nextP, nextV] = update(parameters, velocities, input.ref, targets.ref);
  [parameters, velocities] = [nextP, nextV];
  await jax.blockUntilReady(parameters);
  return (await loss.data())[0];
}

export const check = (input) => firstLosses(() => run(input));

/** Kernels `[out, in, kh, kw]`, those of products `[out, in]`. */
function arraysOf({ type, name, kernel: side, inChannels, outChannels }, tensors) {
  const { numpy: np } = jax;
  const isDepthwise = type === "depthwise";
  const { data } = tensors.get(`${name}/${isDepthwise ? "depthwise_kernel" : "kernel"}`);
  const perGroup = isDepthwise ? 1 : inChannels;
  const taps = side * side;
  const turned = new Float32Array(data.length);
  for (let out = 0; out < outChannels; out++) {
    for (let channel = 0; channel < perGroup; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        turned[(out * perGroup + channel) * taps + tap] = data[(tap * perGroup + channel) * outChannels + out];
      }
    }
  }
  const kernel = np.array(turned).reshape(side === 1 ? [outChannels, inChannels] : [outChannels, perGroup, side, side]);
  if (type === "classifier") return { kernel, bias: np.array(tensors.get(`${name}/bias`).data) };
  const row = (which) => np.array(tensors.get(`${name}_bn/${which}`).data).reshape([1, outChannels, 1, 1]);
  return { kernel, gamma: row("gamma"), beta: row("beta") };
}

function forward({ batch }, list, p, input) {
  const { lax, nn, numpy: np } = jax;
  let x = input;
  for (const { type, name, stride, inChannels, outChannels, outSize } of list) {
    if (type === "pool") {
      x = np.mean(x, [2, 3]);
      continue;
    }
    const { kernel, bias, gamma, beta } = p[name];
    if (type === "classifier") {
      x = np.matmul(x, np.transpose(kernel)).add(bias);
      continue;
    }
    if (type === "pointwise") {
      // Twice as fast as a convolution, and a little faster than matmul, which of `[O, C]` and `[N, C, P]` makes `[O, N, P]`.
      const pixels = x.reshape([batch, inChannels, outSize ** 2]);
      x = np.einsum("oc,ncp->nop", kernel, pixels).reshape([batch, outChannels, outSize, outSize]);
    } else {
      const groups = { featureGroupCount: type === "depthwise" ? inChannels : 1 };
      const padding = [
        [1, 1],
        [1, 1],
      ];
      x = lax.convGeneralDilated(x, kernel, [stride, stride], padding, groups);
    }
    const centred = x.sub(np.mean(x.ref, [0, 2, 3], { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
    x = nn.relu6(
      centred
        .div(np.sqrt(variance.add(TRAINING.epsilon)))
        .mul(gamma)
        .add(beta),
    );
  }
  return x;
}
