/**
 * From the moments of the chunks, or from moving statistics, to a `norm`: all of it in float64, each value rounded once.
 * The ranges count groups of four channels.
 *
 * Chunks are joined in order: of n pixels with mean m and squares s, and of more of them,
 *
 *     n = n₁ + n₂     δ = m₂ − m₁     m = m₁ + δ · n₂ / n     s = s₁ + s₂ + δ² · n₁ · n₂ / n
 *
 * Source: Chan, Golub and LeVeque 1983, equations 2.1.
 */

import { argumentBlock, type KernelScope, kernel } from "../arguments.ts";
import {
  type Expression,
  type MakeLocal,
  type ModuleBuilder,
  op,
  type Statement,
  set,
  when,
} from "../assembler/index.ts";
import { add, choose, floats, type Lanes, locals, loop, most, mul, put, sub } from "../emit.ts";
import { CHUNK_WORDS, chunkRange, chunksOf } from "./chunks.ts";
import {
  asDouble,
  bitsOf,
  type Doubles,
  doubles,
  F64_DIV,
  fromBits,
  minus,
  over,
  overGroups,
  plus,
  promoted,
  root,
  setDoubles,
  spread,
  spreadNumber,
  storeDoubles,
  times,
} from "./doubles.ts";
import { inRow } from "./norm-values.ts";

type Vector = Expression<"v128">;

const NORM_WORDS = ["norm", "gamma", "beta", "movingMean", "movingVariance", "channels", "epsilon"] as const;

/**
 * `epsilon` and `share` are bits of a float32; `unbiased` is 0 or 1. A moving statistic becomes
 * (1 − share) · moving + share · batch, share = 1 − momentum; of share 1 the batch's, whatever it was, Infinity or NaN.
 */
export const FINISH_NORM = /* @__PURE__ */ argumentBlock(
  ["partials", "share", "unbiased"],
  [...NORM_WORDS, ...CHUNK_WORDS],
);

export const FROZEN_NORM = /* @__PURE__ */ argumentBlock(NORM_WORDS);

type NormScope = Pick<KernelScope<(typeof NORM_WORDS)[number]>, (typeof NORM_WORDS)[number]>;

export function finishNorm(module: ModuleBuilder) {
  return kernel(module, "finishNorm", FINISH_NORM, (scope) => {
    const v = locals(scope.local, "i32", "channel", "end", "chunk", "chunks", "count", "pixels", "at", "moving");
    const range = chunkRange({ ...scope, from: v.chunk });
    const [mean, squares, delta, variance] = [0, 1, 2, 3].map(() => doubles(scope.local)) as [
      Doubles,
      Doubles,
      Doubles,
      Doubles,
    ];
    const share = scope.local("f64");
    const write = normWriter(scope.local);
    const ofChunk = (lanes: Lanes): readonly Statement[] => [
      ...range.find,
      put(v.pixels, sub(range.end, range.start)),
      when(v.pixels, [
        set(share, op(F64_DIV, asDouble(v.pixels), asDouble(add(v.count, v.pixels)))),
        setDoubles(lanes, delta, (half) => minus(promoted(lanes, v.at, half), mean[half] as Vector)),
        setDoubles(lanes, mean, (half) => plus(mean[half] as Vector, times(delta[half] as Vector, spread(share)))),
        setDoubles(lanes, squares, (half) =>
          plus(
            plus(squares[half] as Vector, promoted(lanes, add(v.at, floats(scope.channels)), half)),
            times(times(delta[half] as Vector, delta[half] as Vector), times(spread(asDouble(v.count)), spread(share))),
          ),
        ),
        put(v.count, add(v.count, v.pixels)),
      ]),
    ];
    const move = (lanes: Lanes, name: "movingMean" | "movingVariance", value: (half: number) => Vector) => [
      put(v.moving, add(scope[name], floats(v.channel))),
      when(
        sub(scope.share, bitsOf(1)),
        [
          storeDoubles(lanes, v.moving, (half) => {
            const taken = spread(fromBits(scope.share));
            const kept = minus(spreadNumber(1), taken);
            return plus(times(kept, promoted(lanes, v.moving, half)), times(taken, value(half)));
          }),
        ],
        [storeDoubles(lanes, v.moving, value)],
      ),
    ];
    return [
      put(v.chunks, chunksOf(scope)),
      ...overGroups(v.channel, v.end, scope, (lanes) => [
        setDoubles(lanes, mean, () => spreadNumber(0)),
        setDoubles(lanes, squares, () => spreadNumber(0)),
        put(v.count, 0),
        put(v.at, add(scope.partials, floats(v.channel))),
        put(v.chunk, 0),
        loop(v.chunk, v.chunks, 1, [...ofChunk(lanes), put(v.at, add(v.at, mul(floats(scope.channels), 2)))]),
        setDoubles(lanes, variance, (half) => over(squares[half] as Vector, spread(asDouble(v.count)))),
        write(lanes, scope, v.channel, mean, variance),
        ...move(lanes, "movingMean", (half) => mean[half] as Vector),
        ...move(lanes, "movingVariance", (half) =>
          over(squares[half] as Vector, spread(asDouble(choose(scope.unbiased, most(sub(v.count, 1), 1), v.count)))),
        ),
      ]),
    ];
  });
}

/** A `norm` of moving statistics. */
export function frozenNorm(module: ModuleBuilder) {
  return kernel(module, "frozenNorm", FROZEN_NORM, (scope) => {
    const { channel, end } = locals(scope.local, "i32", "channel", "end");
    const [mean, variance] = [doubles(scope.local), doubles(scope.local)];
    const write = normWriter(scope.local);
    return overGroups(channel, end, scope, (lanes) => [
      setDoubles(lanes, mean, (half) => promoted(lanes, add(scope.movingMean, floats(channel)), half)),
      setDoubles(lanes, variance, (half) => promoted(lanes, add(scope.movingVariance, floats(channel)), half)),
      write(lanes, scope, channel, mean, variance),
    ]);
  });
}

/** Writes the four rows of a `norm`. */
function normWriter(local: MakeLocal) {
  const [inverse, scale, shift] = [doubles(local), doubles(local), doubles(local)];
  return (lanes: Lanes, scope: NormScope, channel: Expression<"i32">, mean: Doubles, variance: Doubles): Statement => {
    const given = (name: "gamma" | "beta", into: Doubles, otherwise: number) =>
      when(
        scope[name],
        [setDoubles(lanes, into, (half) => promoted(lanes, add(scope[name], floats(channel)), half))],
        [setDoubles(lanes, into, () => spreadNumber(otherwise))],
      );
    const rows = [scale, shift, mean, inverse];
    return [
      setDoubles(lanes, inverse, (half) =>
        over(spreadNumber(1), root(plus(variance[half] as Vector, spread(fromBits(scope.epsilon))))),
      ),
      given("gamma", scale, 1),
      setDoubles(lanes, scale, (half) => times(scale[half] as Vector, inverse[half] as Vector)),
      given("beta", shift, 0),
      setDoubles(lanes, shift, (half) =>
        minus(shift[half] as Vector, times(mean[half] as Vector, scale[half] as Vector)),
      ),
      rows.map((values, row) =>
        storeDoubles(lanes, inRow(scope.norm, row, scope.channels, channel), (half) => values[half] as Vector),
      ),
    ];
  };
}
