/**
 * Gradients of pools. Of an average each pixel of a window gets dy divided by the pixels inside the image; of a maximum
 * the first pixel that holds it, by rows and columns, gets all of dy, also where that is NaN. Windows may overlap: dx is set to 0 first, then
 * added to. A global pool is a window of one row as long as the image. The range counts examples.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { type Expression, type ModuleBuilder, op, type Statement, set } from "../assembler/index.ts";
import {
  add,
  advance,
  countDown,
  floats,
  loadLanes,
  locals,
  loop,
  mul,
  overChannels,
  put,
  storeLanes,
  sub,
} from "../emit.ts";
import { WINDOW_WORDS, windowWalk } from "../window.ts";
import { overBlocks, storeBlock } from "./blocks.ts";
import { splat } from "./norm-values.ts";

const EQUAL = [0xfd041, "vv", "v"] as const;
const NOT_EQUAL = [0xfd042, "vv", "v"] as const;
const AND = [0xfd04e, "vv", "v"] as const;
const AND_NOT = [0xfd04f, "vv", "v"] as const;
const OR = [0xfd050, "vv", "v"] as const;

/** Of the words of a window x, which averages do not read, and its geometry count; dy and dx stand beside them. */
export const POOL_GRADIENT = /* @__PURE__ */ argumentBlock(WINDOW_WORDS, ["dy", "dx"]);

export type PoolGradientEntry = "averagePoolGradient" | "maxPoolGradient";

export function poolGradient<Entry extends PoolGradientEntry>(module: ModuleBuilder, entry: Entry) {
  const isMax = entry === "maxPoolGradient";
  return kernel(module, entry, POOL_GRADIENT, (scope) => {
    const walk = windowWalk({
      ...scope,
      x: isMax ? scope.x : scope.dx,
      from: mul(scope.from, scope.outHeight),
      to: mul(scope.to, scope.outHeight),
    });
    const { rows, columns } = walk;
    const v = locals(scope.local, "i32", "dy", "at", "tap", "channel", "u", "v", "toDx", "elements", "start");
    const f = locals(scope.local, "v128", "share", "count", "largest", "taken", "here", "x");
    const overTaps = (body: readonly Statement[]): readonly Statement[] => [
      put(v.at, add(walk.firstTap, floats(v.channel))),
      put(v.u, rows),
      countDown(v.u, [
        put(v.tap, v.at),
        put(v.v, columns),
        countDown(v.v, [...body, advance(v.tap, mul(scope.dilationX, walk.pixelBytes))]),
        advance(v.at, mul(scope.dilationY, walk.rowBytes)),
      ]),
    ];
    const inDx: Expression<"i32"> = isMax ? add(v.tap, v.toDx) : v.tap;
    return [
      put(v.elements, mul(mul(scope.height, scope.width), scope.channels)),
      put(v.start, add(scope.dx, floats(mul(scope.from, v.elements)))),
      ...overBlocks(v.at, mul(sub(scope.to, scope.from), v.elements), [4, 1], (block) => [
        storeBlock(
          block,
          add(v.start, floats(v.at)),
          Array.from({ length: block.vectors }, () => splat(0)),
        ),
      ]),
      put(v.toDx, sub(scope.dx, scope.x)),
      put(v.dy, add(scope.dy, mul(mul(mul(scope.from, scope.outHeight), scope.outWidth), floats(scope.channels)))),
      ...walk.over([
        loop(walk.ox, scope.outWidth, 1, [
          ...walk.placeColumn,
          set(f.count, op("f32x4.splat", op("f32.convert_i32_u", mul(rows, columns)))),
          ...overChannels(v.channel, scope.channels, (lanes) => [
            set(f.share, loadLanes(lanes, add(v.dy, floats(v.channel)))),
            ...(isMax
              ? [
                  set(f.largest, splat(Number.NEGATIVE_INFINITY)),
                  ...overTaps([set(f.largest, op("f32x4.max", f.largest, loadLanes(lanes, v.tap)))]),
                  set(f.taken, splat(0)),
                  ...overTaps([
                    set(f.x, loadLanes(lanes, v.tap)),
                    // Where a pixel is NaN, so is the largest.
                    set(f.here, op(AND_NOT, op(OR, op(EQUAL, f.x, f.largest), op(NOT_EQUAL, f.x, f.x)), f.taken)),
                    set(f.taken, op(OR, f.taken, f.here)),
                    storeLanes(lanes, inDx, op("f32x4.add", loadLanes(lanes, inDx), op(AND, f.share, f.here))),
                  ]),
                ]
              : [
                  set(f.share, op("f32x4.div", f.share, f.count)),
                  ...overTaps([storeLanes(lanes, inDx, op("f32x4.add", loadLanes(lanes, inDx), f.share))]),
                ]),
          ]),
          advance(v.dy, walk.pixelBytes),
        ]),
      ]),
    ];
  });
}
