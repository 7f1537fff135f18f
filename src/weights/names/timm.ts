/** timm `mobilenetv1_*`: stages of 1, 2, 2, 6 and 2 blocks. */

import { batchNormTarget, classifierTarget, convolutionTarget, type NameMap } from "./name-map.ts";

/** Blocks before each stage. */
const BLOCKS_BEFORE = [0, 1, 3, 5, 11];
const WEIGHT = /^blocks\.(\d+)\.(\d+)\.(conv_dw|bn1|conv_pw|bn2)\.(\w+)$/;

export const timm: NameMap = {
  family: "timm mobilenetv1",
  matches: (names) => names.has("conv_stem.weight") && names.has("blocks.0.0.conv_dw.weight"),
  translate: (name) => {
    if (name.startsWith("classifier.")) return classifierTarget(name.slice("classifier.".length));
    if (name.startsWith("conv_stem.")) return convolutionTarget("conv1", name.slice("conv_stem.".length));
    if (name.startsWith("bn1.")) return batchNormTarget("conv1", name.slice("bn1.".length));
    const match = WEIGHT.exec(name);
    const before = BLOCKS_BEFORE[Number(match?.[1])];
    if (match === null || before === undefined) return undefined;
    const block = before + Number(match[2]) + 1;
    const [, , , part = "", entry = ""] = match;
    const layer = part === "conv_dw" || part === "bn1" ? `conv_dw_${block}` : `conv_pw_${block}`;
    return part.startsWith("bn") ? batchNormTarget(layer, entry) : convolutionTarget(layer, entry);
  },
  defaults: { padding: "symmetric", epsilon: 1e-5, activation: "relu6", channelRounding: "divisible8" },
};
