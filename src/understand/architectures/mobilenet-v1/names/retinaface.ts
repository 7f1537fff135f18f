/**
 * The body of the PyTorch "Retinaface" face detectors, trained on ImageNet before it became one.
 *
 *     stage1.0.{0,1}        stem, its batch norm
 *     stage{s}.{j}.{0,1}    depthwise of a block, its batch norm     stage{s}.{j}.{3,4}  pointwise, its batch norm
 *     fc.{weight,bias}
 *
 * Stage 1 goes to an output stride of 8, after the stem; each later stage begins where the image becomes smaller.
 */

import type { ExpectedLayer } from "../expected.ts";
import type { NameMap } from "../name-map.ts";
import { IMAGENET } from "./imagenet.ts";
import { inGroup, type Named, stagePlaces, torchRenamer } from "./torch-layer.ts";

function naming(layers: readonly ExpectedLayer[]): Named {
  const places = stagePlaces(layers, [1, 1], (_block, outputStride) => outputStride > 8);
  return ({ kind, block }) => inGroup(kind, `stage${block === 0 ? "1.0" : places.get(block)}`);
}

export const retinaface: NameMap = {
  family: "Retinaface's MobileNet V1",
  matches: (names) =>
    ["", "module."].some(
      (prefix) => names.has(`${prefix}stage1.0.0.weight`) && names.has(`${prefix}stage1.1.3.weight`),
    ),
  renamer: /* @__PURE__ */ torchRenamer(naming, "module."),
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
