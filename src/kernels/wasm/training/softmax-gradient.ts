/** dx = y · (dy − Σ dy · y) of each row of a softmax; the sum runs in float64. The range counts rows. */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, float, type ModuleBuilder, op, set } from "../assembler/index.ts";
import { add, floats, loadLanes, locals, loop, mul, overChannels, put, storeLanes } from "../emit.ts";
import { F64_MUL } from "./doubles.ts";

export const SOFTMAX_GRADIENT = /* @__PURE__ */ argumentBlock(["dy", "y", "dx", "channels"]);

export function softmaxGradient(module: ModuleBuilder) {
  return kernel(module, "softmaxGradient", SOFTMAX_GRADIENT, (scope) => {
    const v = locals(scope.local, "i32", "row", "rowBytes", "channel", "dy", "y", "dx");
    const sum = scope.local("f64");
    const total = scope.local("v128");
    const double = (address: typeof v.dy) =>
      op("f64.promote_f32", access("f32.load", 0, add(address, floats(v.channel))));
    return [
      put(v.row, scope.from),
      loop(v.row, scope.to, 1, [
        put(v.rowBytes, floats(mul(v.row, scope.channels))),
        put(v.dy, add(scope.dy, v.rowBytes)),
        put(v.y, add(scope.y, v.rowBytes)),
        put(v.dx, add(scope.dx, v.rowBytes)),
        set(sum, op("f64.promote_f32", float(0))),
        put(v.channel, 0),
        loop(v.channel, scope.channels, 1, [set(sum, op("f64.add", sum, op(F64_MUL, double(v.dy), double(v.y))))]),
        set(total, op("f32x4.splat", op("f32.demote_f64", sum))),
        ...overChannels(v.channel, scope.channels, (lanes) => {
          const at = (address: typeof v.dy) => add(address, floats(v.channel));
          const slope = op("f32x4.sub", loadLanes(lanes, at(v.dy)), total);
          return [storeLanes(lanes, at(v.dx), op("f32x4.mul", loadLanes(lanes, at(v.y)), slope))];
        }),
      ]),
    ];
  });
}
