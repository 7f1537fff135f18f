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

import type { NameMap } from "../name-map.ts";
import { type Named, torchRenamer } from "./torch-layer.ts";

const named: Named = ({ kind, block }) => {
  if (kind === "classifier") return ["classifier"];
  const place = kind === "stem" ? "conv_stem" : `layer.${2 * (block - 1) + (kind === "pointwise" ? 1 : 0)}`;
  return [`${place}.convolution`, `${place}.normalization`];
};

export const huggingFace: NameMap = {
  family: "Hugging Face mobilenet_v1",
  matches: (names) =>
    names.has("mobilenet_v1.conv_stem.convolution.weight") || names.has("conv_stem.convolution.weight"),
  renamer: /* @__PURE__ */ torchRenamer(() => named, "mobilenet_v1."),
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
