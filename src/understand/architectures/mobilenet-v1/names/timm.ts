/**
 * timm (`pytorch-image-models`), `mobilenetv1_*`.
 *
 *     conv_stem.weight, bn1.…
 *     blocks.{s}.{j}.conv_dw.weight, .bn1.…, .conv_pw.weight, .bn2.…
 *     classifier.{weight,bias}
 *
 * The 13 blocks stand in stages s = 0..4 of 1, 2, 2, 6 and 2.
 */

import type { NameMap } from "../../../name-map.ts";
import { torchNames } from "./torch-layer.ts";

/** `stage.place` of each block. */
const PLACES = /* @__PURE__ */ [1, 2, 2, 6, 2].flatMap((blocks, stage) =>
  Array.from({ length: blocks }, (_, place) => `${stage}.${place}`),
);
const NAMES = /* @__PURE__ */ torchNames(
  ["conv_stem", "bn1"],
  (block) => {
    const place = `blocks.${PLACES[block - 1]}`;
    return [
      [`${place}.conv_dw`, `${place}.bn1`],
      [`${place}.conv_pw`, `${place}.bn2`],
    ];
  },
  "classifier",
);

export const timm: NameMap = {
  family: "timm mobilenetv1",
  // V2 and V3 of timm share the stem and the first block; their later blocks project (`conv_pwl`).
  matches: (names) =>
    names.has("conv_stem.weight") &&
    names.has("blocks.0.0.conv_dw.weight") &&
    ![...names].some((name) => name.includes(".conv_pwl.")),
  translate: (name) => NAMES.get(name),
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
