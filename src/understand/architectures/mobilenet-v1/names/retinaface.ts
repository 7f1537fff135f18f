/**
 * The body of the PyTorch "Retinaface" face detectors, trained on ImageNet before it became one.
 *
 *     stage1.0.{0,1}        stem, its batch norm
 *     stage{s}.{j}.{0,1}    depthwise of a block, its batch norm     stage{s}.{j}.{3,4}  pointwise, its batch norm
 *     fc.{weight,bias}
 *
 * Blocks 1 to 5 are stage 1 (after the stem), 6 to 11 stage 2, 12 and 13 stage 3.
 */

import type { NameMap } from "../../../name-map.ts";
import { IMAGENET, torchNames } from "./torch-layer.ts";

const NAMES = /* @__PURE__ */ torchNames(
  ["stage1.0.0", "stage1.0.1"],
  (block) => {
    const place = block < 6 ? `stage1.${block}` : block < 12 ? `stage2.${block - 6}` : `stage3.${block - 12}`;
    return [
      [`${place}.0`, `${place}.1`],
      [`${place}.3`, `${place}.4`],
    ];
  },
  "fc",
);

export const retinaface: NameMap = {
  family: "Retinaface's MobileNet V1",
  matches: (names) =>
    ["", "module."].some(
      (prefix) => names.has(`${prefix}stage1.0.0.weight`) && names.has(`${prefix}stage1.1.3.weight`),
    ),
  translate: (name) => NAMES.get(name.replace(/^module\./, "")),
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
