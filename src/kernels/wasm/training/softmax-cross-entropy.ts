/**
 * Softmax cross-entropy of each example, and the gradient of its mean: with z the logits and t a row of shares that adds
 * up to 1
 *
 *     perExample = −Σ t · (z − log Σ e^z)     dlogits = (e^z / Σ e^z − t) · scale / batch
 *
 * A class without a share adds no loss, and an example whose loss is not finite has no gradient that is: NaN.
 * All of it in float64, by its own exponential and logarithm, since those of engines differ. The range counts examples;
 * `scale` is the address of a float32; dlogits may lie where the logits lie.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import {
  access,
  type Expression,
  type Local,
  long,
  type ModuleBuilder,
  op,
  type Statement,
  select,
  set,
} from "../assembler/index.ts";
import { add, floats, locals, loop, loopWhile, mul, put } from "../emit.ts";
import { asDouble, F64_DIV, F64_MUL } from "./doubles.ts";

type Double = Expression<"f64">;

const F64_SUB = [0xa1, "dd", "d"] as const;
const F64_MAX = [0xa5, "dd", "d"] as const;
const F64_NEAREST = [0x9e, "d", "d"] as const;
const F64_EQUAL = [0x61, "dd", "i"] as const;
const F64_LESS = [0x63, "dd", "i"] as const;
const F64_TRUNCATE = [0xfc002, "d", "i"] as const;
const I64_EXTEND = [0xac, "i", "l"] as const;
const I64_SHIFT_LEFT = [0x86, "ll", "l"] as const;
const F64_REINTERPRET = [0xbf, "l", "d"] as const;

const double = (value: number): Double => [0x44, Array.from(new Uint8Array(Float64Array.of(value).buffer))];
const plus = (a: Double, b: Double): Double => op("f64.add", a, b);
const minus = (a: Double, b: Double): Double => op(F64_SUB, a, b);
const times = (a: Double, b: Double): Double => op(F64_MUL, a, b);
const over = (a: Double, b: Double): Double => op(F64_DIV, a, b);

export const SOFTMAX_CROSS_ENTROPY = /* @__PURE__ */ argumentBlock([
  "logits",
  "targets",
  "perExample",
  "dlogits",
  "classes",
  "scale",
]);

export function softmaxCrossEntropy(module: ModuleBuilder) {
  return kernel(module, "softmaxCrossEntropy", SOFTMAX_CROSS_ENTROPY, (scope) => {
    const v = locals(scope.local, "i32", "example", "row", "end", "at", "logits", "targets", "dlogits");
    const f = locals(scope.local, "f64", "largest", "z", "sum", "logarithm", "loss", "share", "factor", "own");
    const e = exponential(scope.local("f64"), scope.local("f64"));
    const read = (base: Expression<"i32">) => op("f64.promote_f32", access("f32.load", 0, add(base, v.at)));
    const overClasses = (body: readonly Statement[]) => [put(v.at, 0), loop(v.at, v.end, 4, body)];
    const shifted = set(f.z, minus(read(v.logits), f.largest));
    return [
      put(v.end, floats(scope.classes)),
      set(f.factor, over(op("f64.promote_f32", access("f32.load", 0, scope.scale)), asDouble(scope.batch))),
      put(v.example, scope.from),
      loop(v.example, scope.to, 1, [
        put(v.row, mul(v.example, v.end)),
        put(v.logits, add(scope.logits, v.row)),
        put(v.targets, add(scope.targets, v.row)),
        put(v.dlogits, add(scope.dlogits, v.row)),
        set(f.largest, double(Number.NEGATIVE_INFINITY)),
        ...overClasses([set(f.largest, op(F64_MAX, f.largest, read(v.logits)))]),
        set(f.sum, double(0)),
        ...overClasses([shifted, e.prepare(f.z), set(f.sum, plus(f.sum, e.power))]),
        ...logarithm(f.sum, f.logarithm, scope.local("f64"), scope.local("f64")),
        set(f.loss, double(0)),
        ...overClasses([
          shifted,
          set(f.share, read(v.targets)),
          set(
            f.loss,
            // 0 · ∞ is none.
            plus(f.loss, select(double(0), times(f.share, minus(f.logarithm, f.z)), op(F64_EQUAL, f.share, double(0)))),
          ),
        ]),
        set(f.loss, op("f64.promote_f32", op("f32.demote_f64", f.loss))),
        set(f.own, plus(f.factor, minus(f.loss, f.loss))),
        ...overClasses([
          shifted,
          e.prepare(f.z),
          access(
            "f32.store",
            0,
            add(v.dlogits, v.at),
            op("f32.demote_f64", times(minus(over(e.power, f.sum), read(v.targets)), f.own)),
          ),
        ]),
        access("f32.store", 0, add(scope.perExample, floats(v.example)), op("f32.demote_f64", f.loss)),
      ]),
    ];
  });
}

/** e^−708 is above the smallest normal float64, and nothing beside 1. */
const LEAST = -708;
/** ln 2 in two parts: n times the first is exact. Source: fdlibm, `e_exp.c`. */
const LN2 = [0.6931471803691238, 1.9082149292705877e-10] as const;
/** Terms of e^r for |r| ≤ ln 2 / 2: the next is below 2^−57. */
const POWERS = 14;
/** Terms of the logarithm, for arguments between √½ and √2: the next is below 2^−57. */
const ODD_POWERS = 11;

/** e^z for z ≤ 0 is 2^n · e^r with n = round(z / ln 2), and for e^r its series. */
function exponential(n: Local<"f64">, r: Local<"f64">) {
  const factorials = Array.from({ length: POWERS }, () => 1);
  for (let k = 1; k < POWERS; k++) factorials[k] = k * (factorials[k - 1] as number);
  const series = factorials
    .map((factorial) => double(1 / factorial))
    .reduceRight((sum, coefficient) => plus(coefficient, times(r, sum)));
  const exponent = op(I64_EXTEND, add(op(F64_TRUNCATE, n), 1023));
  return {
    prepare: (z: Double): Statement => [
      set(r, op(F64_MAX, z, double(LEAST))),
      set(n, op(F64_NEAREST, times(r, double(Math.LOG2E)))),
      set(r, minus(minus(r, times(n, double(LN2[0]))), times(n, double(LN2[1])))),
    ],
    power: times(series, op(F64_REINTERPRET, op(I64_SHIFT_LEFT, exponent, long(52)))),
  };
}

/** log x for x ≥ 1 is k · ln 2 + log m with m at most √2; and log m = 2 · (s + s³ / 3 + s⁵ / 5 + …), s = (m − 1) / (m + 1). */
function logarithm(x: Local<"f64">, result: Local<"f64">, m: Local<"f64">, s: Local<"f64">): readonly Statement[] {
  let series: Double = double(1 / (2 * ODD_POWERS - 1));
  for (let k = ODD_POWERS - 1; k > 0; k--) series = plus(double(1 / (2 * k - 1)), times(times(s, s), series));
  return [
    set(m, x),
    set(result, double(0)),
    loopWhile(op(F64_LESS, double(Math.SQRT2), m), [
      set(m, times(m, double(0.5))),
      set(result, plus(result, double(Math.LN2))),
    ]),
    set(s, over(minus(m, double(1)), plus(m, double(1)))),
    set(result, plus(result, times(times(double(2), s), series))),
  ];
}
