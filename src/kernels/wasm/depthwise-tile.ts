/**
 * The depthwise tile: outputs side by side in a row × a register of channels, four or eight. A window that hangs over on the left
 * or right by one column is a tile of its own.
 */

import type { ModuleBuilder, WasmFunction } from "./assembler/index.ts";
import {
  accumulate,
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
} from "./emit.ts";

/** Sizes of windows that have tiles: square, undilated, with stride 1 or 2 on both axes. */
export type TiledSize = 3 | 5;

/** Outputs in a tile. */
export const WIDTHS = [4, 2, 1] as const;
/** Most columns that a tile reads of one row: four outputs at stride 2 of a window of five. */
export const DEPTHWISE_REACH = 11;

/** One address for each row of the largest window; a smaller one leaves the last unused. */
export const ROWS = ["row0", "row1", "row2", "row3", "row4"] as const;

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
export type WindowTileFunction = WasmFunction<typeof TILE>;

export interface TileSet<Tile> {
  /** A tile of each width, for stride 1 and stride 2. */
  readonly inner: readonly (readonly [Tile, Tile])[];
  /** One output whose window lacks its first column, or its last. */
  readonly left: Tile;
  readonly right: Tile;
}

/** `make`: `width` outputs, over the columns `from` to `to` of the window. */
export function tileSet<Tile>(
  size: TiledSize,
  make: (stride: number, width: number, from: number, to: number) => Tile,
): TileSet<Tile> {
  const lone = make(1, 1, 0, size);
  return {
    inner: WIDTHS.map((width) => (width === 1 ? [lone, lone] : [make(1, width, 0, size), make(2, width, 0, size)])),
    left: make(1, 1, 1, size),
    right: make(1, 1, 0, size - 1),
  };
}

export type WindowTiles = TileSet<WindowTileFunction>;

export function windowTiles(
  module: ModuleBuilder,
  size: TiledSize,
  features: Features,
  lanes: RegisterLanes,
): WindowTiles {
  return tileSet(size, (stride, width, from, to) => windowTile(module, size, stride, width, from, to, features, lanes));
}

/** `width` outputs, over the columns `from` to `to` of the window; `skipped` is the bytes of those before `from`. */
function windowTile(
  module: ModuleBuilder,
  size: TiledSize,
  stride: number,
  width: number,
  from: number,
  to: number,
  features: Features,
  lanes: RegisterLanes,
): WindowTileFunction {
  const side = from > 0 ? "-left" : to < size ? "-right" : "";
  return module.func(`f32-depthwise-${size}s${stride}-${width}${side}`, TILE, (p, local) => {
    const rows = ROWS.slice(0, size).map((name) => p[name]);
    const sums = Array.from({ length: width }, () => register(local, lanes));
    const weights = Array.from({ length: to - from }, () => register(local, lanes));
    const x = register(local, lanes);
    const bounds = clampBounds(lanes, p, local);
    const { at } = locals(local, "i32", "at");
    const columns = (width - 1) * stride + to - from;
    const group = 4 * lanes;
    return [
      ...rows.map((row) => advance(row, p.skipped)),
      countDown(p.groups, [
        ...sums.map((sum) => loadRegister(sum, p.w, 0)),
        ...rows.flatMap((row, u) => [
          ...weights.map((w, i) => loadRegister(w, p.w, group * (1 + u * size + from + i))),
          put(at, row),
          ...Array.from({ length: columns }, (_, column) => [
            loadRegister(x, at, 0),
            ...(column < columns - 1 ? [advance(at, p.pixelBytes)] : []),
            ...sums.flatMap((sum, i) => {
              const w = weights[column - i * stride];
              return w === undefined ? [] : [accumulate(features, x, w, sum)];
            }),
          ]).flat(),
        ]),
        put(at, p.y),
        bounds.ready,
        ...sums.flatMap((sum, i) => [
          storeClamped(lanes, at, sum, bounds),
          ...(i < width - 1 ? [advance(at, p.pixelBytes)] : []),
        ]),
        ...rows.map((row) => advance(row, group)),
        advance(p.w, group * (1 + size * size)),
        advance(p.y, group),
      ]),
    ];
  });
}
