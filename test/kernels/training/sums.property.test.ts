/** Sums over chunks and groups of chunks against float64 loops, over random chunks, channels and short batches. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COLUMN_SUMS,
  columnSums,
  FINISH_SUMS,
  finishSums,
  REDUCE,
  reduce,
} from "../../../src/kernels/wasm/training/sums.ts";
import { recipe } from "../../golden/vectors.ts";
import { firstDifference } from "../on-wasm.ts";
import { chunkCount, chunkWords, expectNear, geometries, rangeOf, runKernel, shuffled, VARIANTS } from "./on-memory.ts";

const ULP = 2 ** -24;
const RUNS = { numRuns: 150, seed: 20150211 } as const;

const cases = fc.record({
  geometry: geometries(),
  channels: fc.integer({ min: 1, max: 65 }),
  adds: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
  last: fc.integer({ min: 0, max: 9 }),
});
const endOf = (values: object, last: number) => Object.keys(values)[last % Object.keys(values).length]!;

describe.each(VARIANTS)("$name", (variant) => {
  it("sums the pixels of each chunk, from memory or scratch, and then the chunks", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), fc.integer({ min: 0, max: 5 }), (c, fromScratch, before) => {
        const { geometry, channels } = c;
        const x = recipe([geometry.batch * geometry.each, channels], c.seed, -1, 1).data;
        const chunks = chunkCount(geometry);
        const partials = new Float32Array(chunks * channels).fill(Number.NaN);
        const run = (
          units: readonly number[],
          from: { readonly x: Float32Array } | { readonly scratch: Float32Array },
        ) => {
          const all = { ...from, partials };
          return runKernel(variant, {
            ...{ entry: "columnSums", emit: columnSums, block: COLUMN_SUMS, values: all, writes: ["partials"], units },
            words: {
              ...{ x: "x" in from ? "x" : 0, partials: "partials", channels, ...chunkWords(geometry) },
              ...{ offset: 32, before },
            },
            batch: geometry.batch,
            last: endOf(all, c.last),
          })["partials"]!;
        };
        if (fromScratch) {
          for (const unit of shuffled(chunks, c.seed)) {
            const { start, end } = rangeOf(geometry, unit);
            const scratch = new Float32Array(8 + (before + end - start) * channels).fill(Number.NaN);
            scratch.set(x.subarray(start * channels, end * channels), 8 + before * channels);
            partials.set(run([unit], { scratch }));
          }
        } else {
          partials.set(run(shuffled(chunks, c.seed), { x }));
        }
        expect(firstDifference(partials, run(shuffled(chunks, c.seed + 1), { x }))).toBe(-1);
        const totals = new Float64Array(channels);
        for (let unit = 0; unit < chunks; unit++) {
          const { start, end } = rangeOf(geometry, unit);
          for (let channel = 0; channel < channels; channel++) {
            let [sum, size] = [0, 0];
            for (let p = start; p < end; p++) {
              sum += x[p * channels + channel]!;
              size += Math.abs(x[p * channels + channel]!);
            }
            const partial = partials[unit * channels + channel]!;
            if (start === end) expect(partial).toBe(Number.NaN);
            else expectNear(partial, sum, (end - start) * ULP * size);
            if (start < end) totals[channel]! += partial;
          }
        }

        const y = recipe([channels], c.seed + 1, -1, 1).data;
        const all = { partials, y, adds: Int32Array.of(Number(c.adds)) };
        const result = runKernel(variant, {
          ...{ entry: "finishSums", emit: finishSums, block: FINISH_SUMS, values: all, writes: ["y"] },
          words: { partials: "partials", y: "y", adds: "adds", channels, ...chunkWords(geometry) },
          units: shuffled(Math.ceil(channels / 4), c.seed),
          batch: geometry.batch,
          last: endOf(all, c.last),
        })["y"]!;
        expect([...result]).toEqual([...totals].map((total, i) => Math.fround(total + (c.adds ? y[i]! : 0))));
      }),
      RUNS,
    );
  });

  it("adds up the groups of chunks that have begun, in order", () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 8 }),
        (c, per, rows, padding) => {
          const { geometry, channels: columns } = c;
          const stride = columns + padding;
          const groups = Math.ceil(chunkCount(geometry) / per);
          const images = Math.ceil((geometry.batch * geometry.each) / geometry.pixels);
          const begun = Math.ceil((images * geometry.perImage) / per);
          const partials = recipe([groups, rows, stride], c.seed, -1, 1).data;
          partials.fill(Number.NaN, begun * rows * stride);
          for (let i = 0; i < partials.length; i++) if (i % stride >= columns) partials[i] = Number.NaN;
          const y = recipe([rows, columns], c.seed + 1, -1, 1).data;
          const all = { partials, y, adds: Int32Array.of(Number(c.adds)) };
          const result = runKernel(variant, {
            ...{ entry: "reduce", emit: reduce, block: REDUCE, values: all, writes: ["y"] },
            words: {
              ...{ partials: "partials", y: "y", adds: "adds", rows, columns, stride, per },
              ...chunkWords(geometry),
            },
            units: shuffled(rows, c.seed),
            batch: geometry.batch,
            last: endOf(all, c.last),
          })["y"]!;
          const expected = y.map((kept, i) => {
            const at = Math.floor(i / columns) * stride + (i % columns);
            let sum = partials[at]!;
            for (let group = 1; group < begun; group++) sum = Math.fround(sum + partials[group * rows * stride + at]!);
            return c.adds ? kept + sum : sum;
          });
          expect(firstDifference(result, expected)).toBe(-1);
        },
      ),
      RUNS,
    );
  });
});
