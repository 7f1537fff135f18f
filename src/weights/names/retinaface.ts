/**
 * The body of the PyTorch "Retinaface" face detectors, trained on ImageNet before it became one.
 *
 *     stage1.0.{0,1}        stem, its batch norm
 *     stage{s}.{j}.{0,1}    depthwise of a block, its batch norm     stage{s}.{j}.{3,4}  pointwise, its batch norm
 *     fc.{weight,bias}
 *
 * Blocks 1 to 5 are stage 1 (after the stem), 6 to 11 stage 2, 12 and 13 stage 3.
 */

import type { NameMap } from "./name-map.ts";
import { IMAGENET, type TorchLayer, torchTarget } from "./torch-layer.ts";

/** Of each stage: the block of its place 0, and how many places it has. Place 0 of stage 1 is the stem. */
const STAGES = [
  { first: 0, places: 6 },
  { first: 6, places: 6 },
  { first: 12, places: 2 },
] as const;

const PART = /^(?:module\.)?stage([123])\.(\d)\.([0134])\.(\w+)$/;
const CLASSIFIER = /^(?:module\.)?fc\.(\w+)$/;

export const retinaface: NameMap = {
  family: "Retinaface's MobileNet V1",
  matches: (names) =>
    ["", "module."].some(
      (prefix) => names.has(`${prefix}stage1.0.0.weight`) && names.has(`${prefix}stage1.1.3.weight`),
    ),
  translate(name) {
    const [, parameter] = CLASSIFIER.exec(name) ?? [];
    if (parameter !== undefined) return torchTarget({ type: "linear", name: "conv_preds" }, parameter);
    const [, stage, place, part, value] = PART.exec(name) ?? [];
    if (stage === undefined || value === undefined) return undefined;
    const layer = layerAt(Number(stage), Number(place), Number(part));
    return layer === undefined ? undefined : torchTarget(layer, value);
  },
  defaults: {
    padding: "symmetric",
    epsilon: 1e-5,
    activation: "leakyRelu",
    negativeSlope: 0.1,
    channelRounding: "truncate",
    preprocessing: IMAGENET,
    why: "as the Retinaface code builds and trains it",
  },
};

function layerAt(stage: number, place: number, part: number): TorchLayer | undefined {
  const row = STAGES[stage - 1];
  if (row === undefined || place >= row.places) return undefined;
  const block = row.first + place;
  if (block === 0) {
    if (part === 0) return { type: "convolution", name: "conv1" };
    return part === 1 ? { type: "batchNorm", name: "conv1_bn" } : undefined;
  }
  if (part === 0) return { type: "depthwise", name: `conv_dw_${block}` };
  if (part === 3) return { type: "convolution", name: `conv_pw_${block}` };
  return { type: "batchNorm", name: `conv_${part === 1 ? "dw" : "pw"}_${block}_bn` };
}
