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

import type { NameMap } from "../../../name-map.ts";
import { IMAGENET, torchNames } from "./torch-layer.ts";

const NAMES = /* @__PURE__ */ torchNames(
  ["model.0.0", "model.0.1"],
  (block) => [
    [`model.${block}.0`, `model.${block}.1`],
    [`model.${block}.3`, `model.${block}.4`],
  ],
  "fc",
);

export const pytorch: NameMap = {
  family: "PyTorch conv_bn/conv_dw",
  // Place 3 of group 1 tells them from ports of TensorFlow, which number every convolution and have places 0 and 1.
  matches: (names) =>
    ["", "module."].some((prefix) => names.has(`${prefix}model.0.0.weight`) && names.has(`${prefix}model.1.3.weight`)),
  translate: (name) => NAMES.get(name.replace(/^module\./, "")),
  defaults: {
    padding: "symmetric",
    epsilon: 1e-5,
    activation: "relu",
    channelRounding: "truncate",
    preprocessing: IMAGENET,
    why: "as the many copies of this PyTorch file are trained",
  },
};
