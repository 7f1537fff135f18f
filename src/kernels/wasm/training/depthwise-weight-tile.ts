/**
 * Functions of the weight gradient of a depthwise layer: some outputs of a row × channels, added to sums
 * `[⌈channels / lanes⌉][taps][lanes]`.
 */

import { type ModuleBuilder, type WasmFunction, when } from "../assembler/index.ts";
import { ROWS, type TiledSize, type TileSet, tileSet } from "../depthwise-tile.ts";
import {
  accumulate,
  add,
  advance,
  countDown,
  divide,
  equal,
  type Features,
  floats,
  type Lanes,
  loadLanes,
  loadRegister,
  locals,
  loop,
  mul,
  multiplyAdd,
  put,
  type RegisterLanes,
  register,
  remainder,
  storeLanes,
  sub,
} from "../emit.ts";
import { storeVectors } from "./store-vectors.ts";

const TILE = {
  row0: "i32",
  row1: "i32",
  row2: "i32",
  row3: "i32",
  row4: "i32",
  skipped: "i32",
  z: "i32",
  sums: "i32",
  pixelBytes: "i32",
  groups: "i32",
} as const;
export type WeightTile = WasmFunction<typeof TILE>;

export type WeightTiles = TileSet<WeightTile>;

export function weightTiles(
  module: ModuleBuilder,
  size: TiledSize,
  features: Features,
  lanes: RegisterLanes,
): WeightTiles {
  return tileSet(size, (stride, width, from, to) => weightTile(module, size, stride, width, from, to, features, lanes));
}

/** `width` outputs, over the columns `from` to `to` of the window; `skipped` is the bytes of those before `from`. */
function weightTile(
  module: ModuleBuilder,
  size: TiledSize,
  stride: number,
  width: number,
  from: number,
  to: number,
  features: Features,
  lanes: RegisterLanes,
): WeightTile {
  const side = from > 0 ? "-left" : to < size ? "-right" : "";
  return module.func(`f32-depthwise-weights-${size}s${stride}-${width}${side}`, TILE, (p, local) => {
    const rows = ROWS.slice(0, size).map((name) => p[name]);
    // z[4], sums[3 or 5] and x: 8 of 15 vectors, or 10.
    const z = Array.from({ length: width }, () => register(local, lanes));
    const sums = Array.from({ length: to - from }, () => register(local, lanes));
    const x = register(local, lanes);
    const { at } = locals(local, "i32", "at");
    const columns = (width - 1) * stride + to - from;
    const group = 4 * lanes;
    return [
      ...rows.map((row) => advance(row, p.skipped)),
      countDown(p.groups, [
        put(at, p.z),
        ...z.flatMap((one, i) => [loadRegister(one, at, 0), ...(i < width - 1 ? [advance(at, p.pixelBytes)] : [])]),
        ...rows.flatMap((row, u) => {
          const first = group * (u * size + from);
          return [
            ...sums.map((sum, v) => loadRegister(sum, p.sums, first + group * v)),
            put(at, row),
            ...Array.from({ length: columns }, (_, column) => [
              loadRegister(x, at, 0),
              ...(column < columns - 1 ? [advance(at, p.pixelBytes)] : []),
              ...sums.flatMap((sum, v) => {
                const one = (column - v) % stride === 0 ? z[(column - v) / stride] : undefined;
                return one === undefined ? [] : [accumulate(features, x, one, sum)];
              }),
            ]).flat(),
            storeVectors(lanes, p.sums, first, sums.flat()),
          ];
        }),
        ...rows.map((row) => advance(row, group)),
        advance(p.z, group),
        advance(p.sums, group * size * size),
      ]),
    ];
  });
}

const TAPS = {
  x: "i32",
  z: "i32",
  sums: "i32",
  /** Output channels. */
  channelFrom: "i32",
  channelTo: "i32",
  multiplier: "i32",
  /** Taps inside the image, and the first of them. */
  rows: "i32",
  columns: "i32",
  firstTap: "i32",
  kernelWidth: "i32",
  taps: "i32",
  rowStep: "i32",
  columnStep: "i32",
} as const;

/** One output pixel, one tap after the other: any window. */
export function weightTapByTap(module: ModuleBuilder, features: Features, registerLanes: RegisterLanes) {
  return module.func("f32-depthwise-weights-tap-by-tap", TAPS, (p, local) => {
    const v = locals(local, "i32", "channel", "sums", "x", "row", "column", "at", "groupBytes");
    const group = 4 * registerLanes;
    const channel = (lanes: Lanes) => [
      put(
        v.at,
        add(
          v.sums,
          add(mul(divide(v.channel, registerLanes), v.groupBytes), floats(remainder(v.channel, registerLanes))),
        ),
      ),
      storeLanes(
        lanes,
        v.at,
        multiplyAdd(
          features,
          loadLanes(lanes, add(v.x, floats(divide(v.channel, p.multiplier)))),
          loadLanes(lanes, add(p.z, floats(v.channel))),
          loadLanes(lanes, v.at),
        ),
      ),
    ];
    return [
      put(v.groupBytes, mul(p.taps, group)),
      put(v.sums, add(p.sums, mul(p.firstTap, group))),
      put(v.row, p.rows),
      countDown(v.row, [
        put(v.x, p.x),
        put(v.column, p.columns),
        countDown(v.column, [
          put(v.channel, p.channelFrom),
          when(equal(p.multiplier, 1), [loop(v.channel, sub(p.channelTo, 3), 4, channel(4))]),
          loop(v.channel, p.channelTo, 1, channel(1)),
          advance(v.x, p.columnStep),
          advance(v.sums, group),
        ]),
        advance(p.x, p.rowStep),
        advance(v.sums, mul(sub(p.kernelWidth, p.columns), group)),
      ]),
    ];
  });
}
