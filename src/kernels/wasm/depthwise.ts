/**
 * Depthwise convolution: outputs side by side in a row × a register of channels (four, or eight), channels innermost.
 *
 *     y[n, oy, ox, c·m + j] = clamp(bias[c·m + j] + Σ(u, v) x[n, oy·sy + u·dy − top, ox·sx + v·dx − left, c] · w[u, v, c, j])
 *
 * w in groups of as many output channels as a register has lanes, `[⌈C·m / lanes⌉][1 + kh · kw][lanes]`, the bias in front of the taps. The range counts
 * output rows. Rows of the window outside the image are read from a stretch of zeros; a window that hangs over on the
 * left or right by one column is a tile of its own. Anything else (dilation, a multiplier, unusual kernels, corners of
 * wide padding, channels left over from four) goes through `tapByTap`.
 */

import type { Window } from "../../core/window.ts";
import type { DepthwiseCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { call, type Expression, int, type Local, type ModuleBuilder, type Statement, when } from "./assembler/index.ts";
import { tapByTap } from "./depthwise-taps.ts";
import {
  DEPTHWISE_REACH,
  type TiledSize,
  WIDTHS,
  type WindowTileFunction,
  type WindowTiles,
  windowTiles,
} from "./depthwise-tile.ts";
import {
  add,
  advance,
  below,
  both,
  choose,
  divide,
  equal,
  type Features,
  floats,
  inside,
  locals,
  loop,
  loopWhile,
  mul,
  not,
  put,
  remainder,
  sub,
} from "./emit.ts";
import type { Lowered } from "./lowered.ts";
import { groupPacking } from "./pack.ts";
import type { Tile } from "./tiles.ts";
import { WINDOW_WORDS, windowWalk, windowWords } from "./window.ts";

const DEPTHWISE = /* @__PURE__ */ argumentBlock(WINDOW_WORDS, [
  "multiplier",
  /** At least as many zeros as one tile reads of a row. */
  "zeros",
  /** Whether y is a band: the first row of the range goes to the start of scratch. */
  "banded",
]);

/** @param size of the windows that have tiles; 0 for none */
export function depthwise(module: ModuleBuilder, size: TiledSize | 0, features: Features, { lanes }: Tile) {
  const oneByOne = tapByTap(module, features, lanes);
  const tiles = size === 0 ? undefined : windowTiles(module, size, features, lanes);
  return kernel(module, "depthwise", DEPTHWISE, (scope) => {
    const walk = windowWalk(scope);
    const v = locals(scope.local, "i32", "y", "offset", "isRow", "outBytes");
    const rows = Array.from({ length: size }, () => locals(scope.local, "i32", "at", "step"));
    const { ox, v0, columns, pixelBytes } = walk;

    const pixel = (channelFrom: Expression<"i32">): Statement =>
      call(oneByOne, {
        ...scope.bounds,
        x: walk.firstTap,
        w: scope.w,
        y: v.y,
        channelFrom,
        channels: scope.outChannels,
        multiplier: scope.multiplier,
        rows: walk.rows,
        columns,
        firstTap: add(mul(walk.u0, scope.kernelWidth), v0),
        kernelWidth: scope.kernelWidth,
        taps: mul(scope.kernelHeight, scope.kernelWidth),
        rowStep: mul(scope.dilationY, walk.rowBytes),
        columnStep: mul(scope.dilationX, pixelBytes),
      });
    const next = (count: Local<"i32"> | number) => [advance(v.y, mul(v.outBytes, count)), advance(ox, count)];
    const pixels = (channelFrom: Expression<"i32">): Statement =>
      loop(ox, scope.outWidth, 0, [...walk.placeColumn, pixel(channelFrom), ...next(1)]);
    const rowAt = (u: number) => {
      const row = rows[u];
      return row === undefined ? int(0) : add(row.at, mul(ox, row.step));
    };
    const tile = (one: WindowTileFunction): Statement =>
      call(one, {
        ...scope.bounds,
        row0: rowAt(0),
        row1: rowAt(1),
        row2: rowAt(2),
        row3: rowAt(3),
        row4: rowAt(4),
        skipped: mul(v0, pixelBytes),
        w: scope.w,
        y: v.y,
        pixelBytes,
        groups: divide(scope.channels, lanes),
      });
    const byTiles = (emitted: WindowTiles): readonly Statement[] => [
      ...rows.flatMap(({ at, step }, u) => [
        put(v.offset, add(walk.iy, u)),
        put(v.isRow, inside(v.offset, scope.height)),
        put(
          at,
          choose(v.isRow, sub(add(walk.image, mul(v.offset, walk.rowBytes)), mul(scope.left, pixelBytes)), scope.zeros),
        ),
        put(step, choose(v.isRow, mul(scope.strideX, pixelBytes), 0)),
      ]),
      loop(ox, scope.outWidth, 0, [
        ...walk.placeColumn,
        when(
          both(equal(ox, scope.innerFrom), below(ox, scope.innerTo)),
          [
            loopWhile(below(ox, scope.innerTo), [
              emitted.inner.reduceRight<Statement>(
                (otherwise, [one, two], i) =>
                  when(
                    below(sub(scope.innerTo, ox), WIDTHS[i] ?? 1),
                    [otherwise],
                    [when(equal(scope.strideX, 1), [tile(one)], [tile(two)]), ...next(WIDTHS[i] ?? 1)],
                  ),
                [],
              ),
            ]),
          ],
          [
            when(
              both(equal(v0, 1), equal(columns, size - 1)),
              [tile(emitted.left)],
              [when(both(not(v0), equal(columns, size - 1)), [tile(emitted.right)], [pixel(int(0))])],
            ),
            ...next(1),
          ],
        ),
      ]),
      // Channels left over from whole registers.
      when(remainder(scope.channels, lanes), [
        put(ox, 0),
        advance(v.y, sub(0, mul(v.outBytes, scope.outWidth))),
        pixels(sub(scope.channels, remainder(scope.channels, lanes))),
      ]),
    ];
    return [
      put(v.outBytes, floats(scope.outChannels)),
      put(v.y, choose(scope.banded, scope.scratch, add(scope.y, mul(mul(scope.from, scope.outWidth), v.outBytes)))),
      ...walk.over(tiles === undefined ? [pixels(int(0))] : byTiles(tiles)),
    ];
  });
}

type Module = "depthwise" | `depthwise-${TiledSize}`;

export function lowerDepthwise(
  { window, channels, multiplier, activation }: DepthwiseCall,
  { lanes }: Tile,
): Lowered<Module, "depthwise"> {
  const taps = window.kernel[0] * window.kernel[1];
  const tiled = multiplier === 1 && channels >= lanes ? tiledWindow(window) : undefined;
  return {
    module: tiled ?? "depthwise",
    entry: "depthwise",
    units: window.output[0],
    unitElements: window.output[1] * channels * multiplier,
    weights: groupPacking(taps, channels * multiplier, lanes),
    zeroBytes: tiled === undefined ? 0 : 4 * DEPTHWISE_REACH * channels,
    scratchBytes: 0,
    ...DEPTHWISE.of(
      (at, cut) => ({
        ...windowWords(window, channels, channels * multiplier),
        bias: 0,
        multiplier,
        zeros: at.zeros,
        banded: cut.bandedOutput === true ? 1 : 0,
      }),
      activation,
    ),
  };
}

/** The module with tiles for a window, if there is one. */
function tiledWindow({ kernel, stride, dilation }: Window): `depthwise-${TiledSize}` | undefined {
  const [k, s] = [kernel[0], stride[0]];
  const isSquare = kernel[1] === k && stride[1] === s && dilation[0] === 1 && dilation[1] === 1;
  if (!isSquare || (k !== 3 && k !== 5) || (s !== 1 && s !== 2)) return undefined;
  return `depthwise-${k}`;
}
