/**
 * Standard convolution, from the image itself: no copy of its windows is made.
 *
 *     y[n, oy, ox, oc] = clamp(bias[oc] + Σ(u, v, ic) x[n, oy·sy + u·dy − top, ox·sx + v·dx − left, ic] · w[u, v, ic, oc])
 *
 * In NHWC a row of an undilated window lies together, kw · channels numbers: a window is kh segments, and pixels side
 * by side are tiles of the product. Rows and columns of the window outside the image are left out of the sums.
 * w in panels `[N / columns][kh · kw · channels][columns]`, a bias `[columns]` for each. The range counts output rows.
 */

import type { ConvolutionCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { call, int, type ModuleBuilder, when } from "./assembler/index.ts";
import { add, below, both, choose, equal, floats, locals, loop, mul, not, put, sub } from "./emit.ts";
import type { Lowered } from "./lowered.ts";
import type { PanelsFunction } from "./multiply-panels.ts";
import { panelPacking } from "./pack.ts";
import { type ProductModule, productFor, type Tile } from "./tiles.ts";
import { WINDOW_WORDS, windowWalk, windowWords } from "./window.ts";

const CONVOLUTION = /* @__PURE__ */ argumentBlock(WINDOW_WORDS, ["panels"]);

export function convolution(module: ModuleBuilder, panels: PanelsFunction, { columns }: Tile) {
  return kernel(module, "convolution", CONVOLUTION, (scope) => {
    const walk = windowWalk(scope);
    const { count, isDense, tapBytes } = locals(scope.local, "i32", "count", "isDense", "tapBytes");
    const isInner = both(equal(walk.ox, scope.innerFrom), below(walk.ox, scope.innerTo));
    return [
      put(tapBytes, mul(scope.channels, 4 * columns)),
      put(isDense, equal(scope.dilationX, 1)),
      ...walk.over([
        loop(walk.ox, scope.outWidth, count, [
          ...walk.placeColumn,
          put(count, 1),
          when(isInner, [put(count, sub(scope.innerTo, walk.ox))]),
          call(panels, {
            ...scope.bounds,
            x: walk.firstTap,
            w: add(scope.w, mul(add(mul(walk.u0, scope.kernelWidth), walk.v0), tapBytes)),
            bias: scope.bias,
            y: add(scope.y, floats(mul(add(mul(walk.row, scope.outWidth), walk.ox), scope.outChannels))),
            pixels: count,
            from: int(0),
            to: scope.panels,
            panelBytes: mul(mul(scope.kernelHeight, scope.kernelWidth), tapBytes),
            channels: scope.outChannels,
            scratch: scope.scratch,
            // Undilated, a row of taps is one segment; dilated, each tap is.
            length: mul(scope.channels, choose(isDense, walk.columns, 1)),
            segments: choose(isDense, not(not(walk.columns)), walk.columns),
            xStep: mul(scope.strideX, walk.pixelBytes),
            yStep: floats(scope.outChannels),
            rows: walk.rows,
            xSkip: mul(sub(scope.dilationX, 1), walk.pixelBytes),
            rowSkip: sub(mul(scope.dilationY, walk.rowBytes), mul(mul(walk.columns, scope.dilationX), walk.pixelBytes)),
            wSkip: mul(sub(scope.kernelWidth, walk.columns), tapBytes),
          }),
        ]),
      ]),
    ];
  });
}

export function lowerConvolution(
  { window, inChannels, outChannels, activation }: ConvolutionCall,
  tile: Tile,
): Lowered<ProductModule, "convolution"> {
  const { module, columns } = productFor(outChannels, tile);
  const taps = window.kernel[0] * window.kernel[1];
  const panels = Math.ceil(outChannels / columns);
  return {
    module,
    entry: "convolution",
    units: window.output[0],
    unitElements: window.output[1] * outChannels,
    weights: panelPacking(taps * inChannels, outChannels, columns, module === "product"),
    zeroBytes: 0,
    scratchBytes: outChannels < columns ? 4 * window.output[1] * columns : 0,
    ...CONVOLUTION.of(
      (at) => ({
        ...windowWords(window, inChannels, outChannels),
        bias: at.weights + 4 * panels * columns * taps * inChannels,
        panels,
      }),
      activation,
    ),
  };
}
