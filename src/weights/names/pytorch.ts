/**
 * The many PyTorch copies of one file ("marvis"), a sequence of `conv_bn` and `conv_dw` groups.
 *
 *     model.0.0.weight   stem                model.0.1.…   its batch norm
 *     model.{i}.0.weight depthwise, block i  model.{i}.1.…
 *     model.{i}.3.weight pointwise, block i  model.{i}.4.…
 *     fc.{weight,bias}
 *
 * Saved from `DataParallel`, each name begins with `module.`.
 */

import type { NameMap } from "./name-map.ts";
import { BLOCKS, IMAGENET, type TorchLayer, torchTarget } from "./torch-layer.ts";

const GROUP = /^(?:module\.)?model\.(0|[1-9]\d?)\.([0134])\.(\w+)$/;
const CLASSIFIER = /^(?:module\.)?fc\.(\w+)$/;

export const pytorch: NameMap = {
  family: "PyTorch conv_bn/conv_dw",
  // Place 3 of group 1 tells them from ports of TensorFlow, which number every convolution and have places 0 and 1.
  matches: (names) =>
    ["", "module."].some((prefix) => names.has(`${prefix}model.0.0.weight`) && names.has(`${prefix}model.1.3.weight`)),
  translate(name) {
    const [, parameter] = CLASSIFIER.exec(name) ?? [];
    if (parameter !== undefined) return torchTarget({ type: "linear", name: "conv_preds" }, parameter);
    const [, group, place, value] = GROUP.exec(name) ?? [];
    if (group === undefined || value === undefined) return undefined;
    const layer = layerAt(Number(group), Number(place));
    return layer === undefined ? undefined : torchTarget(layer, value);
  },
  defaults: {
    padding: "symmetric",
    epsilon: 1e-5,
    activation: "relu",
    channelRounding: "truncate",
    preprocessing: IMAGENET,
    why: "as the many copies of this PyTorch file are trained",
  },
};

function layerAt(group: number, place: number): TorchLayer | undefined {
  if (group === 0) {
    if (place === 0) return { type: "convolution", name: "conv1" };
    return place === 1 ? { type: "batchNorm", name: "conv1_bn" } : undefined;
  }
  if (group > BLOCKS) return undefined;
  if (place === 0) return { type: "depthwise", name: `conv_dw_${group}` };
  if (place === 3) return { type: "convolution", name: `conv_pw_${group}` };
  return { type: "batchNorm", name: `conv_${place === 1 ? "dw" : "pw"}_${group}_bn` };
}
