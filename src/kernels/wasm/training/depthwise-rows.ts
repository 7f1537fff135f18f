/**
 * The forward loops of inference (`depthwise.ts`) over rows wherever they lie: also the input gradient at stride 1, which
 * is the convolution of dz with the taps in reverse.
 */

import { call, type Expression, int, type ModuleBuilder, type Statement, when } from "../assembler/index.ts";
import { tapByTap } from "../depthwise-taps.ts";
import { type TiledSize, type WindowTileFunction, type WindowTiles, windowTiles } from "../depthwise-tile.ts";
import {
  add,
  advance,
  below,
  both,
  divide,
  equal,
  type Features,
  floats,
  locals,
  loop,
  mul,
  not,
  put,
  type RegisterLanes,
  remainder,
  sub,
} from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { windowWalk } from "../window.ts";
import { isCrowded, type RowScope, tiledColumns, tileRows } from "./depthwise-columns.ts";
import { type DoubleTile, type DoubleTiles, doubleTiles } from "./depthwise-double-tile.ts";

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

/** `isCrowded` for two rows of outputs. */
function isFar({ channels }: Pick<RowScope, "channels">): Expression<"i32"> {
  return not(remainder(channels, 512));
}

/** Whether windows step by one, and hang over by no more than a column of three, on one side. */
function canPair(scope: RowScope): Expression<"i32"> {
  const right = sub(sub(add(scope.outWidth, 2), scope.left), scope.width);
  return both(both(equal(scope.strideX, 1), below(scope.left, 2)), both(below(right, 2), below(1, scope.width)));
}

/**
 * Output rows `from` to `to`, counted through the batch; `x` and `y` are the addresses of row 0.
 *
 * With tiles: multiplier 1, no dilation, a square window of their size, one stride of 1 or 2, and at least as many
 * channels as a register has lanes.
 */
export function depthwiseRows(
  { size, lanes, oneByOne, tiles, doubles }: DepthwiseParts,
  scope: RowScope,
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
  const byTiles = ({ inner, left, right }: WindowTiles): Statement =>
    tiledColumns(scope, walk, size, {
      inner: inner.map(([one, two]) => when(equal(scope.strideX, 1), [tile(one)], [tile(two)])),
      left: tile(left),
      right: tile(right),
      other: pixel(int(0)),
      isNarrow: v.isCrowded,
      next,
    });
  /** Where the row and the next are of one image and in range, both at once. */
  const byTwo = ({ inner, left, right }: DoubleTiles, single: Statement): Statement => {
    const pair = tiledColumns(scope, walk, size, {
      inner: inner.map(double),
      left: double(left),
      right: double(right),
      other: [],
      isNarrow: v.isFar,
      next,
    });
    return when(
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
        when(v.isDone, [pair], [single]),
      ],
    );
  };
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
    ...(doubles === undefined ? [] : [put(v.isFar, isFar(scope)), put(v.canPair, canPair(scope))]),
    put(v.y, add(scope.y, mul(mul(scope.from, scope.outWidth), v.outBytes))),
    ...walk.over(tiles === undefined ? [pixels(int(0))] : body(tiles)),
  ];
}
