/**
 * The L2 norm of all gradients, in float64.
 *
 * `squareSums` counts units of the rows of the updates (`update-rows.ts`) and writes two partial sums for each, of the
 * even and of the odd elements: float64, 16 bytes a unit, 4 bytes aligned. `finishGradientNorm`, of the range 0 to 1, adds
 * them up in order and writes the norm as one float32. It uses the first partial sums up: they are of this call alone.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, int, type ModuleBuilder, op, set } from "../assembler/index.ts";
import { add, floats, locals, loop, mul, put, sub } from "../emit.ts";
import { overUnits } from "./update-rows.ts";

/** Words: the address of the first row, that of the partial sums. */
export const SQUARE_SUMS = /* @__PURE__ */ argumentBlock(["rows", "partials"]);

/** Words: the address of the partial sums, how many units they are of, the address of the norm. */
export const FINISH_GRADIENT_NORM = /* @__PURE__ */ argumentBlock(["partials", "units", "norm"]);

/** Bytes of the partial sums of a unit. */
export const SQUARE_SUM_BYTES = 16;

/** Instructions that no other kernel has. */
const ADD = [0xfd0f0, "vv", "v"] as const;
const DOUBLE_LOAD = [0x2b, "i", "d", "m", 3] as const;
const DOUBLE_ROOT = [0x9f, "d", "d"] as const;

export function squareSums(module: ModuleBuilder) {
  return kernel(module, "squareSums", SQUARE_SUMS, (scope) => {
    const { at, gradient } = locals(scope.local, "i32", "at", "gradient");
    // Of the first two of four elements, and of the last two.
    const { first, last, x } = locals(scope.local, "v128", "first", "last", "x");
    const square = (sum: typeof first, load: "v128.load64_zero" | "v128.load32_zero", offset: number) => [
      set(x, op("f64x2.promote_low_f32x4", access(load, offset, add(gradient, floats(at))))),
      set(sum, op(ADD, sum, op("f64x2.mul", x, x))),
    ];
    return overUnits(scope, ({ unit, count, start }) => [
      put(gradient, start("gradient")),
      set(first, op("i32x4.splat", int(0))),
      set(last, op("i32x4.splat", int(0))),
      put(at, 0),
      loop(at, sub(count, 3), 4, [...square(first, "v128.load64_zero", 0), ...square(last, "v128.load64_zero", 8)]),
      loop(at, count, 1, square(first, "v128.load32_zero", 0)),
      access("v128.store", 0, add(scope.partials, mul(unit, SQUARE_SUM_BYTES)), op(ADD, first, last)),
    ]);
  });
}

export function finishGradientNorm(module: ModuleBuilder) {
  return kernel(module, "finishGradientNorm", FINISH_GRADIENT_NORM, (scope) => {
    const { unit } = locals(scope.local, "i32", "unit");
    const { sum } = locals(scope.local, "v128", "sum");
    const partial = access("v128.load", 0, add(scope.partials, mul(unit, SQUARE_SUM_BYTES)));
    const total = op("f64.add", access(DOUBLE_LOAD, 0, scope.partials), access(DOUBLE_LOAD, 8, scope.partials));
    return [
      set(sum, op("i32x4.splat", int(0))),
      put(unit, 0),
      loop(unit, scope.units, 1, [set(sum, op(ADD, sum, partial))]),
      access("v128.store", 0, scope.partials, sum),
      access("f32.store", 0, scope.norm, op("f32.demote_f64", op(DOUBLE_ROOT, total))),
    ];
  });
}
