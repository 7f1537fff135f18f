/** A row of depthwise outputs by tiles: where the rows under it lie, and which tile takes which columns. */

import type { KernelScope } from "../arguments.ts";
import { type Expression, int, type Local, type Statement, when } from "../assembler/index.ts";
import { WIDTHS } from "../depthwise-tile.ts";
import {
  add,
  below,
  both,
  choose,
  equal,
  inside,
  locals,
  loop,
  loopWhile,
  mul,
  not,
  put,
  remainder,
  sub,
} from "../emit.ts";
import type { WINDOW_WORDS, WindowWalk } from "../window.ts";

/** What the loops over rows read of their words. */
export type RowScope = KernelScope<(typeof WINDOW_WORDS)[number] | "multiplier" | "zeros">;

/** The addresses of the rows of a window, zeros for those outside the image. */
export interface TileRows {
  /** `walk.row` placed: finds the addresses. */
  readonly place: readonly Statement[];
  /** Of row `u`, before the column under the first tap of `ox`. */
  at(u: number): Expression<"i32">;
}

/** For windows without dilation, of so many rows. */
export function tileRows(scope: RowScope, walk: WindowWalk, count: number): TileRows {
  const v = locals(scope.local, "i32", "row", "isRow");
  const rows = Array.from({ length: count }, () => locals(scope.local, "i32", "at", "step"));
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
 * Whether a tile of four outputs reads pixels so far apart that they share few sets of the first cache (32 KB in eight
 * ways), and throw each other's lines out before all channels of those are read. Two outputs take two thirds of the time
 * of four at 512 channels and stride 2, four fifths at 1024 channels; but a tenth more at 512 and stride 1.
 */
export function isCrowded({ channels, strideX }: Pick<RowScope, "channels" | "strideX">): Expression<"i32"> {
  return not(remainder(mul(channels, strideX), 1024));
}

/** What takes the outputs of a row from `ox` on: so many as `WIDTHS` says, or one. */
export interface ColumnTiles {
  readonly inner: readonly Statement[];
  /** One output whose window lacks its first column, or its last. */
  readonly left: Statement;
  readonly right: Statement;
  /** Whatever else hangs over. */
  readonly other: Statement;
  /** Not 0 where the widest may not do. */
  readonly isNarrow: Local<"i32">;
  /** Goes on by so many outputs. */
  next(count: number): readonly Statement[];
}

/** All columns of a row, from 0. */
export function tiledColumns(
  scope: RowScope,
  { ox, v0, columns, placeColumn }: WindowWalk,
  size: number,
  { inner, left, right, other, isNarrow, next }: ColumnTiles,
): Statement {
  const rest = sub(scope.innerTo, ox);
  const chosen = inner.reduceRight<Statement>((narrower, one, i) => {
    const width = WIDTHS[i] ?? 1;
    return when(below(i === 0 ? choose(isNarrow, 0, rest) : rest, width), [narrower], [one, ...next(width)]);
  }, []);
  const lacksOne = equal(columns, size - 1);
  return loop(ox, scope.outWidth, 0, [
    ...placeColumn,
    when(
      both(equal(ox, scope.innerFrom), below(ox, scope.innerTo)),
      [loopWhile(below(ox, scope.innerTo), [chosen])],
      [when(both(equal(v0, 1), lacksOne), [left], [when(both(not(v0), lacksOne), [right], [other])]), ...next(1)],
    ),
  ]);
}
