/** @slow: it takes 7 seconds. */

/**
 * The emitted kernels against the reference loops, over the list of geometries and over random ones, for every
 * feature set of this engine. Every tile, thread count and way of cutting gives the same bits within one feature set;
 * products keep to the bound of their roundings; whatever else computes as the reference does, to the bit.
 */

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { joins } from "../../src/backends/wasm/layout.ts";
import { layWindow } from "../../src/core/window.ts";
import { referenceKernel } from "../../src/kernels/reference/index.ts";
import { probeFeatures, TILES, type Weights } from "../../src/kernels/wasm/index.ts";
import { FUSED_ACTIVATIONS, type FusedActivation } from "../../src/operations/activation-names.ts";
import type { ConvolutionCall, DepthwiseCall, KernelCall, PointwiseCall } from "../../src/operations/kernel-call.ts";
import { operationOf } from "../../src/operations/table.ts";
import { foldedWeights } from "../../src/plan/step-weights.ts";
import { CHANNELS, FILTERS, fits, WIDTHS, WINDOWS, type WindowCase } from "../cases/windows.ts";
import { recipe } from "../golden/vectors.ts";
import { FEATURE_SETS, firstDifference, type Piece, type RunOptions, runOnWasm, sameBits } from "./on-wasm.ts";

const SEED = 20170417;
let cases = 0;
const counts: Record<string, number> = {};
afterAll(() => {
  const sets = FEATURE_SETS.map((set) => set.map(({ name }) => name).join("; ")).join("; ");
  console.log(`kernels on wasm: ${cases} geometries (${JSON.stringify(counts)}), each on: ${sets}`);
});

function count(family: string): void {
  cases++;
  counts[family] = (counts[family] ?? 0) + 1;
}

/** How the numbers of a case are made. */
interface Numbers {
  readonly seed: number;
  readonly bias: boolean;
  /** Whether a batch norm is folded in: a factor for each output channel. */
  readonly scale: boolean;
  /** Whether some inputs are NaN, infinite, denormal or −0. */
  readonly special: boolean;
  readonly activation: FusedActivation;
  readonly threads: number;
  /** Examples the memory has room for, beyond those of the run. */
  readonly room: number;
}

const PLAIN: Numbers = { seed: 1, bias: true, scale: false, special: false, activation: "linear", threads: 1, room: 0 };

const numbers: fc.Arbitrary<Numbers> = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  bias: fc.boolean(),
  scale: fc.boolean(),
  special: fc.integer({ min: 0, max: 7 }).map((value) => value === 7),
  activation: fc.constantFrom(...FUSED_ACTIVATIONS),
  threads: fc.integer({ min: 1, max: 4 }),
  room: fc.integer({ min: 0, max: 2 }),
});
const batches = fc.integer({ min: 1, max: 3 });
const channelCounts = (edges: readonly number[], max: number) =>
  fc.oneof(fc.constantFrom(...edges.filter((edge) => edge <= max)), fc.integer({ min: 1, max }));

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-45, -0];

function input(elements: number, { seed, special }: Numbers, spread = 1): Float32Array {
  const { data } = recipe([elements], seed, -spread, spread);
  if (!special) return data;
  for (let i = 0; i < elements; i++)
    if ((i * 7919 + seed) % 23 < 2) data[i] = SPECIAL[(i * 31 + seed) % SPECIAL.length]!;
  return data;
}

function weightsOf(taps: number, channels: number, { seed, bias, scale }: Numbers): Weights {
  return {
    kernel: recipe([taps, channels], seed + 1, -1, 1).data,
    ...(scale ? { scale: Float64Array.from(recipe([channels], seed + 2, 0.5, 2).data) } : {}),
    ...(bias ? { bias: recipe([channels], seed + 3, -1, 1).data } : {}),
  };
}

function onReference(
  call: KernelCall,
  batch: number,
  inputs: readonly Float32Array[],
  elements: number,
  parameters: readonly (Float32Array | undefined)[] = [],
): Float32Array {
  const output = new Float32Array(elements);
  referenceKernel(call)(batch, { inputs, parameters, output });
  return output;
}

function activate(activation: FusedActivation, values: Float32Array): Float32Array {
  const call: KernelCall = { kernel: "activation", elements: values.length, activation };
  return onReference(call, 1, [values], values.length);
}

function optionsOf(batch: number, { threads, room }: Numbers, turn: number): RunOptions {
  return { batch, laidOutFor: batch + room, threads: 1 + ((threads - 1 + turn) % 4) };
}

/** Where two runs differ, for the message of a failure. */
function difference(actual: Float32Array, expected: Float32Array): string | undefined {
  const at = firstDifference(actual, expected);
  return at === -1 ? undefined : `at ${at} of ${expected.length}: ${actual[at]}, expected the bits of ${expected[at]}`;
}

/** Runs a piece on each tile of each feature set, on other numbers of threads; gives the bits of each feature set. */
function sameOnEveryTile(
  pieces: readonly Piece[],
  batch: number,
  inputs: readonly Float32Array[],
  how: Numbers,
): readonly Float32Array[] {
  return FEATURE_SETS.map((variants, set) => {
    let first: Float32Array | undefined;
    for (const [turn, variant] of variants.entries()) {
      const result = runOnWasm(variant, pieces, inputs, optionsOf(batch, how, turn + set));
      first ??= result;
      expect(difference(result, first), variant.name).toBeUndefined();
    }
    return first!;
  });
}

/** What computes as the reference does. */
function expectBits(
  call: KernelCall,
  batch: number,
  inputs: readonly Float32Array[],
  outputElements: number,
  how: Numbers,
  weights?: Weights,
): void {
  const parameters = weights === undefined ? [] : [weights.kernel, weights.bias];
  const expected = onReference(call, batch, inputs, batch * outputElements, parameters);
  const piece = { call, outputElements, ...(weights === undefined ? {} : { weights }) };
  for (const result of sameOnEveryTile([piece], batch, inputs, how))
    expect(difference(result, expected)).toBeUndefined();
}

type Product = ConvolutionCall | DepthwiseCall | PointwiseCall;

const UNIT = 2 ** -24;

/**
 * Sums of products: within γ·Σ|x·w| of the float64 sum. `terms` products, a bias, and the rounding of the reference
 * itself, so n = terms + 2; a product below 2⁻¹²⁶ may lose the least float32. The activation behind a sum is then
 * that of the reference, on the same bits.
 */
function expectProduct(
  call: Product,
  terms: number,
  batch: number,
  x: Float32Array,
  weights: Weights,
  outputElements: number,
  how: Numbers,
): void {
  const linear = { ...call, activation: "linear" } as const;
  const [kernel, bias] = foldedWeights(weights as Parameters<typeof foldedWeights>[0]);
  const elements = batch * outputElements;
  const exact = onReference(linear, batch, [x], elements, [kernel, bias]);
  const magnitudes = onReference(linear, batch, [x.map(Math.abs)], elements, [
    kernel?.map(Math.abs),
    bias?.map(Math.abs),
  ]);
  const n = terms + 2;
  const gamma = (n * UNIT) / (1 - n * UNIT);
  const results = sameOnEveryTile([{ call: linear, outputElements, weights }], batch, [x], how);
  for (const [set, result] of results.entries()) {
    const wrong = result.findIndex((value, i) => {
      const expected = exact[i]!;
      if (!Number.isFinite(expected)) return !Object.is(value, expected);
      return !(Math.abs(value - expected) <= gamma * magnitudes[i]! + n * 2 ** -149);
    });
    expect(wrong === -1 ? undefined : `at ${wrong}: ${result[wrong]}, expected ${exact[wrong]}`).toBeUndefined();
    if (call.activation === "linear") continue;
    const variants = FEATURE_SETS[set]!;
    const turn = how.seed % variants.length;
    const options = optionsOf(batch, how, turn);
    const activated = runOnWasm(variants[turn]!, [{ call, outputElements, weights }], [x], options);
    expect(difference(activated, activate(call.activation, result)), `${call.activation} behind it`).toBeUndefined();
  }
}

function checkConvolution(c: WindowCase, how: Numbers): void {
  count("conv2d");
  const window = layWindow("test", c, c.size);
  const { channels: inChannels, filters: outChannels, batch, kernel, size } = c;
  const taps = kernel[0] * kernel[1] * inChannels;
  const call = { kernel: "conv2d", window, inChannels, outChannels, activation: how.activation } as const;
  const x = input(batch * size[0] * size[1] * inChannels, how);
  const weights = weightsOf(taps, outChannels, how);
  expectProduct(call, taps, batch, x, weights, window.output[0] * window.output[1] * outChannels, how);
}

function checkDepthwise(c: WindowCase, how: Numbers): void {
  count("depthwiseConv2d");
  const window = layWindow("test", c, c.size);
  const { channels, multiplier, batch, kernel, size } = c;
  const taps = kernel[0] * kernel[1];
  const call = { kernel: "depthwiseConv2d", window, channels, multiplier, activation: how.activation } as const;
  const x = input(batch * size[0] * size[1] * channels, how);
  const weights = weightsOf(taps, channels * multiplier, how);
  expectProduct(call, taps, batch, x, weights, window.output[0] * window.output[1] * channels * multiplier, how);
}

function checkPools(c: WindowCase, how: Numbers): void {
  const window = layWindow("test", c, c.size);
  const { channels, batch, size } = c;
  const x = input(batch * size[0] * size[1] * channels, how);
  for (const kernel of ["averagePool", "maxPool"] as const) {
    count(kernel);
    expectBits({ kernel, window, channels }, batch, [x], window.output[0] * window.output[1] * channels, how);
  }
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const padding = fc.oneof(fc.constantFrom("same" as const, "valid" as const), fc.tuple(pair(0, 4), pair(0, 4)));
/** Any window at all. */
const anyWindow: fc.Arbitrary<WindowCase> = fc
  .record({
    batch: batches,
    size: pair(1, 13),
    channels: channelCounts(CHANNELS, 20),
    filters: channelCounts(FILTERS, 34),
    kernel: pair(1, 5),
    stride: pair(1, 3),
    dilation: fc.oneof(fc.constant([1, 1] as const), pair(1, 3)),
    padding,
    multiplier: fc.constantFrom(1, 1, 2, 3),
  })
  .filter(fits);
/** Windows that have tiles of their own: square, undilated, stride 1 or 2. */
const tiledWindow: fc.Arbitrary<WindowCase> = fc
  .record({
    batch: batches,
    size: fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.oneof(fc.constantFrom(...WIDTHS), fc.integer({ min: 1, max: 30 })),
    ),
    channels: channelCounts(CHANNELS, 36),
    filters: channelCounts(FILTERS, 34),
    kernel: fc.constantFrom([3, 3] as const, [5, 5] as const),
    stride: fc.constantFrom([1, 1] as const, [2, 2] as const),
    dilation: fc.constant([1, 1] as const),
    padding,
    multiplier: fc.constant(1),
  })
  .filter(fits);

describe.each([
  ["conv2d", checkConvolution],
  ["depthwiseConv2d", checkDepthwise],
  ["pools", checkPools],
])("%s", (_name, check) => {
  it("is right on every geometry of the list, with each activation and number of threads in turn", () => {
    for (const [index, window] of WINDOWS.entries()) {
      const activation = FUSED_ACTIVATIONS[index % FUSED_ACTIVATIONS.length]!;
      const how = { ...PLAIN, seed: index + 1, activation, scale: index % 3 === 0, threads: 1 + (index % 4) };
      try {
        check(window, how);
      } catch (error) {
        throw new Error(`check(${JSON.stringify(window)}, ${JSON.stringify(how)})`, { cause: error });
      }
    }
  });

  it("is right on random geometries", () => {
    fc.assert(fc.property(anyWindow, numbers, check), { seed: SEED, numRuns: 300 });
  });

  it("is right on random geometries of the windows that have tiles", () => {
    fc.assert(fc.property(tiledWindow, numbers, check), { seed: SEED, numRuns: 300 });
  });
});

function checkPointwise(pixels: number, inChannels: number, outChannels: number, batch: number, how: Numbers): void {
  count(pixels === 1 ? "dense" : "pointwiseConv2d");
  const call = { kernel: "pointwiseConv2d", pixels, inChannels, outChannels, activation: how.activation } as const;
  const x = input(batch * pixels * inChannels, how);
  expectProduct(call, inChannels, batch, x, weightsOf(inChannels, outChannels, how), pixels * outChannels, how);
}

describe("pointwiseConv2d and dense", () => {
  // Around the edges of tiles, and of the pixels below which a step is cut by panels for one to four threads.
  const pixelCounts = fc.oneof(
    fc.constantFrom(...WIDTHS, 31, 32, 33, 49, 63, 64, 65, 97, 127, 128, 129),
    fc.integer({ min: 2, max: 150 }),
  );
  const inChannels = channelCounts(CHANNELS, 70);
  const outChannels = channelCounts(FILTERS, 70);

  it("are right on random geometries", () => {
    fc.assert(fc.property(pixelCounts, inChannels, outChannels, batches, numbers, checkPointwise), {
      seed: SEED,
      numRuns: 500,
    });
  });

  it("are right for a lone pixel", () => {
    fc.assert(fc.property(fc.constant(1), inChannels, outChannels, batches, numbers, checkPointwise), {
      seed: SEED,
      numRuns: 400,
    });
    for (const filters of FILTERS) checkPointwise(1, 5, filters, 1, { ...PLAIN, seed: filters });
  });

  it("are right where the pixels pass the panels in chunks", () => {
    for (const filters of [1, 7, 8, 17]) {
      checkPointwise(101, 2100, filters, 1, { ...PLAIN, threads: 2, activation: "relu6" });
      checkPointwise(49, 2048, filters, 2, { ...PLAIN, activation: "hardSwish" });
    }
  });
});

describe("depthwiseConv2d and the pointwiseConv2d behind it", () => {
  let joined = 0;
  let banded = 0;

  function check(c: WindowCase, how: Numbers): void {
    const window = layWindow("test", c, c.size);
    const { channels, multiplier, batch } = c;
    const pixels = window.output[0] * window.output[1];
    const between = channels * multiplier;
    const inner = (["linear", "relu", "relu6"] as const)[how.seed % 3]!;
    const first: DepthwiseCall = { kernel: "depthwiseConv2d", window, channels, multiplier, activation: inner };
    const second: PointwiseCall = {
      kernel: "pointwiseConv2d",
      pixels,
      inChannels: between,
      outChannels: c.filters,
      activation: how.activation,
    };
    const pieces: readonly Piece[] = [
      { call: first, outputElements: pixels * between, weights: weightsOf(c.kernel[0] * c.kernel[1], between, how) },
      {
        call: second,
        outputElements: pixels * c.filters,
        weights: weightsOf(between, c.filters, { ...how, seed: how.seed + 10 }),
      },
    ];
    const x = input(batch * c.size[0] * c.size[1] * channels, how);
    const apart = sameOnEveryTile(pieces, batch, [x], how);
    for (const [set, variants] of FEATURE_SETS.entries()) {
      for (const [turn, variant] of variants.entries()) {
        const options = optionsOf(batch, how, turn);
        if (!joins(first, second, batch + how.room, options.threads, TILES[variant.tiles])) continue;
        count("joined");
        joined++;
        if (4 * window.output[0] * window.output[1] * between * batch > 65_536 * options.threads) banded++;
        const result = runOnWasm(variant, pieces, [x], { ...options, joined: true });
        expect(difference(result, apart[set]!), `${variant.name}, joined`).toBeUndefined();
      }
    }
  }

  it("give the same bits as one stage, band by band, and as two", () => {
    fc.assert(fc.property(anyWindow, numbers, check), { seed: SEED, numRuns: 150 });
    fc.assert(fc.property(tiledWindow, numbers, check), { seed: SEED, numRuns: 150 });
    expect(joined).toBeGreaterThan(200);
  });

  it("give the same bits where a thread's share is several bands", () => {
    const base = { ...WINDOWS[0]!, filters: 17 };
    for (const [index, [height, width, channels]] of (
      [
        [20, 20, 64],
        [9, 33, 128],
        [23, 7, 132],
        [5, 130, 40],
      ] as const
    ).entries()) {
      for (const stride of [1, 2]) {
        for (const batch of [1, 2]) {
          const size = [height * stride, width * stride] as const;
          check(
            { ...base, size, channels, stride: [stride, stride], batch },
            { ...PLAIN, seed: index + batch, activation: FUSED_ACTIVATIONS[index]! },
          );
        }
      }
    }
    expect(banded).toBeGreaterThan(10);
  });
});

describe("what computes as the reference does, to the bit", () => {
  it("globalAveragePool and globalMaxPool", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 60 }),
      channelCounts(CHANNELS, 40),
      batches,
      numbers,
      (pixels, channels, batch, how) => {
        const x = input(batch * pixels * channels, how);
        for (const kernel of ["globalAveragePool", "globalMaxPool"] as const) {
          count(kernel);
          expectBits({ kernel, pixels, channels }, batch, [x], channels, how);
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 150 });
  });

  it("every activation, on numbers beyond its bends and on special ones", () => {
    const property = fc.property(fc.integer({ min: 1, max: 200 }), batches, numbers, (elements, batch, how) => {
      count("activation");
      const x = input(batch * elements, how, 9);
      for (const [i, edge] of [-3, 0, 3, 6, -0].entries()) if (i < x.length) x[(i * 7) % x.length] = edge;
      expectBits({ kernel: "activation", elements, activation: how.activation }, batch, [x], elements, how);
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  it("leakyRelu of any slope, on special numbers too", () => {
    const elements = fc.integer({ min: 1, max: 200 });
    const slopes = fc.oneof(fc.constantFrom(0.01, 0.1, 1e-45, 1 - 2 ** -24), fc.float({ min: 2 ** -149, max: 0.875 }));
    const property = fc.property(elements, batches, numbers, slopes, (count, batch, how, value) => {
      const x = input(batch * count, how, 9);
      const slope = Math.fround(value);
      expectBits({ kernel: "activation", elements: count, activation: "leakyRelu", slope }, batch, [x], count, how);
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  it("scaleShift, with each activation", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 30 }),
      channelCounts(CHANNELS, 40),
      batches,
      numbers,
      (pixels, channels, batch, how) => {
        count("scaleShift");
        const x = input(batch * pixels * channels, how, 9);
        const weights = weightsOf(1, channels, { ...how, bias: true, scale: false });
        const call = { kernel: "scaleShift", pixels, channels, activation: how.activation } as const;
        expectBits(call, batch, [x], pixels * channels, how, weights);
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  it("add and multiply, with every broadcast of the second over the first", () => {
    const shapes = fc
      .tuple(batches, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }))
      .chain(([batch, sides]) =>
        fc.tuple(
          fc.constant([batch, ...sides]),
          fc.array(fc.boolean(), { minLength: sides.length + 1, maxLength: sides.length + 1 }),
          fc.integer({ min: 0, max: sides.length }),
        ),
      );
    const property = fc.property(
      shapes,
      numbers,
      fc.constantFrom("add" as const, "multiply" as const),
      ([a, isWhole, left], how, type) => {
        count(type);
        // Sides of 1 where it is broadcast, then as many leading sides left out as are asked for.
        const b = a.map((side, axis) => (isWhole[axis] ? side : 1)).slice(left);
        const operation = operationOf(type);
        const call = operation.isView ? undefined : operation.call(type, {}, [a, b], a);
        const size = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);
        const inputs = [input(size(a), how, 9), input(size(b), { ...how, seed: how.seed + 5 }, 9)];
        expectBits({ ...call, activation: how.activation } as KernelCall, a[0]!, inputs, size(a) / a[0]!, {
          ...how,
          room: 0,
        });
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 400 });
  });
});

describe("softmax", () => {
  /** e^z is off by 2 units, and by |z| units since x − max is rounded; the sum by as much in the mean. */
  function check(rows: number, channels: number, batch: number, spread: number, how: Numbers): void {
    count("softmax");
    const call = { kernel: "softmax", rows, channels } as const;
    const x = input(batch * rows * channels, how, spread);
    const expected = onReference(call, batch, [x], x.length);
    for (const result of sameOnEveryTile([{ call, outputElements: rows * channels }], batch, [x], how)) {
      for (let start = 0; start < x.length; start += channels) {
        const row = x.subarray(start, start + channels);
        const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
        const roundings = (value: number) => Math.min(104, Math.abs(value - largest)) + 8;
        const ofSum = row.reduce((sum, value, i) => sum + expected[start + i]! * roundings(value), 0);
        for (const [i, value] of row.entries()) {
          const [actual, exact] = [result[start + i]!, expected[start + i]!];
          if (Number.isNaN(exact)) expect(actual).toBeNaN();
          else
            expect(Math.abs(actual - exact)).toBeLessThanOrEqual(exact * UNIT * (roundings(value) + ofSum) + 2 ** -148);
        }
      }
    }
  }

  it("is within a few units of the reference, from equal logits to huge ones", () => {
    const spreads = fc.constantFrom(0, 1, 10, 60, 110, 1e4, 3e38);
    const property = fc.property(
      fc.integer({ min: 1, max: 5 }),
      channelCounts(CHANNELS, 70),
      batches,
      spreads,
      numbers,
      check,
    );
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  it("adds up to 1 over a thousand classes", () => {
    check(1, 1000, 2, 20, PLAIN);
    check(2, 1001, 1, 3, { ...PLAIN, threads: 3 });
  });
});

if (!probeFeatures().relaxed) {
  it(`relaxed SIMD could not run here: Node ${process.version} does not validate it`, () => {
    expect(Number(process.versions.node.split(".")[0])).toBeLessThan(22);
  });
}

it("sameBits tells −0 from 0, and no NaN from another", () => {
  expect(sameBits(Float32Array.of(0), Float32Array.of(-0))).toBe(false);
  expect(sameBits(Float32Array.of(Number.NaN), new Float32Array(Uint32Array.of(0xffffffff).buffer))).toBe(true);
});
