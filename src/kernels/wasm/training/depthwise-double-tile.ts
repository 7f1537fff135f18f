/**
 * The depthwise tile of 3 × 3 at stride 1 over two rows of outputs: they share two rows of the window, so that each number
 * is loaded for up to six outputs and each weight for twice as many. Each output is the same chain of sums as in
 * `windowTiles`, at 46 GFLOP/s where those come to 38 (relaxed; plain 35 for 32, wide 86 for 70).
 */

import type { ModuleBuilder, WasmFunction } from "../assembler/index.ts";
import { WIDTHS } from "../depthwise-tile.ts";
import {
  accumulate,
  add,
  advance,
  clampBounds,
  countDown,
  type Features,
  loadRegister,
  locals,
  put,
  type RegisterLanes,
  register,
  storeClamped,
} from "../emit.ts";

const SIZE = 3;

const TILE = {
  row0: "i32",
  row1: "i32",
  row2: "i32",
  row3: "i32",
  /** Bytes of the columns of the window that are left out on the left. */
  skipped: "i32",
  w: "i32",
  y: "i32",
  /** Of y. */
  rowBytes: "i32",
  pixelBytes: "i32",
  groups: "i32",
  low: "v128",
  high: "v128",
} as const;
export type DoubleTile = WasmFunction<typeof TILE>;

export interface DoubleTiles {
  /** A tile of each width. */
  readonly inner: readonly DoubleTile[];
  /** One column of outputs whose windows lack their first column, or their last. */
  readonly left: DoubleTile;
  readonly right: DoubleTile;
}

export function doubleTiles(module: ModuleBuilder, features: Features, lanes: RegisterLanes): DoubleTiles {
  const tile = (width: number, from = 0, to = SIZE) => doubleTile(module, width, from, to, features, lanes);
  return { inner: WIDTHS.map((width) => tile(width)), left: tile(1, 1), right: tile(1, 0, SIZE - 1) };
}

/** Two rows of `width` outputs, over the columns `from` to `to` of the window. */
function doubleTile(
  module: ModuleBuilder,
  width: number,
  from: number,
  to: number,
  features: Features,
  lanes: RegisterLanes,
): DoubleTile {
  const side = from > 0 ? "-left" : to < SIZE ? "-right" : "";
  return module.func(`f32-depthwise-double-3s1-${width}${side}`, TILE, (p, local) => {
    const rows = [p.row0, p.row1, p.row2, p.row3];
    // sums[2][4], weights[2][3] of two rows of the window, x: 15 of 15 vectors.
    const sums = [0, 1].map(() => Array.from({ length: width }, () => register(local, lanes)));
    const weights = [0, 1].map(() => Array.from({ length: to - from }, () => register(local, lanes)));
    const x = register(local, lanes);
    const bounds = clampBounds(lanes, p, local);
    const { at } = locals(local, "i32", "at");
    const columns = width - 1 + to - from;
    const group = 4 * lanes;
    return [
      ...rows.map((row) => advance(row, p.skipped)),
      countDown(p.groups, [
        ...sums.flat().map((sum) => loadRegister(sum, p.w, 0)),
        ...rows.flatMap((row, r) => [
          ...(r < SIZE ? (weights[r % 2] ?? []) : []).map((w, i) =>
            loadRegister(w, p.w, group * (1 + r * SIZE + from + i)),
          ),
          put(at, row),
          ...Array.from({ length: columns }, (_, column) => [
            loadRegister(x, at, 0),
            ...(column < columns - 1 ? [advance(at, p.pixelBytes)] : []),
            ...sums.flatMap((outputs, o) => {
              const u = r - o;
              return u < 0 || u >= SIZE
                ? []
                : outputs.flatMap((sum, i) => {
                    const w = weights[u % 2]?.[column - i];
                    return w === undefined ? [] : [accumulate(features, x, w, sum)];
                  });
            }),
          ]).flat(),
        ]),
        bounds.ready,
        ...sums.flatMap((outputs, o) => [
          put(at, o === 0 ? p.y : add(p.y, p.rowBytes)),
          ...outputs.flatMap((sum, i) => [
            storeClamped(lanes, at, sum, bounds),
            ...(i < width - 1 ? [advance(at, p.pixelBytes)] : []),
          ]),
        ]),
        ...rows.map((row) => advance(row, group)),
        advance(p.w, group * (1 + SIZE * SIZE)),
        advance(p.y, group),
      ]),
    ];
  });
}
