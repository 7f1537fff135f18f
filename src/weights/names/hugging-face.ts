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

import type { NameMap } from "./name-map.ts";
import { BLOCKS, type TorchLayer, torchTarget } from "./torch-layer.ts";

const LAYER = /^(?:mobilenet_v1\.)?(conv_stem|layer\.(?:0|[1-9]\d?))\.(convolution|normalization)\.(\w+)$/;
const CLASSIFIER = /^classifier\.(\w+)$/;

export const huggingFace: NameMap = {
  family: "Hugging Face mobilenet_v1",
  matches: (names) =>
    names.has("mobilenet_v1.conv_stem.convolution.weight") || names.has("conv_stem.convolution.weight"),
  translate(name) {
    const [, parameter] = CLASSIFIER.exec(name) ?? [];
    if (parameter !== undefined) return torchTarget({ type: "linear", name: "conv_preds" }, parameter);
    const [, place, part, value] = LAYER.exec(name) ?? [];
    if (place === undefined || value === undefined) return undefined;
    const layer = layerAt(place);
    if (layer === undefined) return undefined;
    return torchTarget(part === "normalization" ? { type: "batchNorm", name: `${layer.name}_bn` } : layer, value);
  },
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

function layerAt(place: string): TorchLayer | undefined {
  if (place === "conv_stem") return { type: "convolution", name: "conv1" };
  const index = Number(place.slice("layer.".length));
  if (index >= 2 * BLOCKS) return undefined;
  const block = Math.floor(index / 2) + 1;
  return index % 2 === 0
    ? { type: "depthwise", name: `conv_dw_${block}` }
    : { type: "convolution", name: `conv_pw_${block}` };
}
