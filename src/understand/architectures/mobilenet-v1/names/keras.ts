/**
 * Keras Applications, and TensorFlow.js layers models, which keep its names. Ours are the plain Keras 2 ones.
 *
 *     conv1/kernel            also  conv1/kernel:0, conv1/conv1/kernel:0, model_weights/conv1/conv1/kernel:0 (HDF5)
 *     conv_dw_1/depthwise_kernel    Keras 3: conv_dw_1/kernel
 *     conv_preds/kernel             as a dense layer: predictions/kernel [in, classes]
 */

import type { NameMap } from "../../../name-map.ts";

// `conv_1` … are the full convolutions of the paper's twin.
const LAYER = "conv1|conv_(?:(?:dw|pw)_)?(?:[1-9]|1[0-3])|conv_preds|predictions";
// A group and the weight inside it repeat the layer's name in HDF5: the second must be the first again.
const NAME = /* @__PURE__ */ new RegExp(
  `^(?:model_weights/)?(?:(${LAYER})|((?:${LAYER})_bn))/(?:\\1\\2/)?(\\w+)(?::0)?$`,
);
const TRAINING =
  /^(?:optimizer_weights|optimizer|training|global_step|iterations?|learning_rate|save_counter|(?:legacy_)?(?:SGD|Adam|Adamax|Nadam|AdamW|RMSprop|Adagrad|Adadelta|Ftrl))(?:_\d+)?(?:[/:]|$)/i;

const BATCH_NORM = ["gamma", "beta", "moving_mean", "moving_variance"];

export const keras: NameMap = {
  family: "Keras Applications mobilenet",
  matches: (names) => {
    const layers = new Set([...names].map((name) => NAME.exec(name)?.[1]));
    return layers.has("conv1") && (layers.has("conv_dw_1") || layers.has("conv_1"));
  },
  translate(name) {
    if (TRAINING.test(name)) return "ignored";
    const [, layer, normalization, value] = NAME.exec(name) ?? [];
    if (value === undefined) return undefined;
    if (normalization !== undefined) {
      const isKnown = BATCH_NORM.includes(value) && !/^(conv_preds|predictions)/.test(normalization);
      return isKnown ? { name: `${normalization}/${value}`, layout: "as-is" } : undefined;
    }
    const ours = layer === "predictions" ? "conv_preds" : layer;
    if (value === "bias") return { name: `${ours}/bias`, layout: "as-is" };
    if (layer?.startsWith("conv_dw_")) {
      const isKernel = value === "depthwise_kernel" || value === "kernel";
      return isKernel ? { name: `${ours}/depthwise_kernel`, layout: "as-is" } : undefined;
    }
    if (value !== "kernel") return undefined;
    return { name: `${ours}/kernel`, layout: layer === "predictions" ? "dense" : "as-is" };
  },
  // The weights were trained with TensorFlow's SAME, and no later change of Keras' padding changed them.
  defaults: {
    padding: "same",
    epsilon: 1e-3,
    activation: "relu6",
    channelRounding: "truncate",
    preprocessing: {},
    why: "as Keras Applications builds MobileNet",
  },
};
