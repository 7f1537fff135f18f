/**
 * The emitted kernels of depthwise layers in training against plain float64 loops, over random geometry: from memory and
 * from rows in scratch, in chunks of a few rows and of several images, on every form of SIMD.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layWindow, type Padding } from "../../../src/core/window.ts";
import { lowerDepthwise } from "../../../src/kernels/wasm/depthwise.ts";
import { emitModule, packAll, probeFeatures, TILES } from "../../../src/kernels/wasm/index.ts";
import { groupPacking, writeSlots } from "../../../src/kernels/wasm/pack.ts";
import type { FusedActivation } from "../../../src/operations/activation-names.ts";
import { recipe } from "../../golden/vectors.ts";
import { firstDifference } from "../on-wasm.ts";
import {
  type Cutting,
  type Form,
  forward,
  inputGradient,
  type Layer,
  packed,
  perImageOf,
  type Sides,
  sharesOf,
  weightGradient,
} from "./depthwise-chunks.ts";

const SEED = 20170417;
const FORMS: readonly Form[] = [false, ...(probeFeatures().relaxed ? [true] : [])].flatMap((relaxed) => [
  { relaxed, lanes: 4 },
  { relaxed, lanes: 8 },
  { relaxed, lanes: 4, general: true },
]);

interface Case {
  readonly layer: Layer;
  readonly cutting: Cutting;
  readonly sides: Sides;
  readonly seed: number;
  readonly last: number;
  readonly bias: boolean;
  readonly activation: FusedActivation;
}

const side = (most: number) => fc.integer({ min: 1, max: most });
const pair = (most: number) =>
  fc.oneof(
    side(most).map((n) => [n, n] as const),
    fc.tuple(side(most), side(most)),
  );
const pads = fc.tuple(fc.nat(4), fc.nat(4));
const paddings: fc.Arbitrary<Padding> = fc.oneof(
  fc.constantFrom<Padding>(
    "same",
    "valid",
    [
      [1, 1],
      [1, 1],
    ],
    [
      [0, 1],
      [0, 1],
    ],
  ),
  fc.tuple(pads, pads),
);
/** Half of the windows have tiles. */
const windows = fc
  .oneof(
    fc.record({
      kernel: fc.constantFrom([3, 3] as const, [3, 3] as const, [5, 5] as const),
      stride: fc.constantFrom([1, 1] as const, [2, 2] as const),
      dilation: fc.constant([1, 1] as const),
      padding: paddings,
      input: fc.tuple(side(14), side(21)),
      multiplier: fc.constant(1),
    }),
    fc.record({
      kernel: pair(7),
      stride: pair(3),
      dilation: pair(3),
      padding: paddings,
      input: fc.tuple(side(12), side(12)),
      multiplier: fc.constantFrom(1, 1, 2, 3),
    }),
  )
  .filter(({ kernel, dilation, padding, input }) =>
    ([0, 1] as const).every((axis) => {
      const extent = (kernel[axis] - 1) * dilation[axis] + 1;
      if (padding === "same") return true;
      const more = padding === "valid" ? 0 : padding[axis][0] + padding[axis][1];
      return extent <= input[axis] + more;
    }),
  );

const cases: fc.Arbitrary<Case> = fc
  .record({
    window: windows,
    channels: fc.oneof(fc.constantFrom(1, 3, 4, 5, 8, 12, 13), side(24), side(65)),
    batch: fc.integer({ min: 0, max: 4 }),
    more: fc.nat(3),
    images: side(4),
    rows: side(14),
    per: side(4),
    spare: fc.nat(2),
    shuffled: fc.nat(50),
    x: fc.constantFrom("memory", "scratch"),
    z: fc.constantFrom("memory", "scratch"),
    seed: side(1_000_000),
    last: fc.nat(20),
    bias: fc.boolean(),
    activation: fc.constantFrom<FusedActivation>("linear", "relu", "relu6"),
  })
  .map(({ window: { multiplier, input, ...options }, channels, batch, more, images, rows, x, z, ...rest }) => {
    const window = layWindow("test", options, input);
    const { per, spare, shuffled } = rest;
    // Chunks begin inside the image, on both sides.
    const whole = window.output[0];
    const isInside = (Math.ceil(whole / rows) - 1) * rows * window.stride[0] < window.input[0];
    const cutting = {
      batch,
      room: Math.max(1, batch + more),
      images,
      rows: isInside ? Math.min(rows, whole) : whole,
      per,
      spare,
      shuffled,
    };
    return { layer: { window, channels, multiplier }, cutting, sides: { x, z } as Sides, ...rest };
  });

/** All of a case that a run takes, and its numbers. */
function prepare({ layer, cutting, bias, seed, ...rest }: Case) {
  const { window, channels, multiplier } = layer;
  const [kh, kw] = window.kernel;
  const outChannels = channels * multiplier;
  const numbers = (shape: readonly number[], more: number) => recipe(shape, seed + more, -1, 1).data;
  const operands = {
    x: numbers([cutting.batch, ...window.input, channels], 1),
    dz: numbers([cutting.batch, ...window.output, outChannels], 2),
    kernel: numbers([kh, kw, outChannels], 3),
    ...(bias ? { bias: numbers([outChannels], 4) } : {}),
  };
  return { layer, cutting, operands, ...rest };
}

/** Visits every product of a layer over output rows: indices of x, of w and of z. */
function overTaps(
  { window, channels, multiplier }: Layer,
  from: number,
  to: number,
  visit: (x: number, w: number, z: number) => void,
): void {
  const { input, output, kernel, stride, dilation, padding } = window;
  for (let row = from; row < to; row++) {
    const n = Math.floor(row / output[0]);
    for (let ox = 0; ox < output[1]; ox++)
      for (let u = 0; u < kernel[0]; u++)
        for (let v = 0; v < kernel[1]; v++) {
          const iy = (row % output[0]) * stride[0] + u * dilation[0] - padding[0][0];
          const ix = ox * stride[1] + v * dilation[1] - padding[1][0];
          if (iy < 0 || iy >= input[0] || ix < 0 || ix >= input[1]) continue;
          for (let c = 0; c < channels; c++)
            for (let m = 0; m < multiplier; m++)
              visit(
                ((n * input[0] + iy) * input[1] + ix) * channels + c,
                (u * kernel[1] + v) * channels * multiplier + c * multiplier + m,
                (row * output[1] + ox) * channels * multiplier + c * multiplier + m,
              );
        }
  }
}

/** Sums in float64, those of absolute values, and how many terms: so much may a float32 sum be off, in any order. */
class Sums {
  readonly sum: Float64Array;
  readonly #size: Float64Array;
  readonly #terms: Int32Array;
  constructor(length: number) {
    this.sum = new Float64Array(length);
    this.#size = new Float64Array(length);
    this.#terms = new Int32Array(length);
  }
  add(at: number, term: number): void {
    this.sum[at]! += term;
    this.#size[at]! += Math.abs(term);
    this.#terms[at]!++;
  }
  /** The first number beyond its bound. */
  check(actual: Float32Array, from = 0): void {
    for (let i = 0; i < this.sum.length; i++) {
      const n = this.#terms[i]! + 8;
      const bound = ((n * 2 ** -24) / (1 - n * 2 ** -24)) * this.#size[i]!;
      const off = Math.abs(actual[from + i]! - this.sum[i]!);
      if (!(off <= bound)) expect.fail(`at ${i}: ${actual[from + i]}, expected ${this.sum[i]}`);
    }
  }
}

/** On every form: the results are right, and all forms of one rounding give the same bits. */
function onEveryForm(run: (form: Form) => Float32Array, check: (result: Float32Array) => void): void {
  const first = new Map<boolean, Float32Array>();
  for (const form of FORMS) {
    const result = run(form);
    const same = first.get(form.relaxed);
    if (same === undefined) {
      check(result);
      first.set(form.relaxed, result);
    } else {
      const at = firstDifference(result, same);
      if (at !== -1) expect.fail(`${JSON.stringify(form)} at ${at}: ${result[at]}, expected the bits of ${same[at]}`);
    }
  }
}

/** Cases that random ones do not come to: pixels that crowd the first cache, rows of many tiles. */
const FIXED: readonly Case[] = [
  { size: 5, channels: 1024, stride: 1, padding: "same" as const },
  {
    size: 7,
    channels: 1024,
    stride: 2,
    padding: [
      [1, 1],
      [1, 1],
    ] as const,
  },
  { size: 9, channels: 512, stride: 1, padding: "same" as const },
  { size: 14, channels: 512, stride: 2, padding: "same" as const },
  {
    size: 14,
    channels: 512,
    stride: 2,
    padding: [
      [1, 1],
      [1, 1],
    ] as const,
  },
  { size: 37, channels: 8, stride: 1, padding: "valid" as const },
  { size: 48, channels: 12, stride: 2, padding: "same" as const },
].map(({ size, channels, stride, padding }, index) => {
  const window = layWindow("test", { kernel: [3, 3], stride: [stride, stride], dilation: [1, 1], padding }, [
    size,
    size,
  ]);
  return {
    layer: { window, channels, multiplier: 1 },
    cutting: { batch: 2, room: 3, images: 1, rows: 3, per: 2, spare: 1, shuffled: index },
    sides: index % 2 === 0 ? { x: "scratch", z: "memory" } : { x: "memory", z: "scratch" },
    seed: index + 1,
    last: index,
    bias: index % 2 === 0,
    activation: "linear",
  };
});

/** Over random cases, and in the end over the fixed ones. */
function overCases(count: number, check: (one: Case) => void): void {
  fc.assert(fc.property(cases, check), runs(count));
  for (const one of FIXED) check(one);
}

const runs = (count: number) => ({
  numRuns: count * Math.max(1, Number(process.env["DEPTHWISE_FUZZ"] ?? 1)),
  seed: SEED,
});

describe("depthwise layers in training", () => {
  it("weights are packed as for a run, and in reverse for the input gradient", () => {
    overCases(60, (one) => {
      const run = prepare(one);
      const { layer, operands } = run;
      const taps = layer.window.kernel[0] * layer.window.kernel[1];
      const channels = layer.channels * layer.multiplier;
      for (const form of FORMS) {
        const packing = groupPacking(taps, channels, form.lanes);
        const expected = new Float32Array(packing.floats);
        writeSlots(packing.kernel, expected, 0, operands.kernel);
        writeSlots(packing.bias, expected, 0, operands.bias);
        expect(firstDifference(packed({ ...run, form }, false), expected)).toBe(-1);
        const reversed = operands.kernel.map(
          (_, i) => operands.kernel[(taps - 1 - Math.floor(i / channels)) * channels + (i % channels)]!,
        );
        writeSlots(packing.kernel, expected, 0, reversed);
        writeSlots(packing.bias, expected, 0);
        expect(firstDifference(packed({ ...run, form }, true), expected)).toBe(-1);
      }
    });
  });

  it("forward gives the bits of inference", () => {
    overCases(250, (one) => {
      const run = prepare(one);
      onEveryForm(
        (form) => {
          const result = forward({ ...run, form });
          const expected = inferred(one, form);
          const at = firstDifference(result.subarray(0, expected.length), expected);
          if (at !== -1) expect.fail(`at ${at}: ${result[at]}, expected the bits of ${expected[at]}`);
          expect(result.subarray(expected.length).every(Number.isNaN)).toBe(true);
          return result;
        },
        () => undefined,
      );
    });
  });

  it("the input gradient is that of plain loops", () => {
    overCases(250, (one) => {
      const run = prepare(one);
      const { layer, cutting, operands } = run;
      const sums = new Sums(operands.x.length);
      overTaps(layer, 0, cutting.batch * layer.window.output[0], (x, w, z) =>
        sums.add(x, operands.dz[z]! * operands.kernel[w]!),
      );
      onEveryForm(
        (form) => inputGradient({ ...run, form, activation: "linear" }),
        (result) => {
          sums.check(result);
          expect(result.subarray(sums.sum.length).every(Number.isNaN)).toBe(true);
        },
      );
    });
  });

  it("the weight gradient is that of plain loops, in partial sums of groups of chunks", () => {
    overCases(250, (one) => {
      const run = prepare(one);
      const { layer, cutting, operands } = run;
      const shares = sharesOf(layer, cutting);
      const groups = Array.from({ length: Math.ceil(shares.length / cutting.per) }, (_, group) => {
        const own = shares.slice(group * cutting.per, (group + 1) * cutting.per);
        const sums = new Sums(operands.kernel.length);
        for (const { start, end } of own)
          overTaps(layer, start, end, (x, w, z) => sums.add(w, operands.x[x]! * operands.dz[z]!));
        return { sums, hasBegun: own.some(({ start, end }) => start < end) };
      });
      const inOrder = { ...run, cutting: { ...cutting, shuffled: 0 } };
      onEveryForm(
        (form) => {
          const result = weightGradient({ ...run, form });
          const at = firstDifference(result, weightGradient({ ...inOrder, form }));
          expect(at, "another order of groups gives other bits").toBe(-1);
          return result;
        },
        (result) => {
          for (const [group, { sums, hasBegun }] of groups.entries()) {
            const from = group * operands.kernel.length;
            if (hasBegun) sums.check(result, from);
            else expect(result.subarray(from, from + operands.kernel.length).every(Number.isNaN)).toBe(true);
          }
        },
      );
    });
  });

  it("chunks cover all rows of both sides once", () => {
    fc.assert(
      fc.property(cases, ({ layer, cutting }) => {
        const { input, output } = layer.window;
        const shares = sharesOf(layer, cutting);
        const rows = (of: (share: (typeof shares)[number]) => readonly [number, number]) =>
          shares.map(of).flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
        const all = (height: number) => Array.from({ length: cutting.batch * height }, (_, i) => i);
        expect(rows(({ start, end }) => [start, end])).toEqual(all(output[0]));
        expect(rows(({ firstRow, endRow }) => [firstRow, endRow])).toEqual(all(input[0]));
        expect(perImageOf(layer, cutting)).toBeGreaterThan(0);
      }),
      runs(200),
    );
  });
});

const ofInference = new Map<string, WebAssembly.Module>();

/** The same layer on the kernel of inference. */
function inferred(one: Case, { relaxed, lanes }: Form): Float32Array {
  const { layer, cutting, operands, activation } = prepare(one);
  const { window, channels, multiplier } = layer;
  const tile = lanes === 4 ? TILES.relaxed : TILES.wide;
  const lowered = lowerDepthwise({ kernel: "depthwiseConv2d", window, channels, multiplier, activation }, tile);
  const block = 64;
  const zeros = block + lowered.blockBytes;
  const weights = zeros + lowered.zeroBytes;
  const input = weights + 4 * lowered.weights.floats;
  const output = input + operands.x.byteLength;
  const length = operands.dz.length;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((output + 4 * length) / 65_536), maximum: 65_536 });
  const floats = new Float32Array(memory.buffer);
  packAll(lowered.weights, { memory: floats, staging: 0, pack: () => undefined }, weights, {
    kernel: operands.kernel,
    bias: operands.bias,
  });
  floats.set(operands.x, input / 4);
  lowered.write(new DataView(memory.buffer), block, { inputs: [input], output, weights, zeros });
  const key = `${lowered.module} ${relaxed} ${lanes}`;
  const module =
    ofInference.get(key) ?? new WebAssembly.Module(emitModule(lowered.module, { relaxed, shared: false }, tile));
  ofInference.set(key, module);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  (exports["depthwise"] as (...words: number[]) => void)(block, 0, cutting.batch * window.output[0], cutting.batch, 0);
  return floats.slice(output / 4, output / 4 + length);
}
