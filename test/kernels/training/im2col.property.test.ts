/** im2col and col2im against plain loops, to the bit, over random windows and chunks. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layWindow, type Window } from "../../../src/core/window.ts";
import type { Emitter } from "../../../src/kernels/wasm/modules.ts";
import { COL2IM, col2im, IM2COL, im2col } from "../../../src/kernels/wasm/training/im2col.ts";
import { windowWords } from "../../../src/kernels/wasm/window.ts";
import {
  type Chunking,
  chunksOf,
  differs,
  inAnyOrder,
  nans,
  numbersOf,
  pixelsOf,
  runOnTile,
  TILE_VARIANTS,
  wordsOf,
} from "./on-tiles.ts";

const emit: Emitter = (module) => [im2col(module), col2im(module)];

/** No product takes part: one tile stands for all. */
const VARIANTS = TILE_VARIANTS.filter(({ name }) => /(plain SIMD, plain|relaxed SIMD, relaxed) tile/.test(name));

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const pair = (max: number, min = 1) => fc.tuple(upTo(max, min), upTo(max, min));

const windows = fc
  .record({
    kernel: pair(4),
    stride: pair(3),
    dilation: pair(3),
    padding: fc.oneof(fc.constantFrom("same" as const, "valid" as const), fc.tuple(pair(3, 0), pair(3, 0))),
    more: pair(7, 0),
  })
  .map(({ more, ...attributes }) => {
    // As large as one output needs without padding, and more.
    const [height, width] = ([0, 1] as const).map(
      (axis) => (attributes.kernel[axis] - 1) * attributes.dilation[axis] + 1 + more[axis],
    ) as [number, number];
    return layWindow("test", attributes, [height, width]);
  });

const cases = fc
  .record({
    window: windows,
    channels: upTo(9),
    batch: upTo(3),
    room: upTo(2, 0),
    cut: upTo(9),
    isLongLast: fc.boolean(),
    together: upTo(3),
    how: fc.constantFrom("pixels" as const, "rows" as const, "images" as const),
    seed: upTo(1e6),
    before: upTo(2, 0),
    inScratch: fc.boolean(),
    toScratch: fc.boolean(),
  })
  .map((c) => {
    const [outHeight, outWidth] = c.window.output;
    const each = outHeight * outWidth;
    const shared = { each, batch: c.batch, most: c.batch + c.room };
    const unit = c.how === "rows" ? outWidth : 1;
    const chunk = Math.min(c.cut * unit, each);
    const perImage = c.isLongLast ? Math.max(1, Math.floor(each / chunk)) : Math.ceil(each / chunk);
    const pixels = c.together * each;
    const chunking: Chunking =
      c.how === "images"
        ? { ...shared, pixels, perImage: 1, chunk: pixels }
        : { ...shared, pixels: each, perImage, chunk };
    return { ...c, chunking };
  });
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

/** For each number of the matrix the place in the batch of images that it comes from, or −1. */
function places(window: Window, channels: number, batch: number): readonly number[] {
  const [[top], [left]] = window.padding;
  const [height, width] = window.input;
  const all: number[] = [];
  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < window.output[0]; oy++) {
      for (let ox = 0; ox < window.output[1]; ox++) {
        for (let u = 0; u < window.kernel[0]; u++) {
          for (let v = 0; v < window.kernel[1]; v++) {
            const iy = oy * window.stride[0] + u * window.dilation[0] - top;
            const ix = ox * window.stride[1] + v * window.dilation[1] - left;
            const isInside = iy >= 0 && iy < height && ix >= 0 && ix < width;
            for (let c = 0; c < channels; c++) {
              all.push(isInside ? ((n * height + iy) * width + ix) * channels + c : -1);
            }
          }
        }
      }
    }
  }
  return all;
}

const mostOf = (chunking: Chunking) =>
  Math.max(
    ...Array.from({ length: chunksOf(chunking) }, (_, i) => pixelsOf(chunking, i)).map(({ start, end }) => end - start),
  );

describe.each(VARIANTS)("on $name", (variant) => {
  it("im2col copies what each output sees, from and to memory or scratch", () => {
    const check = (c: Case) => {
      const { window, channels, batch, chunking } = c;
      const [height, width] = window.input;
      const rowFloats = window.kernel[0] * window.kernel[1] * channels;
      const inScratch = c.inScratch && c.how !== "pixels";
      const imageFloats = height * width * channels;
      const x = numbersOf(batch * imageFloats, c.seed);
      const matrix = Float32Array.from(places(window, channels, batch), (place) => (place < 0 ? 0 : x[place]!));
      const laidOut = chunking.most * chunking.each * rowFloats;
      const expected = nans(laidOut);
      expected.set(matrix);
      const before = window.padding[0][0] + c.before;
      // All rows of the images, behind so many that are not there.
      const sourceFloats = inScratch ? (before + c.together * height) * width * channels : 0;
      const found = nans(laidOut);
      const { y } = runOnTile(variant, {
        ...{ entry: "im2col", emit, block: IM2COL, batch, last: ["x", "y", "scratch"][c.seed % 3]! },
        ranges: inAnyOrder(chunksOf(chunking), c.seed).map((chunk) => [chunk, chunk + 1] as const),
        writes: [c.toScratch ? "scratch" : "y"],
        values: {
          ...{ x: inScratch ? new Float32Array(0) : x, y: c.toScratch ? new Float32Array(0) : nans(laidOut) },
          scratch: nans(sourceFloats + (c.toScratch ? mostOf(chunking) * rowFloats : 0)),
        },
        words: {
          ...windowWords(window, channels, 1),
          ...{ x: inScratch ? 0 : "x", w: 0, bias: 0, y: c.toScratch ? 0 : "y" },
          ...{ offset: 0, before, yOffset: 4 * sourceFloats, ...wordsOf(chunking) },
        },
        prepare: (chunk, { scratch }) => {
          scratch!.fill(Number.NaN);
          if (!inScratch) return;
          const [unit, within] = [Math.floor(chunk / chunking.perImage), chunk % chunking.perImage];
          const top = (unit * chunking.pixels * height) / chunking.each;
          const bottom = Math.min(top + (chunking.pixels * height) / chunking.each, batch * height);
          const first = top + within * (chunking.chunk / window.output[1]) * window.stride[0];
          for (let row = Math.max(top, first - before); row < bottom; row++) {
            const at = (row - first + before) * width * channels;
            scratch!.set(x.subarray(row * width * channels, (row + 1) * width * channels), at);
          }
        },
        after: (chunk, { scratch }) => {
          const { start, end } = pixelsOf(chunking, chunk);
          if (!c.toScratch) return;
          found.set(scratch!.subarray(sourceFloats, sourceFloats + (end - start) * rowFloats), start * rowFloats);
        },
      });
      expect(differs(c.toScratch ? found : y!, expected)).toBeUndefined();
    };
    fc.assert(fc.property(cases, check), { seed: 20170417, numRuns: 400 });
  });

  it("col2im sums what has seen each number, in order", () => {
    const check = (c: Case) => {
      const { window, channels, batch } = c;
      const [height, width] = window.input;
      const each = window.output[0] * window.output[1];
      const pixels = c.together * each;
      const chunking: Chunking = { ...c.chunking, pixels, perImage: 1, chunk: pixels };
      const rowFloats = window.kernel[0] * window.kernel[1] * channels;
      const imageFloats = height * width * channels;
      const matrix = numbersOf(batch * each * rowFloats, c.seed);
      const expected = nans(chunking.most * imageFloats).fill(0, 0, batch * imageFloats);
      for (const [i, place] of places(window, channels, batch).entries()) {
        if (place >= 0) expected[place] = expected[place]! + matrix[i]!;
      }
      const { y } = runOnTile(variant, {
        ...{ entry: "col2im", emit, block: COL2IM, batch, last: ["x", "y", "scratch"][c.seed % 3]! },
        ranges: inAnyOrder(chunksOf(chunking), c.seed).map((chunk) => [chunk, chunk + 1] as const),
        writes: ["y"],
        values: {
          ...{ x: c.inScratch ? new Float32Array(0) : matrix, y: nans(chunking.most * imageFloats) },
          scratch: nans(c.inScratch ? 4 + Math.min(c.together, batch) * each * rowFloats : 0),
        },
        words: {
          ...windowWords(window, channels, 1),
          ...{ x: c.inScratch ? 0 : "x", w: 0, bias: 0, y: "y", offset: 16, ...wordsOf(chunking) },
        },
        prepare: (chunk, { scratch }) => {
          const { start, end } = pixelsOf(chunking, chunk);
          scratch!.fill(Number.NaN);
          if (c.inScratch) scratch!.set(matrix.subarray(start * rowFloats, end * rowFloats), 4);
        },
      });
      expect(differs(y!, expected)).toBeUndefined();
    };
    fc.assert(fc.property(cases, check), { seed: 20170417, numRuns: 400 });
  });
});
