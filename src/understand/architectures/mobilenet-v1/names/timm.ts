/**
 * timm (`pytorch-image-models`), `mobilenetv1_*`.
 *
 *     conv_stem.weight, bn1.…
 *     blocks.{s}.{j}.conv_dw.weight, .bn1.…, .conv_pw.weight, .bn2.…
 *     classifier.{weight,bias}
 *
 * A stage s begins where the image becomes smaller.
 */

import type { ExpectedLayer } from "../expected.ts";
import type { NameMap } from "../name-map.ts";
import { type Named, stagePlaces, torchRenamer } from "./torch-layer.ts";

function naming(layers: readonly ExpectedLayer[]): Named {
  const places = stagePlaces(layers, [0, 0], (block) => block > 1);
  return ({ kind, block }) => {
    if (kind === "stem") return ["conv_stem", "bn1"];
    if (kind === "classifier") return ["classifier"];
    const place = `blocks.${places.get(block)}`;
    return kind === "depthwise" ? [`${place}.conv_dw`, `${place}.bn1`] : [`${place}.conv_pw`, `${place}.bn2`];
  };
}

export const timm: NameMap = {
  family: "timm mobilenetv1",
  // V2 and V3 of timm share the stem and the first block; their later blocks project (`conv_pwl`).
  matches: (names) =>
    names.has("conv_stem.weight") &&
    names.has("blocks.0.0.conv_dw.weight") &&
    ![...names].some((name) => name.includes(".conv_pwl.")),
  renamer: /* @__PURE__ */ torchRenamer(naming),
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
