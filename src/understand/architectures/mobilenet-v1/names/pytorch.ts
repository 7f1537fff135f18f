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

import type { NameMap } from "../name-map.ts";
import { IMAGENET } from "./imagenet.ts";
import { inGroup, type Named, torchRenamer } from "./torch-layer.ts";

const named: Named = ({ kind, block }) => inGroup(kind, `model.${block}`);

export const pytorch: NameMap = {
  family: "PyTorch conv_bn/conv_dw",
  // Place 3 of group 1 tells them from ports of TensorFlow, which number every convolution and have places 0 and 1.
  matches: (names) =>
    ["", "module."].some((prefix) => names.has(`${prefix}model.0.0.weight`) && names.has(`${prefix}model.1.3.weight`)),
  renamer: /* @__PURE__ */ torchRenamer(() => named, "module."),
  defaults: {
    padding: "symmetric",
    epsilon: 1e-5,
    activation: "relu",
    channelRounding: "truncate",
    preprocessing: IMAGENET,
    why: "as the many copies of this PyTorch file are trained",
  },
};
