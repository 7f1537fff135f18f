/**
 * Depthwise convolution: outputs side by side in a row × four channels in registers, channels innermost.
 *
 *     y[n, oy, ox, c·m + j] = clamp(bias[c·m + j] + Σ(u, v) x[n, oy·sy + u·dy − top, ox·sx + v·dx − left, c] · w[u, v, c, j])
 *
 * w in groups of four output channels, `[⌈C·m / 4⌉][1 + kh · kw][4]`, the bias in front of the taps. The range counts
 * output rows. Rows of the window outside the image are read from a stretch of zeros; a window that hangs over on the
 * left or right by one column is a tile of its own. Anything else (dilation, a multiplier, unusual kernels, corners of
 * wide padding, channels left over from four) goes through `tapByTap`.
 */

import { argumentBlock, kernel } from "./arguments.ts";
import {
  access,
  call,
  type Expression,
  int,
  type Local,
  type ModuleBuilder,
  type Statement,
  set,
  type WasmFunction,
  when,
} from "./assembler/index.ts";
import {
  add,
  advance,
  below,
  both,
  choose,
  clamp,
  countDown,
  divide,
  equal,
  type Features,
  floats,
  inside,
  loadLanes,
  locals,
  loop,
  loopWhile,
  mul,
  multiplyAdd,
  not,
  put,
  remainder,
  storeLanes,
  sub,
} from "./emit.ts";
import { WINDOW_WORDS, windowWalk } from "./window.ts";

export const DEPTHWISE = /* @__PURE__ */ argumentBlock(WINDOW_WORDS, [
  "multiplier",
  /** At least as many zeros as one tile reads of a row. */
  "zeros",
  /** Whether y is a band: the first row of the range goes to the start of scratch. */
  "banded",
]);

/** Kernels that have tiles: square, undilated, with stride 1 or 2 on both axes. 0 is any other. */
export type TiledKernel = 0 | 3 | 5;

/** Outputs in a tile. */
const WIDTHS = [4, 2, 1] as const;
/** Most columns that a tile reads of one row: four outputs at stride 2 of a window of five. */
export const DEPTHWISE_REACH = 11;

export function depthwise(module: ModuleBuilder, size: TiledKernel, features: Features): void {
  const oneByOne = tapByTap(module, features);
  const tiles = size === 0 ? undefined : windowTiles(module, size, features);
  kernel(module, "depthwise", DEPTHWISE, (scope) => {
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
    const tile = (one: TileFunction): Statement =>
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
        groups: divide(scope.channels, 4),
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
      // Channels left over from groups of four.
      when(remainder(scope.channels, 4), [
        put(ox, 0),
        advance(v.y, sub(0, mul(v.outBytes, scope.outWidth))),
        pixels(sub(scope.channels, remainder(scope.channels, 4))),
      ]),
    ];
    return [
      put(v.outBytes, floats(scope.outChannels)),
      put(v.y, choose(scope.banded, scope.scratch, add(scope.y, mul(mul(scope.from, scope.outWidth), v.outBytes)))),
      ...walk.over(tiles === undefined ? [pixels(int(0))] : byTiles(tiles)),
    ];
  });
}

/** One address for each row of the largest window; a smaller one leaves the last unused. */
const ROWS = ["row0", "row1", "row2", "row3", "row4"] as const;

const TILE = {
  row0: "i32",
  row1: "i32",
  row2: "i32",
  row3: "i32",
  row4: "i32",
  skipped: "i32",
  w: "i32",
  y: "i32",
  pixelBytes: "i32",
  groups: "i32",
  low: "v128",
  high: "v128",
} as const;
type TileFunction = WasmFunction<typeof TILE>;

interface WindowTiles {
  /** A tile of each width, for stride 1 and stride 2. */
  readonly inner: readonly (readonly [TileFunction, TileFunction])[];
  /** One output whose window lacks its first column, or its last. */
  readonly left: TileFunction;
  readonly right: TileFunction;
}

function windowTiles(module: ModuleBuilder, kernel: TiledKernel, features: Features): WindowTiles {
  const tile = (wide: number, stride: number, from = 0, to: number = kernel) =>
    windowTile(module, kernel, stride, wide, from, to, features);
  const lone = tile(1, 1);
  return {
    inner: WIDTHS.map((wide) => (wide === 1 ? [lone, lone] : [tile(wide, 1), tile(wide, 2)])),
    left: tile(1, 1, 1),
    right: tile(1, 1, 0, kernel - 1),
  };
}

/** `wide` outputs, over the columns `from` to `to` of the window; `skipped` is the bytes of those before `from`. */
function windowTile(
  module: ModuleBuilder,
  kernel: TiledKernel,
  stride: number,
  wide: number,
  from: number,
  to: number,
  features: Features,
): TileFunction {
  const side = from > 0 ? "-left" : to < kernel ? "-right" : "";
  return module.func(`f32-depthwise-${kernel}s${stride}-${wide}${side}`, TILE, (p, local) => {
    const rows = ROWS.slice(0, kernel).map((name) => p[name]);
    const sums = Array.from({ length: wide }, () => local("v128"));
    const weights = Array.from({ length: to - from }, () => local("v128"));
    const x = local("v128");
    const { at } = locals(local, "i32", "at");
    const columns = (wide - 1) * stride + to - from;
    return [
      ...rows.map((row) => advance(row, p.skipped)),
      countDown(p.groups, [
        ...sums.map((sum) => set(sum, access("v128.load", 0, p.w))),
        ...rows.flatMap((row, u) => [
          ...weights.map((w, i) => set(w, access("v128.load", 16 * (1 + u * kernel + from + i), p.w))),
          put(at, row),
          ...Array.from({ length: columns }, (_, column) => [
            set(x, access("v128.load", 0, at)),
            ...(column < columns - 1 ? [advance(at, p.pixelBytes)] : []),
            ...sums.flatMap((sum, i) => {
              const w = weights[column - i * stride];
              return w === undefined ? [] : [set(sum, multiplyAdd(features, x, w, sum))];
            }),
          ]).flat(),
        ]),
        put(at, p.y),
        ...sums.flatMap((sum, i) => [
          access("v128.store", 0, at, clamp(sum, p)),
          ...(i < wide - 1 ? [advance(at, p.pixelBytes)] : []),
        ]),
        ...rows.map((row) => advance(row, 16)),
        advance(p.w, 16 * (1 + kernel * kernel)),
        advance(p.y, 16),
      ]),
    ];
  });
}

const TAPS = {
  x: "i32",
  w: "i32",
  y: "i32",
  channelFrom: "i32",
  /** Output channels. */
  channels: "i32",
  multiplier: "i32",
  /** Taps inside the image, and the first of them. */
  rows: "i32",
  columns: "i32",
  firstTap: "i32",
  kernelWidth: "i32",
  taps: "i32",
  rowStep: "i32",
  columnStep: "i32",
  low: "v128",
  high: "v128",
} as const;

/** One output pixel, one tap after the other: any window. */
function tapByTap(module: ModuleBuilder, features: Features) {
  return module.func("f32-depthwise-tap-by-tap", TAPS, (p, local) => {
    const v = locals(local, "i32", "channel", "w", "x", "tap", "row", "column");
    const sum = local("v128");
    const channel = (lanes: 4 | 1): readonly Statement[] => [
      put(v.w, add(add(p.w, mul(divide(v.channel, 4), mul(add(p.taps, 1), 16))), floats(remainder(v.channel, 4)))),
      set(sum, loadLanes(lanes, v.w)),
      advance(v.w, mul(add(p.firstTap, 1), 16)),
      put(v.x, add(p.x, floats(divide(v.channel, p.multiplier)))),
      put(v.row, p.rows),
      countDown(v.row, [
        put(v.tap, v.x),
        put(v.column, p.columns),
        countDown(v.column, [
          set(sum, multiplyAdd(features, loadLanes(lanes, v.tap), loadLanes(lanes, v.w), sum)),
          advance(v.tap, p.columnStep),
          advance(v.w, 16),
        ]),
        advance(v.x, p.rowStep),
        advance(v.w, mul(sub(p.kernelWidth, p.columns), 16)),
      ]),
      storeLanes(lanes, add(p.y, floats(v.channel)), clamp(sum, p)),
    ];
    return [
      put(v.channel, p.channelFrom),
      when(equal(p.multiplier, 1), [loop(v.channel, sub(p.channels, 3), 4, channel(4))]),
      loop(v.channel, p.channels, 1, channel(1)),
    ];
  });
}
