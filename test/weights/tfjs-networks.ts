/** Networks that between them use all that a TensorFlow.js layer can say, with random parameters. */

import { mulberry32 } from "../../src/core/random.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import {
  activation,
  averagePool,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  dropout,
  flatten,
  globalAveragePool,
  globalMaxPool,
  maxPool,
  type Network,
  network,
  pointwise,
  reshape,
  sequential,
  softmax,
  withParameters,
} from "../../src/layers/index.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";

/** The same network with parameters as training might leave them: no statistic at its default. */
export function randomised(model: Network, seed: number): Network {
  const random = mulberry32(seed);
  const parameters = new Map<string, FloatTensor>();
  for (const [name, { role, shape }] of model.parameterInfo) {
    const { data } = model.parameters.get(name) as FloatTensor;
    const values = data.map((value) => {
      if (role === "kernel") return value;
      return role === "variance" || role === "gamma" ? 0.5 + random() : random() - 0.5;
    });
    parameters.set(name, tensor(values, shape));
  }
  return withParameters(model, parameters);
}

const tiny = { alpha: 0.05, classes: 5, resolution: 32 } as const;
const blocks = [
  { stride: 2, filters: 64 },
  { stride: 1, filters: 128 },
  { stride: 2, filters: 128 },
];

/** MobileNets by what is special about them. */
export const MOBILE_NETS: Readonly<Record<string, MobileNetV1Options>> = {
  "same padding": tiny,
  "keras padding, odd size": { ...tiny, padding: "keras", stemPadding: "explicit", resolution: 37 },
  "symmetric padding": { ...tiny, padding: "symmetric", epsilon: 1e-5 },
  "not square, grey": { alpha: 0.05, classes: 3, inputSize: [33, 48], inputChannels: 1 },
  folded: { ...tiny, batchNorm: false },
  "bias and batch norm": { ...tiny, convolutionBias: true },
  relu: { ...tiny, activation: "relu" },
  linear: { ...tiny, activation: "linear" },
  "leaky relu": { ...tiny, activation: "leakyRelu", negativeSlope: 0.1, padding: "symmetric" },
  "depthwise multiplier": { ...tiny, multiplier: 2, blocks },
  "no top": { ...tiny, includeTop: false },
  "average pooled": { ...tiny, includeTop: false, pooling: "avg" },
  "maximum pooled": { ...tiny, includeTop: false, pooling: "max" },
  "output stride 8": { ...tiny, outputStride: 8 },
  "output stride 16, symmetric": { ...tiny, outputStride: 16, padding: "symmetric" },
  shallow: { ...tiny, shallow: true },
  "standard convolution": { ...tiny, standardConvolution: true, blocks },
  "standard convolution, dilated": { ...tiny, standardConvolution: true, blocks, outputStride: 8, dropout: 0 },
  "labels and background": { ...tiny, labels: ["background", "a", "b", "é", "__proto__"], background: true },
};

export const mobileNet = (options: MobileNetV1Options, seed = 1): Network =>
  randomised(mobileNetV1({ ...options, seed }), seed);

const branches = (): Network =>
  network({
    inputShape: [9, 8, 3],
    layers: [
      { name: "a", type: "conv2d", attributes: { filters: 4, kernel: [3, 2], stride: [2, 1], padding: "valid" } },
      { name: "b", type: "depthwiseConv2d", attributes: { kernel: 3, multiplier: 1, dilation: [2, 1] } },
      { name: "sum", type: "add", inputs: ["a", "b"] },
      { name: "twice", type: "add", inputs: ["sum", "sum"] },
      { name: "weight", type: "globalAveragePool", inputs: ["a"], attributes: { keepDims: true } },
      { name: "scaled", type: "multiply", inputs: ["twice", "weight"] },
      { name: "row", type: "flatten", inputs: ["scaled"] },
      { name: "again", type: "flatten", inputs: ["row"] },
      { name: "first", type: "dense", inputs: ["again"], attributes: { filters: 3, bias: false } },
      { name: "second", type: "globalMaxPool", inputs: ["sum"] },
      { name: "norm", type: "batchNorm", inputs: ["second"], attributes: { scale: false, epsilon: 0.01 } },
      { name: "weight_pool", type: "softmax", inputs: ["norm"] },
    ],
    outputs: { first: "first", second: "weight_pool" },
    info: { architecture: "custom" },
  });

/** Networks of one's own, by name. */
export const OWN_NETWORKS: Readonly<Record<string, () => Network>> = {
  branches,
  "pools and dilation with stride": () =>
    sequential({ inputShape: [15, 14, 2] }, [
      conv2d({
        filters: 4,
        kernel: [3, 2],
        stride: [2, 1],
        dilation: [2, 3],
        padding: [
          [1, 2],
          [0, 3],
        ],
      }),
      activation("relu6"),
      averagePool({ kernel: 3, stride: 2, padding: "same" }),
      depthwise({ kernel: [2, 3], multiplier: 3, stride: [1, 2], dilation: 2, padding: "same", bias: false }),
      maxPool({
        kernel: 2,
        stride: 1,
        padding: [
          [0, 1],
          [0, 1],
        ],
      }),
      maxPool({ kernel: [1, 2], stride: 2, padding: "valid" }),
      batchNorm({ center: false }),
      pointwise({ filters: 6, bias: false }),
      globalMaxPool({ keepDims: true }),
      reshape([3, 2]),
      flatten(),
      dropout(0.5),
      dense({ filters: 4 }),
      activation("linear"),
      softmax(),
    ]),
  "features only": () => sequential({ inputShape: [7], name: "mlp" }, [dense({ filters: 3 }), activation("relu")]),
  "average pool without padding": () =>
    sequential({ inputShape: [6, 6, 2] }, [
      averagePool({
        kernel: 2,
        stride: 2,
        padding: [
          [0, 0],
          [0, 0],
        ],
      }),
      globalAveragePool({ keepDims: true }),
    ]),
};
