/** Batch norm that was not folded: y[p, c] = clamp(x[p, c] · w[c] + bias[c]), rounded twice. The range counts pixels. */

import type { ScaleShiftCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { type Expression, type ModuleBuilder, op } from "./assembler/index.ts";
import { add, clamp, floats, loadLanes, locals, loop, mul, overChannels, put, storeLanes } from "./emit.ts";
import { type Lowered, NOTHING } from "./lowered.ts";
import { factorPacking } from "./pack.ts";

const SCALE_SHIFT = /* @__PURE__ */ argumentBlock(["x", "w", "bias", "y", "channels"]);

export function scaleShift(module: ModuleBuilder) {
  return kernel(module, "scaleShift", SCALE_SHIFT, (scope) => {
    const { pixel, at, channel } = locals(scope.local, "i32", "pixel", "at", "channel");
    return [
      put(pixel, scope.from),
      loop(pixel, scope.to, 1, [
        put(at, mul(pixel, scope.channels)),
        ...overChannels(channel, scope.channels, (lanes) => {
          const load = (base: Expression<"i32">, index: Expression<"i32">) =>
            loadLanes(lanes, add(base, floats(index)));
          const product = op("f32x4.mul", load(scope.x, add(at, channel)), load(scope.w, channel));
          const sum = op("f32x4.add", product, load(scope.bias, channel));
          return [storeLanes(lanes, add(scope.y, floats(add(at, channel))), clamp(sum, scope.bounds))];
        }),
      ]),
    ];
  });
}

export function lowerScaleShift({
  pixels,
  channels,
  activation,
}: ScaleShiftCall): Lowered<"elementwise", "scaleShift"> {
  return {
    ...NOTHING,
    module: "elementwise",
    entry: "scaleShift",
    units: pixels,
    unitElements: channels,
    weights: factorPacking(channels),
    ...SCALE_SHIFT.of(({ weights }) => ({ bias: weights + 4 * channels, channels }), activation),
  };
}
