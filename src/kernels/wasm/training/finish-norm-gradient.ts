/**
 * From the sums of the chunks to a `normGradient`, dgamma and dbeta, by the formulas of `operations/training-call.ts`:
 * sums over chunks in order and all else in float64, each value rounded once. The range counts groups of four channels.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { type Expression, type ModuleBuilder, op, set, when } from "../assembler/index.ts";
import { add, floats, type Lanes, locals, loop, mul, put, sub } from "../emit.ts";
import { CHUNK_WORDS, chunkRange, chunksOf } from "./chunks.ts";
import {
  addOrStore,
  asDouble,
  type Doubles,
  doubles,
  F64_DIV,
  minus,
  overGroups,
  plus,
  promoted,
  setDoubles,
  spread,
  spreadNumber,
  storeDoubles,
  times,
} from "./doubles.ts";
import { inRow } from "./norm-values.ts";

type Vector = Expression<"v128">;

/** `adds` is the address of an i32: 0 where dgamma and dbeta are written, 1 where they are added to. `frozen`: 0 or 1. */
export const FINISH_NORM_GRADIENT = /* @__PURE__ */ argumentBlock(
  ["partials", "norm", "normGradient", "dgamma", "dbeta", "adds", "frozen", "channels"],
  CHUNK_WORDS,
);

export function finishNormGradient(module: ModuleBuilder) {
  return kernel(module, "finishNormGradient", FINISH_NORM_GRADIENT, (scope) => {
    const v = locals(scope.local, "i32", "channel", "end", "chunk", "chunks", "at", "to");
    const range = chunkRange({ ...scope, from: v.chunk });
    const [dbeta, dgamma, scale, q] = [0, 1, 2, 3].map(() => doubles(scope.local)) as [
      Doubles,
      Doubles,
      Doubles,
      Doubles,
    ];
    const share = scope.local("f64");
    const ofNorm = (lanes: Lanes, row: number, half: number) =>
      promoted(lanes, inRow(scope.norm, row, scope.channels, v.channel), half);
    const row = (lanes: Lanes, index: number, value: (half: number) => Vector) =>
      storeDoubles(lanes, inRow(scope.normGradient, index, scope.channels, v.channel), value);
    return [
      put(v.chunks, chunksOf(scope)),
      // 1 / n, and 0 where the statistics are constants.
      set(share, op(F64_DIV, asDouble(sub(1, scope.frozen)), asDouble(mul(scope.batch, scope.each)))),
      ...overGroups(v.channel, v.end, scope, (lanes) => [
        setDoubles(lanes, dbeta, () => spreadNumber(0)),
        setDoubles(lanes, dgamma, () => spreadNumber(0)),
        put(v.at, add(scope.partials, floats(v.channel))),
        put(v.chunk, 0),
        loop(v.chunk, v.chunks, 1, [
          ...range.find,
          when(sub(range.end, range.start), [
            setDoubles(lanes, dbeta, (half) => plus(dbeta[half] as Vector, promoted(lanes, v.at, half))),
            setDoubles(lanes, dgamma, (half) =>
              plus(dgamma[half] as Vector, promoted(lanes, add(v.at, floats(scope.channels)), half)),
            ),
          ]),
          put(v.at, add(v.at, mul(floats(scope.channels), 2))),
        ]),
        setDoubles(lanes, scale, (half) => ofNorm(lanes, 0, half)),
        setDoubles(lanes, q, (half) =>
          times(
            times(times(scale[half] as Vector, dgamma[half] as Vector), spread(share)),
            minus(spreadNumber(0), ofNorm(lanes, 3, half)),
          ),
        ),
        row(lanes, 0, (half) => scale[half] as Vector),
        row(lanes, 1, (half) => q[half] as Vector),
        row(lanes, 2, (half) =>
          minus(
            minus(spreadNumber(0), times(times(scale[half] as Vector, dbeta[half] as Vector), spread(share))),
            times(q[half] as Vector, ofNorm(lanes, 2, half)),
          ),
        ),
        ...(["dgamma", "dbeta"] as const).map((name) =>
          when(scope[name], [
            put(v.to, add(scope[name], floats(v.channel))),
            addOrStore(lanes, v.to, scope.adds, { dgamma, dbeta }[name]),
          ]),
        ),
      ]),
    ];
  });
}
