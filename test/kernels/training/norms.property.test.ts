/** The kernels of batch norms against float64 loops, over random chunks, channels and short batches. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FINISH_NORM, FROZEN_NORM, finishNorm, frozenNorm } from "../../../src/kernels/wasm/training/finish-norm.ts";
import { FINISH_NORM_GRADIENT, finishNormGradient } from "../../../src/kernels/wasm/training/finish-norm-gradient.ts";
import { MOMENTS, moments } from "../../../src/kernels/wasm/training/moments.ts";
import { NORM_GRADIENT, normGradient } from "../../../src/kernels/wasm/training/norm-gradient.ts";
import { NORM_SUMS, normSums } from "../../../src/kernels/wasm/training/norm-sums.ts";
import { NORMALISE, normalise } from "../../../src/kernels/wasm/training/normalise.ts";
import { recipe } from "../../golden/vectors.ts";
import { firstDifference } from "../on-wasm.ts";
import {
  bitsOf,
  chunkCount,
  chunkWords,
  expectNear,
  type Geometry,
  geometries,
  type KernelVariant,
  rangeOf,
  runKernel,
  shuffled,
  VARIANTS,
  type Value,
} from "./on-memory.ts";

const ULP = 2 ** -24;
const CLAMPS = { linear: {}, relu: { low: 0 }, relu6: { low: 0, high: 6 } } as const;

const cases = fc.record({
  geometry: geometries(),
  channels: fc.oneof(fc.integer({ min: 1, max: 65 }), fc.constantFrom(1, 3, 4, 8, 12, 16, 28, 32, 64, 301, 336)),
  clamp: fc.constantFrom("linear", "relu", "relu6"),
  before: fc.integer({ min: 0, max: 9 }),
  after: fc.integer({ min: 0, max: 9 }),
  offset: fc.integer({ min: 0, max: 3 }).map((n) => 16 * n),
  hasNorm: fc.boolean(),
  hasGradient: fc.boolean(),
  toScratch: fc.boolean(),
  isInteger: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
  last: fc.integer({ min: 0, max: 9 }),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const RUNS = { numRuns: 150, seed: 20150211 } as const;

function numbers(elements: number, { seed, isInteger }: Case, salt: number, spread = 8): Float32Array {
  const { data } = recipe([elements], seed + salt, -spread, spread);
  // Whole numbers lie on the kinks.
  return isInteger ? data.map(Math.round) : data;
}

/** Scale, shift, mean and 1 / √(variance + epsilon) of each channel. */
function normOf({ channels, seed }: Case): Float32Array {
  const mean = recipe([channels], seed + 10, -1, 1).data;
  const inverse = recipe([channels], seed + 11, 0.5, 2).data;
  const gamma = recipe([channels], seed + 12, -1.5, 1.5).data;
  const scale = inverse.map((value, c) => value * gamma[c]!);
  const shift = scale.map((value, c) => 1.5 - value * mean[c]!);
  return Float32Array.of(...scale, ...shift, ...mean, ...inverse);
}

const endOf = (values: object, { last }: Case) => Object.keys(values)[last % Object.keys(values).length]!;

/** For each pixel that a chunk sees, with its halo. */
function seen(geometry: Geometry, unit: number, before: number, after: number): [number, number, number] {
  const { start, end, imageStart, imageEnd } = rangeOf(geometry, unit);
  return [Math.max(start - before, imageStart), Math.min(end + after, imageEnd), start];
}

/** What a kernel wrote, where it goes to y or to scratch, must be what `expected` says, and NaN elsewhere. */
function collect(
  c: Case,
  run: (how: {
    readonly values: Readonly<Record<string, Value>>;
    readonly words: {
      readonly y: number | string;
      readonly before: number;
      readonly after: number;
      readonly offset: number;
    };
    readonly writes: readonly string[];
    readonly units: readonly number[];
    readonly after: (unit: number, values: Readonly<Record<string, Float32Array>>) => void;
  }) => Readonly<Record<string, Float32Array>>,
): Float32Array {
  const { geometry, channels, toScratch, before, after, offset } = c;
  const elements = geometry.batch * geometry.each * channels;
  const units = shuffled(chunkCount(geometry), c.seed);
  if (!toScratch) {
    const words = { y: "y", before: 0, after: 0, offset: 0 };
    return run({ values: { y: elements }, words, writes: ["y"], units, after: () => {} })["y"]!;
  }
  const y = new Float32Array(elements).fill(Number.NaN);
  const room = Math.max(...units.map((unit) => rangeOf(geometry, unit)).map(({ start, end }) => end - start));
  const scratch = offset / 4 + (room + before + after) * channels;
  let known: Float32Array = new Float32Array(scratch).fill(Number.NaN);
  run({
    values: { scratch },
    words: { y: 0, before, after, offset },
    writes: ["scratch"],
    units,
    after: (unit, { scratch }) => {
      const [first, last, start] = seen(geometry, unit, before, after);
      const place = (p: number) => offset / 4 + (p - start + before) * channels;
      const unwritten = scratch!.map((value, i) =>
        first < last && i >= place(first) && i < place(last) ? known[i]! : value,
      );
      expect(firstDifference(unwritten, known), "scratch is written beside the chunk").toBe(-1);
      known = scratch!;
      for (let p = first; p < last; p++) {
        const values = scratch!.subarray(place(p), place(p) + channels);
        const before = y.subarray(p * channels, (p + 1) * channels);
        if (!Number.isNaN(before[0]!)) expect(firstDifference(values, before), "halos differ").toBe(-1);
        y.set(values, p * channels);
      }
    },
  });
  return y;
}

function normaliseOn(variant: KernelVariant, c: Case, x: Float32Array, norm: Float32Array): Float32Array {
  return collect(c, ({ values, words, ...how }) => {
    const all = { x, norm, ...values };
    return runKernel(variant, {
      ...how,
      entry: "normalise",
      emit: normalise,
      block: NORMALISE,
      values: all,
      words: {
        x: "x",
        norm: c.hasNorm ? "norm" : 0,
        channels: c.channels,
        ...chunkWords(c.geometry),
        ...words,
        ...CLAMPS[c.clamp as "relu"],
      },
      batch: c.geometry.batch,
      last: endOf(all, c),
    });
  });
}

/** dy where the normalised value lies within the bounds, as the kernel that normalises has it. */
function throughClamp(
  variant: KernelVariant,
  c: Case,
  dy: Float32Array,
  x: Float32Array,
  norm: Float32Array,
): Float32Array {
  if (c.clamp === "linear") return dy;
  const y = normaliseOn(variant, { ...c, toScratch: false }, x, norm);
  return dy.map((value, i) => (y[i]! > 0 && (c.clamp === "relu" || y[i]! < 6) ? value : 0));
}

const elementsOf = ({ geometry, channels }: Case) => geometry.batch * geometry.each * channels;

const known = new Map<string, Float32Array>();

/** Within one set of features all tiles give the same bits; cases are the same for each variant. */
function expectSameBits({ features }: KernelVariant, what: string, drawn: unknown, values: Float32Array): void {
  const key = `${features.relaxed} ${what} ${JSON.stringify(drawn)}`;
  const before = known.get(key);
  if (before === undefined) known.set(key, values);
  else expect(firstDifference(values, before), `${what} on another tile`).toBe(-1);
}

describe.each(VARIANTS)("$name", (variant) => {
  it("normalises and clamps each pixel of a chunk and its halo, to memory or scratch", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const x = numbers(elementsOf(c), c, 1);
        const norm = normOf(c);
        const y = normaliseOn(variant, c, x, norm);
        expectSameBits(variant, "normalise", c, y);
        const { low = -Infinity, high = Infinity } = CLAMPS[c.clamp as "relu6"] as { low?: number; high?: number };
        for (const [i, value] of y.entries()) {
          const channel = i % c.channels;
          const scale = c.hasNorm ? norm[channel]! : 1;
          const shift = c.hasNorm ? norm[c.channels + channel]! : 0;
          const expected = Math.min(Math.max(x[i]! * scale + shift, low), high);
          const bound = c.hasNorm ? 3 * ULP * (Math.abs(x[i]! * scale) + Math.abs(shift)) : 0;
          expectNear(value, expected, bound);
        }
        if (!c.hasNorm && c.clamp === "linear") expect(firstDifference(y, x)).toBe(-1);
      }),
      RUNS,
    );
  });

  it("takes the gradient through the clamp and the norm, to memory, scratch or in place", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (c, inPlace) => {
        const x = numbers(elementsOf(c), c, 1);
        const dy = recipe([x.length], c.seed + 2, -1, 1).data;
        const norm = normOf(c);
        const pqr = recipe([3 * c.channels], c.seed + 3, -1, 1).data;
        const dx = collect(c, ({ values, words, writes, ...how }) => {
          const isInPlace = inPlace && !c.toScratch;
          const all = { x, dy, norm, pqr, ...values };
          const result = runKernel(variant, {
            ...how,
            entry: "normGradient",
            emit: normGradient,
            block: NORM_GRADIENT,
            values: all,
            words: {
              ...{ dy: "dy", x: "x", norm: c.hasNorm ? "norm" : 0, normGradient: c.hasGradient ? "pqr" : 0 },
              ...{ channels: c.channels, ...chunkWords(c.geometry), ...words, ...CLAMPS[c.clamp as "relu"] },
              ...(isInPlace ? { y: "dy" } : {}),
            },
            writes: isInPlace ? ["dy"] : writes,
            batch: c.geometry.batch,
            last: endOf(all, c),
          });
          return isInPlace ? { y: result["dy"]! } : result;
        });
        expectSameBits(variant, "normGradient", [c, inPlace], dx);
        const through = throughClamp(variant, c, dy, x, norm);
        for (const [i, value] of dx.entries()) {
          const channel = i % c.channels;
          if (!c.hasGradient) {
            expect(value).toBe(through[i]!);
            continue;
          }
          const [p, q, r] = [0, 1, 2].map((row) => pqr[row * c.channels + channel]!) as [number, number, number];
          const terms = [p * through[i]!, q * x[i]!, r];
          const bound = 4 * ULP * terms.reduce((sum, term) => sum + Math.abs(term), 0);
          expectNear(value, terms[0]! + terms[1]! + terms[2]!, bound);
        }
      }),
      RUNS,
    );
  });

  it("measures mean and squares of each chunk, and joins them to a norm and moving statistics", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), fc.boolean(), (c, unbiased, hasGamma) => {
        const { geometry, channels } = c;
        const x = numbers(elementsOf(c), c, 1).map((value) => value + 20);
        const chunks = chunkCount(geometry);
        const run = (units: readonly number[]) => {
          const all = { x, partials: 2 * chunks * channels };
          return runKernel(variant, {
            ...{ entry: "moments", emit: moments, block: MOMENTS, values: all, writes: ["partials"], units },
            words: { x: "x", partials: "partials", channels, ...chunkWords(geometry) },
            batch: geometry.batch,
            last: endOf(all, c),
          })["partials"]!;
        };
        const partials = run(shuffled(chunks, c.seed));
        expect(firstDifference(partials, run(shuffled(chunks, c.seed + 1)))).toBe(-1);
        expectSameBits(variant, "moments", c, partials);
        const expected = new Float64Array(partials.length).fill(Number.NaN);
        const bounds = new Float64Array(partials.length);
        for (let unit = 0; unit < chunks; unit++) {
          const { start, end } = rangeOf(geometry, unit);
          const n = end - start;
          for (let channel = 0; n > 0 && channel < channels; channel++) {
            const of = Array.from({ length: n }, (_, i) => x[(start + i) * channels + channel]!);
            const mean = of.reduce((sum, value) => sum + value, 0) / n;
            const at = 2 * unit * channels + channel;
            expected[at] = mean;
            expected[at + channels] = of.reduce((sum, value) => sum + (value - mean) ** 2, 0);
            const size = of.reduce((sum, value) => sum + Math.abs(value), 0) / n;
            bounds[at] = (n + 3) * ULP * size;
            bounds[at + channels] =
              (n + 6) * ULP * expected[at + channels]! +
              n * (size * (n + 3) * ULP) ** 2 * 4 +
              size * ULP * 8 * Math.sqrt(n * expected[at + channels]!);
          }
        }
        for (const [i, value] of partials.entries()) {
          if (Number.isNaN(expected[i]!)) expect(value).toBe(Number.NaN);
          else expectNear(value, expected[i]!, bounds[i]!);
        }

        const pixels = geometry.batch * geometry.each;
        const gamma = recipe([channels], c.seed + 5, 0.5, 2).data;
        const beta = recipe([channels], c.seed + 6, -1, 1).data;
        const movingMean = recipe([channels], c.seed + 7, -1, 1).data;
        const movingVariance = recipe([channels], c.seed + 8, 0.5, 2).data;
        const groups = Math.ceil(channels / 4);
        const all = { partials, norm: 4 * channels, gamma, beta, movingMean, movingVariance };
        const given = {
          norm: "norm",
          gamma: hasGamma ? "gamma" : 0,
          beta: hasGamma ? 0 : "beta",
          movingMean: "movingMean",
          movingVariance: "movingVariance",
          channels,
          epsilon: bitsOf(1e-3),
        };
        const result = runKernel(variant, {
          ...{ entry: "finishNorm", emit: finishNorm, block: FINISH_NORM, values: all },
          writes: ["norm", "movingMean", "movingVariance"],
          words: {
            ...given,
            partials: "partials",
            share: bitsOf(0.25),
            unbiased: Number(unbiased),
            ...chunkWords(geometry),
          },
          units: shuffled(groups, c.seed),
          batch: geometry.batch,
          last: endOf(all, c),
        });
        const check = (norm: Float32Array, mean: number, variance: number, channel: number) => {
          const inverse = 1 / Math.sqrt(variance + Math.fround(1e-3));
          const scale = (hasGamma ? gamma[channel]! : 1) * inverse;
          const shift = (hasGamma ? 0 : beta[channel]!) - mean * scale;
          for (const [row, value] of [scale, shift, mean, inverse].entries()) {
            const size = row === 1 ? Math.abs(shift) + Math.abs(mean * scale) : Math.abs(value);
            expectNear(norm[row * channels + channel]!, value, 2 * ULP * size + 1e-45);
          }
        };
        for (let channel = 0; channel < channels; channel++) {
          // From the very partials, so that what is joined in float64 is exact but for its last rounding.
          let [count, mean, squares] = [0, 0, 0];
          for (let unit = 0; unit < chunks; unit++) {
            const { start, end } = rangeOf(geometry, unit);
            if (end === start) continue;
            count += (end - start) * 1;
            mean += (end - start) * partials[2 * unit * channels + channel]!;
          }
          mean /= count;
          for (let unit = 0; unit < chunks; unit++) {
            const { start, end } = rangeOf(geometry, unit);
            if (end === start) continue;
            const at = 2 * unit * channels + channel;
            squares += partials[at + channels]! + (end - start) * (partials[at]! - mean) ** 2;
          }
          expect(count).toBe(pixels);
          check(result["norm"]!, mean, squares / pixels, channel);
          const moved = (before: number, batch: number) => 0.75 * before + 0.25 * batch;
          const variance = squares / (unbiased ? Math.max(1, pixels - 1) : pixels);
          const [newMean, newVariance] = [moved(movingMean[channel]!, mean), moved(movingVariance[channel]!, variance)];
          expectNear(result["movingMean"]![channel]!, newMean, 2 * ULP * (Math.abs(mean) + 1));
          expectNear(result["movingVariance"]![channel]!, newVariance, 2 * ULP * newVariance);
        }
        const frozen = runKernel(variant, {
          ...{ entry: "frozenNorm", emit: frozenNorm, block: FROZEN_NORM, writes: ["norm"], words: given },
          values: { norm: 4 * channels, gamma, beta, movingMean, movingVariance },
          units: shuffled(groups, c.seed),
          batch: geometry.batch,
          last: endOf(given, c),
        });
        for (let channel = 0; channel < channels; channel++)
          check(frozen["norm"]!, movingMean[channel]!, movingVariance[channel]!, channel);
      }),
      RUNS,
    );
  });

  it("sums what flows to gamma and beta by chunk, and finishes the gradient of the norm", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), fc.boolean(), fc.boolean(), (c, frozen, adds, hasBoth) => {
        const { geometry, channels } = c;
        const x = numbers(elementsOf(c), c, 1);
        const dy = recipe([x.length], c.seed + 2, -1, 1).data;
        const norm = normOf(c);
        const chunks = chunkCount(geometry);
        const run = (units: readonly number[]) => {
          const all = { x, dy, norm, partials: 2 * chunks * channels };
          return runKernel(variant, {
            ...{ entry: "normSums", emit: normSums, block: NORM_SUMS, values: all, writes: ["partials"], units },
            words: {
              x: "x",
              dy: "dy",
              norm: "norm",
              partials: "partials",
              channels,
              ...chunkWords(geometry),
              ...CLAMPS[c.clamp as "relu"],
            },
            batch: geometry.batch,
            last: endOf(all, c),
          })["partials"]!;
        };
        const partials = run(shuffled(chunks, c.seed));
        expect(firstDifference(partials, run(shuffled(chunks, c.seed + 1)))).toBe(-1);
        expectSameBits(variant, "normSums", c, partials);
        const through = throughClamp(variant, { ...c, hasNorm: true }, dy, x, norm);
        for (let unit = 0; unit < chunks; unit++) {
          const { start, end } = rangeOf(geometry, unit);
          for (let channel = 0; channel < channels; channel++) {
            let [sum, product, sizeOfSum, sizeOfProduct] = [0, 0, 0, 0];
            for (let p = start; p < end; p++) {
              const i = p * channels + channel;
              const normal = (x[i]! - norm[2 * channels + channel]!) * norm[3 * channels + channel]!;
              sum += through[i]!;
              product += through[i]! * normal;
              sizeOfSum += Math.abs(through[i]!);
              sizeOfProduct += Math.abs(through[i]! * normal);
            }
            const at = 2 * unit * channels + channel;
            if (start === end) {
              expect([partials[at], partials[at + channels]]).toEqual([Number.NaN, Number.NaN]);
              continue;
            }
            expectNear(partials[at]!, sum, (end - start) * ULP * sizeOfSum);
            expectNear(partials[at + channels]!, product, (end - start + 4) * ULP * sizeOfProduct);
          }
        }

        const before = recipe([2, channels], c.seed + 5, -1, 1).data;
        const all = {
          partials,
          norm,
          pqr: 3 * channels,
          dgamma: before.slice(0, channels),
          dbeta: before.slice(channels),
          adds: Int32Array.of(Number(adds)),
        };
        const result = runKernel(variant, {
          ...{ entry: "finishNormGradient", emit: finishNormGradient, block: FINISH_NORM_GRADIENT, values: all },
          writes: hasBoth ? ["pqr", "dgamma", "dbeta"] : ["pqr", "dgamma"],
          words: {
            partials: "partials",
            norm: "norm",
            normGradient: "pqr",
            dgamma: "dgamma",
            dbeta: hasBoth ? "dbeta" : 0,
            adds: "adds",
            frozen: Number(frozen),
            channels,
            ...chunkWords(geometry),
          },
          units: shuffled(Math.ceil(channels / 4), c.seed),
          batch: geometry.batch,
          last: endOf(all, c),
        });
        const pixels = geometry.batch * geometry.each;
        for (let channel = 0; channel < channels; channel++) {
          let [dbeta, dgamma] = [0, 0];
          for (let unit = 0; unit < chunks; unit++) {
            const { start, end } = rangeOf(geometry, unit);
            if (start === end) continue;
            dbeta += partials[2 * unit * channels + channel]!;
            dgamma += partials[(2 * unit + 1) * channels + channel]!;
          }
          const [scale, , mean, inverse] = [0, 1, 2, 3].map((row) => norm[row * channels + channel]!) as [
            number,
            number,
            number,
            number,
          ];
          const q = frozen ? 0 : (-scale * dgamma * inverse) / pixels;
          const r = frozen ? 0 : (-scale * dbeta) / pixels - q * mean;
          const near = (actual: number, expected: number, size: number) =>
            expectNear(actual, expected, 4 * ULP * size + 1e-45);
          near(result["pqr"]![channel]!, scale, 0);
          near(result["pqr"]![channels + channel]!, q, Math.abs(q));
          near(result["pqr"]![2 * channels + channel]!, r, Math.abs((scale * dbeta) / pixels) + Math.abs(q * mean));
          const kept = (at: number) => (adds ? before[at]! : 0);
          near(result["dgamma"]![channel]!, kept(channel) + dgamma, 1 + Math.abs(dgamma));
          near(
            result["dbeta"]![channel]!,
            hasBoth ? kept(channels + channel) + dbeta : before[channels + channel]!,
            1 + Math.abs(dbeta),
          );
        }
      }),
      RUNS,
    );
  });

  it("all together give the gradients of a batch norm by its definition", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { geometry, channels } = c;
        const pixels = geometry.batch * geometry.each;
        const x = recipe([pixels, channels], c.seed + 1, -2, 4).data;
        const dy = recipe([pixels, channels], c.seed + 2, -1, 1).data;
        const gamma = recipe([channels], c.seed + 3, 0.5, 2).data;
        const units = shuffled(chunkCount(geometry), c.seed);
        const groups = shuffled(Math.ceil(channels / 4), c.seed);
        const words = {
          ...{ x: "x", dy: "dy", partials: "partials", norm: "norm", channels },
          ...chunkWords(geometry),
        };
        const size = 2 * chunkCount(geometry) * channels;
        const { batch } = geometry;
        const common = { ...words, adds: "adds", gamma: "gamma", beta: 0, movingMean: 0, movingVariance: 0 };
        const { partials } = runKernel(variant, {
          ...{ entry: "moments", emit: moments, block: MOMENTS, words, writes: ["partials"], units, batch },
          values: { x, partials: size },
        });
        const { norm } = runKernel(variant, {
          ...{ entry: "finishNorm", emit: finishNorm, block: FINISH_NORM, writes: ["norm"], units: groups, batch },
          values: { partials: partials!, norm: 4 * channels, gamma },
          words: { ...common, epsilon: bitsOf(1e-3), share: 0, unbiased: 0 },
        });
        const { partials: sums } = runKernel(variant, {
          ...{ entry: "normSums", emit: normSums, block: NORM_SUMS, words, writes: ["partials"], units, batch },
          values: { x, dy, norm: norm!, partials: size },
        });
        const finished = runKernel(variant, {
          ...{
            entry: "finishNormGradient",
            emit: finishNormGradient,
            block: FINISH_NORM_GRADIENT,
            units: groups,
            batch,
          },
          ...{
            writes: ["pqr", "dgamma", "dbeta"],
            words: { ...common, normGradient: "pqr", dgamma: "dgamma", dbeta: "dbeta", frozen: 0 },
          },
          values: {
            partials: sums!,
            norm: norm!,
            pqr: 3 * channels,
            dgamma: channels,
            dbeta: channels,
            adds: Int32Array.of(0),
          },
        });
        const { y } = runKernel(variant, {
          ...{ entry: "normGradient", emit: normGradient, block: NORM_GRADIENT, writes: ["y"], units, batch },
          values: { x, dy, norm: norm!, pqr: finished["pqr"]!, y: x.length },
          words: { ...words, normGradient: "pqr", y: "y", offset: 0, before: 0, after: 0 },
        });
        for (let channel = 0; channel < channels; channel++) {
          const at = Array.from({ length: pixels }, (_, p) => p * channels + channel);
          const mean = at.reduce((total, i) => total + x[i]!, 0) / pixels;
          const variance = at.reduce((total, i) => total + (x[i]! - mean) ** 2, 0) / pixels;
          const inverse = 1 / Math.sqrt(variance + 1e-3);
          const normal = (i: number) => (x[i]! - mean) * inverse;
          const dbeta = at.reduce((total, i) => total + dy[i]!, 0);
          const dgamma = at.reduce((total, i) => total + dy[i]! * normal(i), 0);
          const size = at.reduce((total, i) => total + Math.abs(dy[i]!), 0);
          expectNear(finished["dbeta"]![channel]!, dbeta, pixels * ULP * size);
          // A mean that is one rounding off is many standard deviations off where they are small.
          expectNear(finished["dgamma"]![channel]!, dgamma, pixels * ULP * 30 * (1 + inverse));
          const scale = gamma[channel]! * inverse;
          for (const i of at) {
            const dx = scale * (dy[i]! - dbeta / pixels - (normal(i) * dgamma) / pixels);
            expectNear(y![i]!, dx, 60 * ULP * scale * (1 + inverse) ** 2);
          }
        }
      }),
      RUNS,
    );
  });
});
