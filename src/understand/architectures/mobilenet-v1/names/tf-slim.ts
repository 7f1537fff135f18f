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

import type { Renaming } from "../../../renamed.ts";
import type { ExpectedLayer } from "../expected.ts";
import type { NameMap } from "../name-map.ts";

const AVERAGE = "/ExponentialMovingAverage";
const PREFIXES = ["", "FeatureExtractor/"];
const ENDS = ["", ":0", AVERAGE, `${AVERAGE}:0`];
const TRAINING =
  /(?:^|\/)(?:RMSProp(?:_\d+)?|Momentum|Adam(?:_\d+)?|Adagrad|Adadelta(?:_\d+)?|Ftrl(?:_\d+)?|local_step|biased)$|^(?:global_step|beta[12]_power|learning_rate)$/;

export const tfSlim: NameMap = {
  family: "TF-slim MobilenetV1",
  // With its predictors it is a detector, which is refused by name; its body alone is a network.
  matches: (names) =>
    PREFIXES.some((prefix) => ENDS.some((end) => names.has(`${prefix}MobilenetV1/Conv2d_0/weights${end}`))) &&
    ![...names].some((name) => name.includes("BoxPredictor")),
  renamer(names, { known, layersOf }) {
    const all = new Map<string, Renaming>();
    for (const layer of layersOf(known)) {
      for (const name of layer.parameters.values()) {
        all.set(`MobilenetV1/${slimLayer(layer)}/${slimValue(name)}`, { name, layout: "as-is" });
      }
    }
    return (full) => {
      const name = full.replace(/:0$/, "");
      if (TRAINING.test(name)) return "ignored";
      if (names.has(`${name}${AVERAGE}`) || names.has(`${name}${AVERAGE}:0`)) return "ignored";
      const variable = name.endsWith(AVERAGE) ? name.slice(0, -AVERAGE.length) : name;
      return all.get(variable.replace(/^FeatureExtractor\//, ""));
    };
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

function slimLayer({ kind, block }: ExpectedLayer): string {
  if (kind === "classifier") return "Logits/Conv2d_1c_1x1";
  return `Conv2d_${block}${kind === "depthwise" || kind === "pointwise" ? `_${kind}` : ""}`;
}

/** Values of batch norm have Keras' names. */
function slimValue(ours: string): string {
  const [, value = ""] = ours.split("/");
  return { kernel: "weights", depthwise_kernel: "depthwise_weights", bias: "biases" }[value] ?? `BatchNorm/${value}`;
}
