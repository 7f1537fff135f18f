/**
 * Functions of the input gradient of a depthwise layer, over some pixels of a row of dx. Sums run over u, v, m in order
 * in both, from 0. Weights lie in groups with the last tap first.
 */

import { float, type ModuleBuilder, op, set, type WasmFunction, when } from "../assembler/index.ts";
import {
  accumulate,
  add,
  advance,
  both,
  countDown,
  divide,
  equal,
  type Features,
  floats,
  inside,
  type Lanes,
  loadLanes,
  loadRegister,
  locals,
  loop,
  mul,
  multiplyAdd,
  not,
  put,
  type Register,
  type RegisterLanes,
  register,
  remainder,
  storeLanes,
  sub,
} from "../emit.ts";
import { storeVectors } from "./store-vectors.ts";

/** Pairs of columns in a tile. */
export const PAIRS = [4, 2, 1] as const;

const PAIR_TILE = {
  /** Addresses in the rows of dz, of the column before the first pair's: with tap 0 of an even row, or 1 of an odd one. */
  row0: "i32",
  /** The row before, with tap 2; of even rows. */
  row1: "i32",
  w: "i32",
  y: "i32",
  pixelBytes: "i32",
  groups: "i32",
} as const;
export type PairTile = WasmFunction<typeof PAIR_TILE>;

export interface PairTiles {
  /** By `PAIRS`: for even and odd rows. */
  readonly inner: readonly (readonly [PairTile, PairTile])[];
  /** One pair that has no column before it. */
  readonly first: readonly [PairTile, PairTile];
}

/** Tiles of a window of 3 × 3 at stride 2. */
export function pairTiles(module: ModuleBuilder, features: Features, lanes: RegisterLanes): PairTiles {
  const both = (pairs: number, isFirst: boolean) =>
    [
      pairTile(module, pairs, [0, 2], isFirst, features, lanes),
      pairTile(module, pairs, [1], isFirst, features, lanes),
    ] as const;
  return { inner: PAIRS.map((pairs) => both(pairs, false)), first: both(1, true) };
}

/** The left of a pair takes tap 0 of its own column of dz and tap 2 of the one before, the right one takes tap 1. */
function pairTile(
  module: ModuleBuilder,
  pairs: number,
  taps: readonly number[],
  isFirst: boolean,
  features: Features,
  lanes: RegisterLanes,
): PairTile {
  const name = `f32-depthwise-gradient-3s2-${pairs}-${taps.length === 2 ? "even" : "odd"}${isFirst ? "-first" : ""}`;
  return module.func(name, PAIR_TILE, (p, local) => {
    const { y } = locals(local, "i32", "y");
    const group = 4 * lanes;
    const zero = register(local, lanes);
    const sum = register(local, lanes);
    const rows = taps.map((u, i) => ({
      from: i === 0 ? p.row0 : p.row1,
      at: local("i32"),
      weights: [0, 1, 2].map((v) => ({ w: register(local, lanes), offset: group * (1 + (2 - u) * 3 + 2 - v) })),
      columns: [register(local, lanes), register(local, lanes)],
    }));
    const madd = (z: Register | undefined, w: Register | undefined) =>
      z === undefined || w === undefined ? [] : [accumulate(features, z, w, sum)];
    const clear = sum.map((vector, j) => set(vector, zero[j] ?? vector));
    return [
      countDown(p.groups, [
        // In place of a bias; V8 joins loads, and no constants.
        loadRegister(zero, p.w, 0),
        ...rows.flatMap(({ from, at, weights, columns: [, before] }) => [
          ...weights.map(({ w, offset }) => loadRegister(w, p.w, offset)),
          put(at, from),
          ...(isFirst || before === undefined ? [] : [loadRegister(before, at, 0)]),
        ]),
        put(y, p.y),
        ...Array.from({ length: pairs }, (_, pair) => {
          const [now, past] = [pair % 2, 1 - (pair % 2)];
          const hasBefore = !(isFirst && pair === 0);
          return [
            ...rows.flatMap(({ at, columns }) => {
              const column = columns[now];
              return [advance(at, p.pixelBytes), ...(column === undefined ? [] : [loadRegister(column, at, 0)])];
            }),
            ...clear,
            ...rows.flatMap(({ columns, weights }) => [
              ...madd(columns[now], weights[0]?.w),
              ...(hasBefore ? madd(columns[past], weights[2]?.w) : []),
            ]),
            storeVectors(lanes, y, 0, sum),
            advance(y, p.pixelBytes),
            ...clear,
            ...rows.flatMap(({ columns, weights }) => madd(columns[now], weights[1]?.w)),
            storeVectors(lanes, y, 0, sum),
            ...(pair < pairs - 1 ? [advance(y, p.pixelBytes)] : []),
          ];
        }).flat(),
        ...rows.map(({ from }) => advance(from, group)),
        advance(p.w, group * 10),
        advance(p.y, group),
      ]),
    ];
  });
}

const TAPS = {
  /** The image of dz. */
  z: "i32",
  w: "i32",
  dx: "i32",
  channelFrom: "i32",
  /** Of dx. */
  channels: "i32",
  multiplier: "i32",
  /** Output row · stride under tap 0, and column; others are a dilation less, tap by tap. */
  atY: "i32",
  atX: "i32",
  outHeight: "i32",
  outWidth: "i32",
  kernelHeight: "i32",
  kernelWidth: "i32",
  strideY: "i32",
  strideX: "i32",
  dilationY: "i32",
  dilationX: "i32",
} as const;

/** One pixel of dx, one tap after the other: any window. */
export function gradientTapByTap(module: ModuleBuilder, features: Features, registerLanes: RegisterLanes) {
  return module.func("f32-depthwise-gradient-tap-by-tap", TAPS, (p, local) => {
    const names = [
      "channel",
      "u",
      "v",
      "atX",
      "row",
      "z",
      "w",
      "at",
      "m",
      "k",
      "zBytes",
      "taps",
      "groupBytes",
    ] as const;
    const x = locals(local, "i32", ...names);
    const sum = local("v128");
    const group = 4 * registerLanes;
    // What is negative is too large without its sign.
    const isUnder = (at: typeof x.atX, stride: typeof p.strideY, size: typeof p.outHeight) =>
      both(not(remainder(at, stride)), inside(divide(at, stride), size));
    const dxAt = add(p.dx, floats(x.channel));
    const weightAt = (k: typeof x.k) =>
      add(x.w, add(mul(divide(k, registerLanes), x.groupBytes), floats(remainder(k, registerLanes))));
    const channel = (lanes: Lanes, multiplier: readonly ReturnType<typeof loop>[]) => [
      put(x.at, dxAt),
      set(sum, loadLanes(lanes, x.at)),
      ...multiplier,
      storeLanes(lanes, x.at, sum),
    ];
    const term = (lanes: Lanes, k: typeof x.k) =>
      set(sum, multiplyAdd(features, loadLanes(lanes, add(x.z, floats(k))), loadLanes(lanes, weightAt(k)), sum));
    const overLanes = (body: (lanes: Lanes) => ReturnType<typeof channel>) => [
      put(x.channel, p.channelFrom),
      loop(x.channel, sub(p.channels, 3), 4, body(4)),
      loop(x.channel, p.channels, 1, body(1)),
    ];
    return [
      ...overLanes((lanes) => [storeLanes(lanes, dxAt, op("f32x4.splat", float(0)))]),
      put(x.taps, mul(p.kernelHeight, p.kernelWidth)),
      put(x.groupBytes, mul(add(x.taps, 1), group)),
      put(x.zBytes, floats(mul(p.channels, p.multiplier))),
      // Bias, and taps behind the one of (u, v): those in front of it in the window.
      put(x.w, add(p.w, mul(x.taps, group))),
      put(x.u, 0),
      loop(x.u, p.kernelHeight, 1, [
        put(x.row, add(p.z, mul(mul(divide(p.atY, p.strideY), p.outWidth), x.zBytes))),
        put(x.atX, p.atX),
        put(x.v, 0),
        loop(x.v, p.kernelWidth, 1, [
          when(both(isUnder(p.atY, p.strideY, p.outHeight), isUnder(x.atX, p.strideX, p.outWidth)), [
            put(x.z, add(x.row, mul(divide(x.atX, p.strideX), x.zBytes))),
            when(
              equal(p.multiplier, 1),
              overLanes((lanes) => channel(lanes, [term(lanes, x.channel)])),
              [
                put(x.channel, p.channelFrom),
                loop(
                  x.channel,
                  p.channels,
                  1,
                  channel(1, [
                    put(x.k, mul(x.channel, p.multiplier)),
                    put(x.m, p.multiplier),
                    countDown(x.m, [term(1, x.k), advance(x.k, 1)]),
                  ]),
                ),
              ],
            ),
          ]),
          advance(x.atX, sub(0, p.dilationX)),
          advance(x.w, -group),
        ]),
        advance(p.atY, sub(0, p.dilationY)),
      ]),
    ];
  });
}
