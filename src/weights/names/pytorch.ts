/** The PyTorch file that many repositories copied: `model.{i}.{place}` for block i, `fc`; perhaps under `module.`. */

import { batchNormTarget, classifierTarget, convolutionTarget, type NameMap } from "./name-map.ts";

const WEIGHT = /^model\.(\d+)\.(\d)\.(\w+)$/;

export const pytorch: NameMap = {
  family: "PyTorch model.N",
  matches: (names) => names.has("model.0.0.weight") || names.has("module.model.0.0.weight"),
  translate: (name) => {
    const bare = name.replace(/^module\./, "");
    if (bare.startsWith("fc.")) return classifierTarget(bare.slice("fc.".length));
    const match = WEIGHT.exec(bare);
    if (match === null) return undefined;
    const block = Number(match[1]);
    const place = Number(match[2]);
    const entry = match[3] ?? "";
    const layer = block === 0 ? "conv1" : place < 3 ? `conv_dw_${block}` : `conv_pw_${block}`;
    return place % 3 === 0 ? convolutionTarget(layer, entry) : batchNormTarget(layer, entry);
  },
  defaults: { padding: "symmetric", epsilon: 1e-5, activation: "relu", channelRounding: "truncate" },
};
