/**
 * The gradient to the second operand of a sum or a product: dy, or dy · a, summed in float64 over the axes along which b
 * was broadcast. That to the first needs no kernel of its own: it is dy, or the product of dy and b (`elementwise`).
 *
 * The range counts examples where each has a b of its own (`exampleStride` is not 0); else it is 0 to 1, for all of them.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import {
  access,
  type Expression,
  float,
  type ModuleBuilder,
  op,
  type Statement,
  set,
  when,
} from "../assembler/index.ts";
import { add, choose, floats, locals, loop, mul, put } from "../emit.ts";
import { overBlocks } from "./blocks.ts";
import { doubles, F64_MUL, plus, promoted, setDoubles, spreadNumber, storeDoubles, times } from "./doubles.ts";

/** Axes and strides as in the words of `elementwise`. */
export const ELEMENTWISE_GRADIENT = /* @__PURE__ */ argumentBlock([
  "dy",
  "a",
  "db",
  "outer",
  "middle",
  "inner",
  "outerStride",
  "middleStride",
  "innerStride",
  "exampleStride",
]);

export type ElementwiseGradientEntry = "addGradient" | "multiplyGradient";

const WIDTHS = [4, 1] as const;

export function elementwiseGradient<Entry extends ElementwiseGradientEntry>(module: ModuleBuilder, entry: Entry) {
  const isProduct = entry === "multiplyGradient";
  return kernel(module, entry, ELEMENTWISE_GRADIENT, (scope) => {
    const kept = locals(scope.local, "i32", "example", "outer", "middle", "outerEnd", "middleEnd", "channel", "to");
    const summed = locals(scope.local, "i32", "example", "outer", "middle", "exampleEnd", "outerEnd", "middleEnd");
    const { first, at } = locals(scope.local, "i32", "first", "at");
    const sums = Array.from({ length: WIDTHS[0] }, () => doubles(scope.local));
    const total = scope.local("f64");
    // Along each axis one of the two counts, and the other stays 0.
    const axis = (name: "example" | "outer" | "middle") => add(kept[name], summed[name]);
    const row = add(mul(add(mul(axis("example"), scope.outer), axis("outer")), scope.middle), axis("middle"));
    const overSummed = (body: readonly Statement[]): readonly Statement[] => [
      put(summed.example, 0),
      loop(summed.example, summed.exampleEnd, 1, [
        put(summed.outer, 0),
        loop(summed.outer, summed.outerEnd, 1, [
          put(summed.middle, 0),
          loop(summed.middle, summed.middleEnd, 1, [
            put(at, floats(add(mul(row, scope.inner), kept.channel))),
            ...body,
          ]),
        ]),
      ]),
    ];
    const byChannel = overBlocks(kept.channel, scope.inner, WIDTHS, ({ vectors, lanes }) => {
      const all = sums.slice(0, vectors);
      const read = (base: Expression<"i32">, j: number, half: number) => promoted(lanes, add(base, at), half, 16 * j);
      return [
        all.map((sum) => setDoubles(lanes, sum, () => spreadNumber(0))),
        ...overSummed(
          all.map((sum, j) =>
            setDoubles(lanes, sum, (half) => {
              const dy = read(scope.dy, j, half);
              return plus(sum[half] as (typeof sum)[number], isProduct ? times(dy, read(scope.a, j, half)) : dy);
            }),
          ),
        ),
        all.map((sum, j) =>
          storeDoubles(
            lanes,
            add(kept.to, floats(add(kept.channel, 4 * j))),
            (half) => sum[half] as (typeof sum)[number],
          ),
        ),
      ];
    });
    const number = (base: Expression<"i32">) => op("f64.promote_f32", access("f32.load", 0, add(base, at)));
    const overChannels = [
      set(total, op("f64.promote_f32", float(0))),
      put(kept.channel, 0),
      loop(kept.channel, scope.inner, 1, [
        ...overSummed([
          set(
            total,
            op("f64.add", total, isProduct ? op(F64_MUL, number(scope.dy), number(scope.a)) : number(scope.dy)),
          ),
        ]),
      ]),
      access("f32.store", 0, kept.to, op("f32.demote_f64", total)),
    ];
    return [
      put(kept.outerEnd, choose(scope.outerStride, scope.outer, 1)),
      put(summed.outerEnd, choose(scope.outerStride, 1, scope.outer)),
      put(kept.middleEnd, choose(scope.middleStride, scope.middle, 1)),
      put(summed.middleEnd, choose(scope.middleStride, 1, scope.middle)),
      put(summed.exampleEnd, choose(scope.exampleStride, 1, scope.batch)),
      put(kept.example, scope.from),
      loop(kept.example, scope.to, 1, [
        put(first, mul(kept.example, scope.exampleStride)),
        put(kept.outer, 0),
        loop(kept.outer, kept.outerEnd, 1, [
          put(kept.middle, 0),
          loop(kept.middle, kept.middleEnd, 1, [
            put(
              kept.to,
              add(
                scope.db,
                floats(add(first, add(mul(kept.outer, scope.outerStride), mul(kept.middle, scope.middleStride)))),
              ),
            ),
            when(scope.innerStride, byChannel, overChannels),
          ]),
        ]),
      ]),
    ];
  });
}
