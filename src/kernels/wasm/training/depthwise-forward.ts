/**
 * Depthwise convolution over a chunk, from memory or from rows in scratch: the loops and so the bits of inference. Weights
 * are packed by `packGroups`.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import type { ModuleBuilder } from "../assembler/index.ts";
import { locals, put } from "../emit.ts";
import { type DepthwiseParts, depthwiseRows } from "./depthwise-rows.ts";
import { DEPTHWISE_WORDS, depthwiseShare } from "./depthwise-share.ts";

/** `x` 0: rows of the share lie in scratch, from `xOffset`, `xBefore` more in front of them. */
export const DEPTHWISE_FORWARD = /* @__PURE__ */ argumentBlock(DEPTHWISE_WORDS, ["xOffset", "xBefore"]);

export function depthwiseForward(module: ModuleBuilder, parts: DepthwiseParts) {
  return kernel(module, "depthwiseForward", DEPTHWISE_FORWARD, (scope) => {
    const { start, end, find, inputAt } = depthwiseShare(scope);
    const { x } = locals(scope.local, "i32", "x");
    return [
      ...find,
      put(x, inputAt(scope.x, scope.xOffset, scope.xBefore)),
      ...depthwiseRows(parts, { ...scope, from: start, to: end, x }),
    ];
  });
}
