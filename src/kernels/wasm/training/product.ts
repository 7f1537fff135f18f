/**
 * A matrix product of the pixels of a chunk: y[p, n] = bias[n] + Σ(k) x[p, k] · w[k, n], on the tiles of inference.
 *
 * Forward; and with panels of the transposed weights and no bias, the gradient of what a layer read. Rows lie without
 * gaps. In scratch y begins with the first pixel of the chunk.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { call, int, type ModuleBuilder, when } from "../assembler/index.ts";
import { add, choose, floats, locals, mul, put, sub } from "../emit.ts";
import type { PanelsFunction } from "../multiply-panels.ts";
import type { Tile } from "../tiles.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";

export const PRODUCT = /* @__PURE__ */ argumentBlock(
  [
    /** In memory; or 0: the chunk lies in scratch, from `offset` on. */
    "x",
    "offset",
    /** Panels, and the bias of panel 0. */
    "w",
    "bias",
    /** In memory; or 0: to scratch, at `yOffset`. */
    "y",
    "yOffset",
    "inChannels",
    "outChannels",
    "panels",
    /** Where in scratch tiles go first if there are fewer output channels than columns: pixels · columns floats. */
    "narrow",
  ],
  CHUNK_WORDS,
);

export function product(module: ModuleBuilder, panels: PanelsFunction, { columns }: Tile) {
  return kernel(module, "product", PRODUCT, (scope) => {
    const range = chunkRange(scope);
    const { xStep, yStep, pixels } = locals(scope.local, "i32", "xStep", "yStep", "pixels");
    return [
      ...range.find,
      put(pixels, sub(range.end, range.start)),
      put(xStep, floats(scope.inChannels)),
      put(yStep, floats(scope.outChannels)),
      when(pixels, [
        call(panels, {
          ...scope.bounds,
          x: choose(scope.x, add(scope.x, mul(range.start, xStep)), add(scope.scratch, scope.offset)),
          w: scope.w,
          bias: scope.bias,
          y: choose(scope.y, add(scope.y, mul(range.start, yStep)), add(scope.scratch, scope.yOffset)),
          length: scope.inChannels,
          xStep,
          yStep,
          pixels,
          from: int(0),
          to: scope.panels,
          panelBytes: mul(xStep, columns),
          channels: scope.outChannels,
          scratch: add(scope.scratch, scope.narrow),
          rows: int(1),
          segments: int(1),
          xSkip: int(0),
          rowSkip: int(0),
          wSkip: int(0),
        }),
      ]),
    ];
  });
}
