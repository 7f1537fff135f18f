/**
 * Keras applications, all ages: `conv1/kernel`, with `:0`, with the group twice as in HDF5 (`conv1/conv1/kernel:0`),
 * with Keras 3's `kernel` of a depthwise layer and its dense `predictions`.
 */

import type { NameMap } from "./name-map.ts";

const WEIGHT = /^(?:(conv1|conv_(?:dw|pw)_\d+|conv_\d+|conv_preds|predictions)(_bn)?)\/(kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)$/;

export const keras: NameMap = {
  family: "Keras",
  matches: (names) => [...names].some((name) => plain(name).startsWith("conv1/")),
  translate: (name) => {
    const match = WEIGHT.exec(plain(name));
    if (match === null) return /(optimizer|Adam|SGD|RMSprop|iterations|learning_rate)/i.test(name) ? "ignored" : undefined;
    const [, layer = "", batchNorm = "", weight = ""] = match;
    if (layer === "predictions") {
      return { name: `conv_preds/${weight}`, layout: weight === "kernel" ? "dense" : "as-is" };
    }
    const isDepthwise = layer.startsWith("conv_dw_") && batchNorm === "" && weight === "kernel";
    return { name: `${layer}${batchNorm}/${isDepthwise ? "depthwise_kernel" : weight}`, layout: "as-is" };
  },
  defaults: { padding: "same", epsilon: 1e-3, activation: "relu6", channelRounding: "truncate" },
};

/** Without `:0`, and without the doubled group of HDF5. */
function plain(name: string): string {
  const parts = name.replace(/:0$/, "").split("/");
  return parts.length > 2 && parts[0] === parts[1] ? parts.slice(1).join("/") : parts.join("/");
}
