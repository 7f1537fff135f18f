/**
 * Kernels that go number by number: sums of two gradients, and gradients of activations on their own. The range counts
 * chunks of `unit` numbers of the batch, `each` of them an example. The result may lie where an operand lies.
 */

import { argumentBlock, type Bounds, kernel } from "../arguments.ts";
import { type Expression, type Local, type ModuleBuilder, op, set } from "../assembler/index.ts";
import { add, floats, least, loadLanes, locals, mul, put, sub } from "../emit.ts";
import { blockOf, overBlocks, storeBlock, vectorsOf } from "./blocks.ts";
import { splat, throughClamp } from "./norm-values.ts";

type Vector = Expression<"v128">;
type VectorLocal = Local<"v128">;

const GREATER = [0xfd044, "vv", "v"] as const;
const AT_LEAST = [0xfd046, "vv", "v"] as const;
const AND = [0xfd04e, "vv", "v"] as const;
/** Bits of the first where those of the third are 1, else of the second. */
const BIT_SELECT = [0xfd052, "vvv", "v"] as const;

export const SUM = /* @__PURE__ */ argumentBlock(["a", "b", "y", "unit", "each"]);
export const ACTIVATION_GRADIENT = /* @__PURE__ */ argumentBlock(["dy", "x", "dx", "unit", "each"]);

const times = (a: Vector, b: Vector) => op("f32x4.mul", a, b);

const SLOPES = {
  /** Of every clamp; on its bounds the slope is 0. */
  clampGradient: (dy: Vector, x: VectorLocal, bounds: Bounds) => throughClamp(dy, x, bounds),
  /** 1 / 6 between −3 and 3, else 0; the bounds are those. */
  hardSigmoidGradient: (dy: Vector, x: VectorLocal, bounds: Bounds) =>
    op("f32x4.div", throughClamp(dy, x, bounds), splat(6)),
  /** 0 below −3, 1 above 3, else (2 · x + 3) / 6; the bounds are −3 and 3. */
  hardSwishGradient: (dy: Vector, x: VectorLocal, { low, high }: Bounds) => {
    const between = op("f32x4.div", op("f32x4.add", op("f32x4.add", x, x), splat(3)), splat(6));
    const slope = op(BIT_SELECT, splat(1), between, op(GREATER, x, high));
    return times(dy, op(AND, slope, op(AT_LEAST, x, low)));
  },
  /** 1 above 0, else the slope, which is the lower bound. */
  leakyReluGradient: (dy: Vector, x: VectorLocal, { low }: Bounds) =>
    times(dy, op(BIT_SELECT, splat(1), low, op(GREATER, x, splat(0)))),
} as const;

export type ActivationGradientEntry = keyof typeof SLOPES;

const WIDTHS = [4, 1] as const;

/** y = a + b. */
export function sum(module: ModuleBuilder) {
  return kernel(module, "sum", SUM, (scope) =>
    byNumber({ ...scope, first: scope.a, second: scope.b, result: scope.y }, (a, b) => op("f32x4.add", a, b)),
  );
}

/** dx = dy · slope(x). */
export function activationGradient<Entry extends ActivationGradientEntry>(module: ModuleBuilder, entry: Entry) {
  return kernel(module, entry, ACTIVATION_GRADIENT, (scope) =>
    byNumber({ ...scope, first: scope.dy, second: scope.x, result: scope.dx }, (dy, x) =>
      SLOPES[entry](dy, x, scope.bounds),
    ),
  );
}

type NumberScope = Parameters<Parameters<typeof kernel<string, "unit" | "each" | "first" | "second" | "result">>[3]>[0];

function byNumber(scope: NumberScope, value: (first: VectorLocal, second: VectorLocal) => Vector) {
  const v = locals(scope.local, "i32", "start", "end", "at", "bytes");
  const first = vectorsOf(scope.local, WIDTHS[0]);
  const second = scope.local("v128");
  return [
    put(v.start, mul(scope.from, scope.unit)),
    put(v.end, least(mul(scope.to, scope.unit), mul(scope.batch, scope.each))),
    ...overBlocks(v.at, sub(v.end, v.start), WIDTHS, (block) => {
      const address = (base: Expression<"i32">) => add(base, v.bytes);
      return [
        put(v.bytes, floats(add(v.start, v.at))),
        blockOf(block, first).map((of, j) => [
          set(of, loadLanes(block.lanes, address(scope.first), 16 * j)),
          set(second, loadLanes(block.lanes, address(scope.second), 16 * j)),
          set(of, value(of, second)),
        ]),
        storeBlock(block, address(scope.result), blockOf(block, first)),
      ];
    }),
  ];
}
