/**
 * Softmax of each row: e^(x − max) / Σ e^(x − max). The range counts rows.
 *
 * e^z for z ≤ 0 is 2^n · e^r with n = round(z / ln 2), |r| ≤ ln 2 / 2, and a polynomial of degree 6 for e^r; the
 * coefficients are those of Cephes' `expf` (Moshier 1992), within 2 units in the last place. The sum runs in float64.
 * NaN and infinities behave as in the reference loops.
 */

import type { SoftmaxCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { access, type Expression, extractLane, float, int, type ModuleBuilder, op, set } from "./assembler/index.ts";
import { add, floats, type Lanes, loadLanes, locals, loop, mul, overChannels, put, storeLanes } from "./emit.ts";
import { type Lowered, NOTHING } from "./lowered.ts";

const SOFTMAX = /* @__PURE__ */ argumentBlock(["x", "y", "channels"]);

const POLYNOMIAL = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
/** ln 2 in two parts: n times the first is exact. */
const LN2 = [0.693359375, -2.1219444e-4] as const;
/** e^−104 is below half the smallest float32. */
const LEAST = -104;
/** 2^n is made 2^64 too large and brought back by a product, so that results below 2^−126 round as they should. */
const SPARE_BITS = 64;

export function softmax(module: ModuleBuilder) {
  return kernel(module, "softmax", SOFTMAX, (scope) => {
    const v = locals(scope.local, "i32", "row", "x", "y", "at");
    const { largest, z, n, power, total } = locals(scope.local, "v128", "largest", "z", "n", "power", "total");
    const sum = scope.local("f64");
    const constant = (value: number) => op("f32x4.splat", float(value));
    const minus = (a: Expression<"v128">, b: Expression<"v128">) => op("f32x4.sub", a, b);
    const times = (a: Expression<"v128">, b: Expression<"v128">) => op("f32x4.mul", a, b);
    const plus = (a: Expression<"v128">, b: Expression<"v128">) => op("f32x4.add", a, b);
    const exponent = op(
      "i32x4.shl",
      op("i32x4.add", op("i32x4.trunc_sat_f32x4_s", n), op("i32x4.splat", int(127 + SPARE_BITS))),
      int(23),
    );
    const [first = 0, ...others] = POLYNOMIAL;
    // A lone channel is spread over the vector, so that the other lanes do not hold a 0 that could be the largest.
    const load = (lanes: Lanes) =>
      lanes === 4 ? loadLanes(4, add(v.x, floats(v.at))) : access("v128.load32_splat", 0, add(v.x, floats(v.at)));
    const over = (body: Parameters<typeof overChannels>[2]) => overChannels(v.at, scope.channels, body);
    return [
      put(v.row, scope.from),
      loop(v.row, scope.to, 1, [
        put(v.x, add(scope.x, floats(mul(v.row, scope.channels)))),
        put(v.y, add(scope.y, floats(mul(v.row, scope.channels)))),
        set(largest, constant(Number.NEGATIVE_INFINITY)),
        ...over((lanes) => [set(largest, op("f32x4.max", largest, load(lanes)))]),
        set(
          largest,
          op(
            "f32x4.splat",
            op(
              "f32.max",
              op("f32.max", extractLane(largest, 0), extractLane(largest, 1)),
              op("f32.max", extractLane(largest, 2), extractLane(largest, 3)),
            ),
          ),
        ),
        ...over((lanes) => [
          set(z, op("f32x4.pmax", minus(load(lanes), largest), constant(LEAST))),
          set(n, op("f32x4.nearest", times(z, constant(Math.LOG2E)))),
          set(z, minus(minus(z, times(n, constant(LN2[0]))), times(n, constant(LN2[1])))),
          set(power, constant(first)),
          ...others.map((coefficient) => set(power, plus(times(power, z), constant(coefficient)))),
          set(power, plus(plus(times(times(power, z), z), z), constant(1))),
          set(power, times(times(power, exponent), constant(2 ** -SPARE_BITS))),
          storeLanes(lanes, add(v.y, floats(v.at)), power),
        ]),
        set(sum, op("f64.promote_f32", float(0))),
        put(v.at, 0),
        loop(v.at, scope.channels, 1, [
          set(sum, op("f64.add", sum, op("f64.promote_f32", access("f32.load", 0, add(v.y, floats(v.at)))))),
        ]),
        set(total, op("f32x4.splat", op("f32.demote_f64", sum))),
        ...over((lanes) => {
          const at = add(v.y, floats(v.at));
          return [storeLanes(lanes, at, op("f32x4.div", loadLanes(lanes, at), total))];
        }),
      ]),
    ];
  });
}

export function lowerSoftmax({ rows, channels }: SoftmaxCall): Lowered<"softmax", "softmax"> {
  return {
    ...NOTHING,
    module: "softmax",
    entry: "softmax",
    units: rows,
    unitElements: channels,
    ...SOFTMAX.of(() => ({ channels })),
  };
}
