/**
 * The forward loops of inference (`depthwise.ts`) over rows wherever they lie: also the input gradient at stride 1, which
 * is the convolution of dz with the taps in reverse.
 */

import type { KernelScope } from "../arguments.ts";
import {
  call,
  type Expression,
  int,
  type Local,
  type ModuleBuilder,
  type Statement,
  when,
} from "../assembler/index.ts";
import { tapByTap } from "../depthwise-taps.ts";
import { type TiledSize, WIDTHS, type WindowTileFunction, type WindowTiles, windowTiles } from "../depthwise-tile.ts";
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
  type RegisterLanes,
  remainder,
  sub,
} from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { type WINDOW_WORDS, type WindowWalk, windowWalk } from "../window.ts";
import { type DoubleTile, type DoubleTiles, doubleTiles } from "./depthwise-double-tile.ts";

type RowWord = (typeof WINDOW_WORDS)[number] | "multiplier" | "zeros";

/** Functions that the depthwise kernels of a module share. */
export interface DepthwiseParts {
  readonly size: TiledSize | 0;
  readonly lanes: RegisterLanes;
  readonly features: Features;
  readonly oneByOne: ReturnType<typeof tapByTap>;
  readonly tiles: WindowTiles | undefined;
  /** Of 3 × 3. */
  readonly doubles: DoubleTiles | undefined;
}

/** @param size of the windows that have tiles; 0 for none */
export function depthwiseParts(
  module: ModuleBuilder,
  size: TiledSize | 0,
  features: Features,
  { lanes }: Pick<Tile, "lanes">,
): DepthwiseParts {
  const tiles = size === 0 ? undefined : windowTiles(module, size, features, lanes);
  const doubles = size === 3 ? doubleTiles(module, features, lanes) : undefined;
  return { size, lanes, features, oneByOne: tapByTap(module, features, lanes), tiles, doubles };
}

/**
 * Whether a tile of four outputs reads pixels so far apart that they share few sets of the first cache (32 KB in eight
 * ways), and throw each other's lines out before all channels of those are read. Two outputs take two thirds of the time
 * of four at 512 channels and stride 2, four fifths at 1024 channels; but a tenth more at 512 and stride 1.
 */
export function isCrowded({ channels, strideX }: Record<"channels" | "strideX", Expression<"i32">>): Expression<"i32"> {
  return not(remainder(mul(channels, strideX), 1024));
}

/** The same for two rows of outputs. */
function isFar({ channels }: Pick<KernelScope<RowWord>, "channels">): Expression<"i32"> {
  return not(remainder(channels, 512));
}

/** Whether windows step by one, and hang over by no more than a column of three, on one side. */
function canPair(scope: KernelScope<RowWord>): Expression<"i32"> {
  const right = sub(sub(add(scope.outWidth, 2), scope.left), scope.width);
  return both(both(equal(scope.strideX, 1), below(scope.left, 2)), both(below(right, 2), below(1, scope.width)));
}

/** The addresses of the rows of a window, zeros for those outside the image. */
export interface TileRows {
  /** `walk.row` placed: finds the addresses. */
  readonly place: readonly Statement[];
  /** Of row `u`, before the column under the first tap of `ox`. */
  at(u: number): Expression<"i32">;
}

/** For windows without dilation. */
export function tileRows(scope: KernelScope<RowWord>, walk: WindowWalk, size: number): TileRows {
  const v = locals(scope.local, "i32", "row", "isRow");
  const rows = Array.from({ length: size }, () => locals(scope.local, "i32", "at", "step"));
  const { pixelBytes } = walk;
  return {
    place: rows.flatMap(({ at, step }, u) => [
      put(v.row, add(walk.iy, u)),
      put(v.isRow, inside(v.row, scope.height)),
      put(
        at,
        choose(v.isRow, sub(add(walk.image, mul(v.row, walk.rowBytes)), mul(scope.left, pixelBytes)), scope.zeros),
      ),
      put(step, choose(v.isRow, mul(scope.strideX, pixelBytes), 0)),
    ]),
    at(u) {
      const row = rows[u];
      return row === undefined ? int(0) : add(row.at, mul(walk.ox, row.step));
    },
  };
}

/**
 * Output rows `from` to `to`, counted through the batch; `x` and `y` are the addresses of row 0.
 *
 * With tiles: multiplier 1, no dilation, a square window of their size, one stride of 1 or 2, and at least as many
 * channels as a register has lanes.
 */
export function depthwiseRows(
  { size, lanes, oneByOne, tiles, doubles }: DepthwiseParts,
  scope: KernelScope<RowWord>,
): readonly Statement[] {
  const walk = windowWalk(scope);
  const rows = tileRows(scope, walk, doubles === undefined ? size : size + 1);
  const v = locals(scope.local, "i32", "y", "outBytes", "isCrowded", "isFar", "canPair", "isDone");
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
  const next = (count: number) => [advance(v.y, mul(v.outBytes, count)), advance(ox, count)];
  const pixels = (channelFrom: Expression<"i32">): Statement =>
    loop(ox, scope.outWidth, 0, [...walk.placeColumn, pixel(channelFrom), ...next(1)]);
  const tile = (one: WindowTileFunction): Statement =>
    call(one, {
      ...scope.bounds,
      row0: rows.at(0),
      row1: rows.at(1),
      row2: rows.at(2),
      row3: rows.at(3),
      row4: rows.at(4),
      skipped: mul(v0, pixelBytes),
      w: scope.w,
      y: v.y,
      pixelBytes,
      groups: divide(scope.channels, lanes),
    });
  const rowBytes = mul(v.outBytes, scope.outWidth);
  const double = (one: DoubleTile): Statement =>
    call(one, {
      ...scope.bounds,
      row0: rows.at(0),
      row1: rows.at(1),
      row2: rows.at(2),
      row3: rows.at(3),
      skipped: mul(v0, pixelBytes),
      w: scope.w,
      y: v.y,
      rowBytes,
      pixelBytes,
      groups: divide(scope.channels, lanes),
    });
  /** A row by tiles of each width, of which the widest may not do, and by those of its ends. */
  const columnsBy = (
    isNarrow: Local<"i32">,
    inner: readonly Statement[],
    [left, right, other]: readonly [Statement, Statement, Statement],
  ): Statement =>
    loop(ox, scope.outWidth, 0, [
      ...walk.placeColumn,
      when(
        both(equal(ox, scope.innerFrom), below(ox, scope.innerTo)),
        [
          loopWhile(below(ox, scope.innerTo), [
            inner.reduceRight<Statement>((otherwise, one, i) => {
              const count = sub(scope.innerTo, ox);
              const width = WIDTHS[i] ?? 1;
              return when(
                below(i === 0 ? choose(isNarrow, 0, count) : count, width),
                [otherwise],
                [one, ...next(width)],
              );
            }, []),
          ]),
        ],
        [
          when(
            both(equal(v0, 1), equal(columns, size - 1)),
            [left],
            [when(both(not(v0), equal(columns, size - 1)), [right], [other])],
          ),
          ...next(1),
        ],
      ),
    ]);
  const byTiles = ({ inner, left, right }: WindowTiles): Statement =>
    columnsBy(
      v.isCrowded,
      inner.map(([one, two]) => when(equal(scope.strideX, 1), [tile(one)], [tile(two)])),
      [tile(left), tile(right), pixel(int(0))],
    );
  /** Where the row and the next are of one image and in range, both at once. */
  const byTwo = ({ inner, left, right }: DoubleTiles, single: Statement): Statement =>
    when(
      v.isDone,
      [put(v.isDone, 0), advance(v.y, rowBytes)],
      [
        put(
          v.isDone,
          both(
            v.canPair,
            both(
              below(add(walk.row, 1), scope.to),
              below(add(remainder(walk.row, scope.outHeight), 1), scope.outHeight),
            ),
          ),
        ),
        when(v.isDone, [columnsBy(v.isFar, inner.map(double), [double(left), double(right), []])], [single]),
      ],
    );
  const body = (emitted: WindowTiles): readonly Statement[] => [
    ...rows.place,
    doubles === undefined ? byTiles(emitted) : byTwo(doubles, byTiles(emitted)),
    // Channels left over from whole registers.
    when(remainder(scope.channels, lanes), [
      put(ox, 0),
      advance(v.y, sub(0, rowBytes)),
      pixels(sub(scope.channels, remainder(scope.channels, lanes))),
    ]),
  ];
  return [
    put(v.outBytes, floats(scope.outChannels)),
    ...(tiles === undefined ? [] : [put(v.isCrowded, isCrowded(scope))]),
    ...(doubles === undefined ? [] : [put(v.isFar, isFar(scope)), put(v.isDone, 0), put(v.canPair, canPair(scope))]),
    put(v.y, add(scope.y, mul(mul(scope.from, scope.outWidth), v.outBytes))),
    ...walk.over(tiles === undefined ? [pixels(int(0))] : body(tiles)),
  ];
}
