/** Hugging Face `mobilenet_v1`: layers counted through, depthwise and pointwise in turn; the bare model has no prefix. */

import { batchNormTarget, classifierTarget, convolutionTarget, type NameMap } from "./name-map.ts";

const WEIGHT = /^(?:mobilenet_v1\.)?(conv_stem|layer\.(\d+))\.(convolution|normalization)\.(\w+)$/;

export const huggingFace: NameMap = {
  family: "Hugging Face mobilenet_v1",
  matches: (names) =>
    names.has("mobilenet_v1.conv_stem.convolution.weight") || names.has("conv_stem.convolution.weight"),
  translate: (name) => {
    if (name.startsWith("classifier.")) return classifierTarget(name.slice("classifier.".length));
    const match = WEIGHT.exec(name);
    if (match === null) return undefined;
    const [, place = "", number, part = "", entry = ""] = match;
    const layer = place === "conv_stem" ? "conv1" : layerName(Number(number));
    return part === "normalization" ? batchNormTarget(layer, entry) : convolutionTarget(layer, entry);
  },
  // TF-slim's rule, as in its configuration's min_depth of 8.
  defaults: { padding: "same", epsilon: 1e-3, activation: "relu6", channelRounding: "floor" },
};

/** Layer 0 is the depthwise layer of block 1, layer 1 its pointwise one. */
function layerName(index: number): string {
  return `conv_${index % 2 === 0 ? "dw" : "pw"}_${Math.floor(index / 2) + 1}`;
}
