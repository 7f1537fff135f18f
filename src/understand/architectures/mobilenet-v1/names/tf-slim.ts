/**
 * TF-slim: variables of a checkpoint or of a frozen graph, here as tensors by name.
 *
 *     MobilenetV1/Conv2d_0/weights                            [3, 3, 3, C]
 *     MobilenetV1/Conv2d_{i}_depthwise/depthwise_weights      [3, 3, C, 1], block i
 *     MobilenetV1/Conv2d_{i}_pointwise/weights                [1, 1, C, N], block i
 *       each with /BatchNorm/{gamma,beta,moving_mean,moving_variance}, or, folded, /biases
 *     MobilenetV1/Logits/Conv2d_1c_1x1/{weights,biases}
 *
 * Object detectors put `FeatureExtractor/` before. A checkpoint may hold, beside a variable, its moving average
 * (`…/ExponentialMovingAverage`), which is the one to be used, and slots of the optimizer, which are not.
 */

import type { NameMap } from "../../../name-map.ts";
import { BLOCKS } from "./torch-layer.ts";

const NAME =
  /^(?:FeatureExtractor\/)?MobilenetV1\/(Conv2d_0|Conv2d_\d+_(?:depth|point)wise|Logits\/Conv2d_1c_1x1)\/(.+)$/;
const BLOCK = /^Conv2d_([1-9]\d?)_(depth|point)wise$/;
const AVERAGE = "/ExponentialMovingAverage";
const PREFIXES = ["", "FeatureExtractor/"];
const ENDS = ["", ":0", AVERAGE, `${AVERAGE}:0`];
const TRAINING =
  /(?:^|\/)(?:RMSProp(?:_\d+)?|Momentum|Adam(?:_\d+)?|Adagrad|Adadelta(?:_\d+)?|Ftrl(?:_\d+)?|local_step|biased)$|^(?:global_step|beta[12]_power|learning_rate)$/;

const VALUES: Readonly<Record<string, string>> = {
  weights: "/kernel",
  depthwise_weights: "/depthwise_kernel",
  biases: "/bias",
  "BatchNorm/gamma": "_bn/gamma",
  "BatchNorm/beta": "_bn/beta",
  "BatchNorm/moving_mean": "_bn/moving_mean",
  "BatchNorm/moving_variance": "_bn/moving_variance",
};

export const tfSlim: NameMap = {
  family: "TF-slim MobilenetV1",
  // With its predictors it is a detector, which is refused by name; its body alone is a network.
  matches: (names) =>
    PREFIXES.some((prefix) => ENDS.some((end) => names.has(`${prefix}MobilenetV1/Conv2d_0/weights${end}`))) &&
    ![...names].some((name) => name.includes("BoxPredictor")),
  translate(full, names) {
    const name = full.replace(/:0$/, "");
    if (TRAINING.test(name)) return "ignored";
    const hasAverage = names?.has(`${name}${AVERAGE}`) === true || names?.has(`${name}${AVERAGE}:0`) === true;
    if (hasAverage) return "ignored";
    const [, layer, value] = NAME.exec(name.endsWith(AVERAGE) ? name.slice(0, -AVERAGE.length) : name) ?? [];
    if (layer === undefined || value === undefined || !Object.hasOwn(VALUES, value)) return undefined;
    const ours = layerName(layer);
    const isDepthwise = layer.endsWith("_depthwise");
    if (ours === undefined || (value === "weights" && isDepthwise) || (value === "depthwise_weights" && !isDepthwise)) {
      return undefined;
    }
    if (ours === "conv_preds" && value.startsWith("BatchNorm")) return undefined;
    return { name: `${ours}${VALUES[value]}`, layout: "as-is" };
  },
  defaults: {
    padding: "same",
    epsilon: 1e-3,
    activation: "relu6",
    channelRounding: "floor",
    preprocessing: {},
    why: "as TF-slim builds MobilenetV1",
  },
};

function layerName(layer: string): string | undefined {
  if (layer === "Conv2d_0") return "conv1";
  if (layer === "Logits/Conv2d_1c_1x1") return "conv_preds";
  const [, block, kind] = BLOCK.exec(layer) ?? [];
  if (block === undefined || Number(block) > BLOCKS) return undefined;
  return `conv_${kind === "depth" ? "dw" : "pw"}_${block}`;
}
