/** The emitted kernels of training that are no products and no windows, by the names they export. */

import type { Emitter } from "../../../src/kernels/wasm/modules.ts";
import { elementwiseGradient } from "../../../src/kernels/wasm/training/elementwise-gradient.ts";
import { finishNorm, frozenNorm } from "../../../src/kernels/wasm/training/finish-norm.ts";
import { finishNormGradient } from "../../../src/kernels/wasm/training/finish-norm-gradient.ts";
import { moments } from "../../../src/kernels/wasm/training/moments.ts";
import { normGradient } from "../../../src/kernels/wasm/training/norm-gradient.ts";
import { normSums } from "../../../src/kernels/wasm/training/norm-sums.ts";
import { normalise } from "../../../src/kernels/wasm/training/normalise.ts";
import { activationGradient, sum } from "../../../src/kernels/wasm/training/number-by-number.ts";
import { poolGradient } from "../../../src/kernels/wasm/training/pool-gradient.ts";
import { softmaxCrossEntropy } from "../../../src/kernels/wasm/training/softmax-cross-entropy.ts";
import { softmaxGradient } from "../../../src/kernels/wasm/training/softmax-gradient.ts";
import { columnSums, finishSums, reduce } from "../../../src/kernels/wasm/training/sums.ts";

export const EMITTERS: Readonly<Record<string, Emitter>> = {
  normalise,
  moments,
  finishNorm,
  frozenNorm,
  normGradient,
  normSums,
  finishNormGradient,
  columnSums,
  finishSums,
  reduce,
  sum,
  softmaxCrossEntropy,
  softmaxGradient,
  clampGradient: (module) => activationGradient(module, "clampGradient"),
  hardSigmoidGradient: (module) => activationGradient(module, "hardSigmoidGradient"),
  hardSwishGradient: (module) => activationGradient(module, "hardSwishGradient"),
  leakyReluGradient: (module) => activationGradient(module, "leakyReluGradient"),
  averagePoolGradient: (module) => poolGradient(module, "averagePoolGradient"),
  maxPoolGradient: (module) => poolGradient(module, "maxPoolGradient"),
  addGradient: (module) => elementwiseGradient(module, "addGradient"),
  multiplyGradient: (module) => elementwiseGradient(module, "multiplyGradient"),
};
