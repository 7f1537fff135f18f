/**
 * Hugging Face `transformers`, `MobileNetV1Model` and `MobileNetV1ForImageClassification`.
 *
 *     mobilenet_v1.conv_stem.{convolution,normalization}.…
 *     mobilenet_v1.layer.{2(i − 1)}.…       depthwise of block i
 *     mobilenet_v1.layer.{2(i − 1) + 1}.…   pointwise of block i
 *     classifier.{weight,bias}
 *
 * The bare model has no prefix and no classifier.
 */

import type { NameMap } from "../../../name-map.ts";
import { type Pair, torchNames } from "./torch-layer.ts";

const pair = (place: string): Pair => [`${place}.convolution`, `${place}.normalization`];
const layer = (index: number) => pair(`layer.${index}`);
const NAMES = /* @__PURE__ */ torchNames(
  pair("conv_stem"),
  (block) => [layer(2 * block - 2), layer(2 * block - 1)],
  "classifier",
);

export const huggingFace: NameMap = {
  family: "Hugging Face mobilenet_v1",
  matches: (names) =>
    names.has("mobilenet_v1.conv_stem.convolution.weight") || names.has("conv_stem.convolution.weight"),
  translate: (name) => NAMES.get(name.replace(/^mobilenet_v1\./, "")),
  defaults: {
    // `tf_padding` in its config.json; a file made without it is symmetric.
    padding: "same",
    epsilon: 1e-3,
    activation: "relu6",
    // TF-slim's rule, as its configuration's min_depth of 8 says.
    channelRounding: "floor",
    preprocessing: {},
    why: "as transformers' mobilenet_v1 is configured by default",
  },
};
