/**
 * timm (`pytorch-image-models`), `mobilenetv1_*`.
 *
 *     conv_stem.weight, bn1.…
 *     blocks.{s}.{j}.conv_dw.weight, .bn1.…, .conv_pw.weight, .bn2.…
 *     classifier.{weight,bias}
 *
 * The 13 blocks stand in stages s = 0..4 of 1, 2, 2, 6 and 2.
 */

import type { NameMap } from "./name-map.ts";
import { type TorchLayer, torchTarget } from "./torch-layer.ts";

const STAGES = [1, 2, 2, 6, 2] as const;
const BLOCK = /^blocks\.(\d)\.(\d)\.(conv_dw|bn1|conv_pw|bn2)\.(\w+)$/;
const OUTER = /^(conv_stem|bn1|classifier)\.(\w+)$/;

const OUTER_LAYERS: Readonly<Record<string, TorchLayer>> = {
  conv_stem: { type: "convolution", name: "conv1" },
  bn1: { type: "batchNorm", name: "conv1_bn" },
  classifier: { type: "linear", name: "conv_preds" },
};

export const timm: NameMap = {
  family: "timm mobilenetv1",
  // V2 and V3 of timm share the stem and the first block; their later blocks project (`conv_pwl`).
  matches: (names) =>
    names.has("conv_stem.weight") &&
    names.has("blocks.0.0.conv_dw.weight") &&
    ![...names].some((name) => name.includes(".conv_pwl.")),
  translate(name) {
    const [, outer, outerValue] = OUTER.exec(name) ?? [];
    if (outer !== undefined && outerValue !== undefined) {
      const layer = OUTER_LAYERS[outer];
      return layer === undefined ? undefined : torchTarget(layer, outerValue);
    }
    const [, stage, place, part, value] = BLOCK.exec(name) ?? [];
    if (part === undefined || value === undefined) return undefined;
    const block = blockAt(Number(stage), Number(place));
    return block === undefined ? undefined : torchTarget(layerOf(part, block), value);
  },
  // 0.9 for mobilenetv1_125; its resize is bicubic.
  defaults: {
    padding: "symmetric",
    epsilon: 1e-5,
    activation: "relu6",
    channelRounding: "divisible8",
    preprocessing: {},
    why: "as timm builds mobilenetv1",
  },
};

/** The paper's number of a block, from 1. */
function blockAt(stage: number, place: number): number | undefined {
  const blocks = STAGES[stage];
  if (blocks === undefined || place >= blocks) return undefined;
  return STAGES.slice(0, stage).reduce<number>((sum, n) => sum + n, 0) + place + 1;
}

function layerOf(part: string, block: number): TorchLayer {
  if (part === "conv_dw") return { type: "depthwise", name: `conv_dw_${block}` };
  if (part === "conv_pw") return { type: "convolution", name: `conv_pw_${block}` };
  return { type: "batchNorm", name: part === "bn1" ? `conv_dw_${block}_bn` : `conv_pw_${block}_bn` };
}
