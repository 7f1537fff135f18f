/** Geometries of depthwise layers in training, and what plain float64 loops make of them. */

import fc from "fast-check";
import { expect } from "vitest";
import { layWindow, type Padding } from "../../../src/core/window.ts";
import type { FusedActivation } from "../../../src/operations/activation-names.ts";
import { recipe } from "../../golden/vectors.ts";
import type { Sides } from "./depthwise-chunks.ts";
import type { Cutting, Layer } from "./depthwise-shares.ts";

export interface Case {
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

export const cases: fc.Arbitrary<Case> = fc
  .record({
    window: windows,
    channels: fc.oneof(fc.constantFrom(1, 3, 4, 5, 8, 12, 13), side(24), side(65)),
    batch: fc.integer({ min: 0, max: 4 }),
    more: fc.nat(3),
    images: fc.constantFrom(1, 1, 1, 2, 3, 4),
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

/** Cases that random ones do not come to: pixels that crowd the first cache, rows of many tiles. */
export const FIXED: readonly Case[] = [
  { size: [5, 1] as const, channels: 8, stride: 1, padding: "same" as const },
  { size: [1, 5] as const, channels: 9, stride: 1, padding: "same" as const },
  { size: [6, 2] as const, channels: 8, stride: 1, padding: "same" as const },
  { size: [5, 5] as const, channels: 1024, stride: 1, padding: "same" as const },
  {
    size: [7, 7] as const,
    channels: 1024,
    stride: 2,
    padding: [
      [1, 1],
      [1, 1],
    ] as const,
  },
  { size: [9, 9] as const, channels: 512, stride: 1, padding: "same" as const },
  { size: [14, 14] as const, channels: 512, stride: 2, padding: "same" as const },
  {
    size: [14, 14] as const,
    channels: 512,
    stride: 2,
    padding: [
      [1, 1],
      [1, 1],
    ] as const,
  },
  { size: [37, 37] as const, channels: 8, stride: 1, padding: "valid" as const },
  { size: [48, 48] as const, channels: 12, stride: 2, padding: "same" as const },
].map(({ size, channels, stride, padding }, index) => {
  const window = layWindow("test", { kernel: [3, 3], stride: [stride, stride], dilation: [1, 1], padding }, size);
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

/** All of a case that a run takes, and its numbers. */
export function prepare({ layer, cutting, bias, seed, ...rest }: Case) {
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
export function overTaps(
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
export class Sums {
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
