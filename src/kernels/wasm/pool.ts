/**
 * Pools over windows. Padding never counts: the average divides by the pixels inside the image, the maximum starts at
 * minus infinity; a window wholly outside gives 0. A global pool is a window of one row as long as the image.
 *
 * The range counts output rows. Sums run over u, then v, in float32, as in the reference loops: the same bits.
 */

import type { GlobalPoolCall, PoolCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { float, type ModuleBuilder, op, set, when } from "./assembler/index.ts";
import {
  add,
  advance,
  countDown,
  floats,
  loadLanes,
  locals,
  loop,
  mul,
  not,
  overChannels,
  put,
  storeLanes,
} from "./emit.ts";
import { type Lowered, NOTHING } from "./lowered.ts";
import { WINDOW_WORDS, windowWalk, windowWords } from "./window.ts";

const POOL = /* @__PURE__ */ argumentBlock(WINDOW_WORDS);

export function pool<Entry extends PoolCall["kernel"]>(module: ModuleBuilder, entry: Entry) {
  const isMax = entry === "maxPool";
  const constant = (value: number) => op("f32x4.splat", float(value));
  return kernel(module, entry, POOL, (scope) => {
    const walk = windowWalk(scope);
    const { rows, columns } = walk;
    const { y, x, tap, channel, u, v } = locals(scope.local, "i32", "y", "x", "tap", "channel", "u", "v");
    const { sum, count } = locals(scope.local, "v128", "sum", "count");
    return [
      put(y, add(scope.y, mul(mul(scope.from, scope.outWidth), floats(scope.channels)))),
      ...walk.over([
        loop(walk.ox, scope.outWidth, 1, [
          ...walk.placeColumn,
          set(count, op("f32x4.splat", op("f32.convert_i32_u", mul(rows, columns)))),
          ...overChannels(channel, scope.channels, (lanes) => [
            set(sum, constant(isMax ? Number.NEGATIVE_INFINITY : 0)),
            put(x, add(walk.firstTap, floats(channel))),
            put(u, rows),
            countDown(u, [
              put(tap, x),
              put(v, columns),
              countDown(v, [
                set(sum, op(isMax ? "f32x4.max" : "f32x4.add", sum, loadLanes(lanes, tap))),
                advance(tap, mul(scope.dilationX, walk.pixelBytes)),
              ]),
              advance(x, mul(scope.dilationY, walk.rowBytes)),
            ]),
            ...(isMax ? [] : [set(sum, op("f32x4.div", sum, count))]),
            when(not(mul(rows, columns)), [set(sum, constant(0))]),
            storeLanes(lanes, add(y, floats(channel)), sum),
          ]),
          advance(y, walk.pixelBytes),
        ]),
      ]),
    ];
  });
}

export function lowerPool({ kernel, window, channels }: PoolCall): Lowered<"pool", PoolCall["kernel"]> {
  return {
    ...NOTHING,
    module: "pool",
    entry: kernel,
    units: window.output[0],
    unitElements: window.output[1] * channels,
    ...POOL.of(() => ({ ...windowWords(window, channels, channels), bias: 0 })),
  };
}

export function lowerGlobalPool({ kernel, pixels, channels }: GlobalPoolCall): Lowered<"pool", PoolCall["kernel"]> {
  return lowerPool({
    kernel: kernel === "globalMaxPool" ? "maxPool" : "averagePool",
    channels,
    window: {
      kernel: [1, pixels],
      stride: [1, 1],
      dilation: [1, 1],
      input: [1, pixels],
      output: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
    },
  });
}
