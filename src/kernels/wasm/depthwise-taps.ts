/** Depthwise convolution of one output pixel, one tap after the other: any window. */

import { type ModuleBuilder, type Statement, set, when } from "./assembler/index.ts";
import {
  add,
  advance,
  clamp,
  countDown,
  divide,
  equal,
  type Features,
  floats,
  loadLanes,
  locals,
  loop,
  mul,
  multiplyAdd,
  put,
  type RegisterLanes,
  remainder,
  storeLanes,
  sub,
} from "./emit.ts";

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

export function tapByTap(module: ModuleBuilder, features: Features, registerLanes: RegisterLanes) {
  return module.func("f32-depthwise-tap-by-tap", TAPS, (p, local) => {
    const v = locals(local, "i32", "channel", "w", "x", "tap", "row", "column");
    const sum = local("v128");
    const group = 4 * registerLanes;
    const channel = (lanes: 4 | 1): readonly Statement[] => [
      put(
        v.w,
        add(
          add(p.w, mul(divide(v.channel, registerLanes), mul(add(p.taps, 1), group))),
          floats(remainder(v.channel, registerLanes)),
        ),
      ),
      set(sum, loadLanes(lanes, v.w)),
      advance(v.w, mul(add(p.firstTap, 1), group)),
      put(v.x, add(p.x, floats(divide(v.channel, p.multiplier)))),
      put(v.row, p.rows),
      countDown(v.row, [
        put(v.tap, v.x),
        put(v.column, p.columns),
        countDown(v.column, [
          set(sum, multiplyAdd(features, loadLanes(lanes, v.tap), loadLanes(lanes, v.w), sum)),
          advance(v.tap, p.columnStep),
          advance(v.w, group),
        ]),
        advance(v.x, p.rowStep),
        advance(v.w, mul(sub(p.kernelWidth, p.columns), group)),
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
