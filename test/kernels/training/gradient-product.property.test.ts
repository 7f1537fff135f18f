/** Gradients of weights as products, against chains of float32 to the bit, over random chunks, groups and tiles. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Emitter } from "../../../src/kernels/wasm/modules.ts";
import type { Tile } from "../../../src/kernels/wasm/tiles.ts";
import {
  GRADIENT_PANELS,
  GRADIENT_PRODUCT,
  gradientPacking,
  gradientPanels,
  gradientPanelsPacking,
  gradientProduct,
} from "../../../src/kernels/wasm/training/gradient-product.ts";
import { gradientTiles } from "../../../src/kernels/wasm/training/gradient-tile.ts";
import {
  chunkings,
  chunksOf,
  differs,
  inAnyOrder,
  type MultiplyAdd,
  multiplyAddOf,
  nans,
  numbersOf,
  pixelsOf,
  runOnTile,
  TILE_VARIANTS,
  wordsOf,
} from "./on-tiles.ts";

const emit: Emitter = (module, features, tile) => {
  const tiles = gradientTiles(module, tile, features);
  return [gradientProduct(module, tiles, tile), gradientPanels(module, tiles, tile)];
};

const sizes = (most: number) => fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: most }));
const wholePanels = (columns: number, tile: Tile) => Math.ceil(columns / tile.columns) * tile.columns;

/** aᵀ · dz over pixels from … to, each output one chain from 0. */
function chains(
  a: Float32Array,
  dz: Float32Array,
  [rows, columns]: readonly [number, number],
  [from, to]: readonly [number, number],
  multiplyAdd: MultiplyAdd,
): Float32Array {
  const y = new Float32Array(rows * columns);
  for (let k = 0; k < rows; k++) {
    for (let n = 0; n < columns; n++) {
      let sum = 0;
      for (let p = from; p < to; p++) sum = multiplyAdd(a[p * rows + k]!, dz[p * columns + n]!, sum);
      y[k * columns + n] = sum;
    }
  }
  return y;
}

const cases = fc.record({
  chunking: chunkings(30),
  rows: sizes(50),
  columns: sizes(70),
  per: fc.integer({ min: 1, max: 3 }),
  packs: fc.boolean(),
  aInScratch: fc.boolean(),
  dzInScratch: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
  last: fc.constantFrom("a", "dz", "partials", "scratch"),
});

type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

describe.each(TILE_VARIANTS)("gradientProduct on $name", (variant) => {
  const { tile } = variant;

  it("adds the chunks of a group in order, each a chain of its own, from memory or scratch", () => {
    const check = (c: Case) => {
      const { chunking, rows, columns, per } = c;
      const whole = wholePanels(columns, tile);
      const missing = whole - columns;
      const total = chunking.batch * chunking.each;
      const a = numbersOf(total * rows, c.seed);
      const dz = numbersOf(total * columns, c.seed + 1);
      const chunks = chunksOf(chunking);
      const groups = Math.ceil(chunks / per);
      const most = Math.max(
        ...Array.from({ length: chunks }, (_, i) => pixelsOf(chunking, i).end - pixelsOf(chunking, i).start),
      );
      // Sections of scratch: a, dz, and what is packed; the last one ends where memory ends.
      const aFloats = c.aInScratch ? most * rows : 0;
      const zFloats = c.dzInScratch ? most * columns + missing : 0;
      const packFloats = c.packs ? most * (whole + tile.rows) : 0;
      const values = {
        a: c.aInScratch ? new Float32Array(0) : a,
        dz: c.dzInScratch ? new Float32Array(0) : Float32Array.from([...dz, ...nans(missing)]),
        partials: nans(groups * rows * whole),
        scratch: nans(aFloats + zFloats + packFloats),
      };
      const expected = nans(groups * rows * columns);
      for (let chunk = 0; chunk < chunks; chunk++) {
        const { start, end } = pixelsOf(chunking, chunk);
        if (start === end) continue;
        const sums = chains(a, dz, [rows, columns], [start, end], multiplyAddOf(variant));
        const at = Math.floor(chunk / per) * rows * columns;
        for (const [i, sum] of sums.entries()) {
          expected[at + i] = chunk % per === 0 ? sum : Math.fround(expected[at + i]! + sum);
        }
      }
      const order = inAnyOrder(groups, c.seed).flatMap((group) =>
        Array.from({ length: Math.min(per, chunks - group * per) }, (_, i) => group * per + i),
      );
      const result = runOnTile(variant, {
        ...{ entry: "gradientProduct", emit, block: GRADIENT_PRODUCT, values, writes: ["partials", "scratch"] },
        ...{ batch: chunking.batch, last: c.last, ranges: order.map((chunk) => [chunk, chunk + 1] as const) },
        words: {
          ...{ a: c.aInScratch ? 0 : "a", aOffset: 0 },
          ...{ dz: c.dzInScratch ? 0 : "dz", dzOffset: 4 * aFloats },
          ...{ partials: "partials", rows, columns, stride: whole, per },
          ...{ packs: Number(c.packs), packOffset: 4 * (aFloats + zFloats), ...wordsOf(chunking) },
        },
        prepare: (chunk, { scratch }) => {
          const { start, end } = pixelsOf(chunking, chunk);
          scratch!.fill(Number.NaN);
          if (c.aInScratch) scratch!.set(a.subarray(start * rows, end * rows));
          if (c.dzInScratch) {
            scratch!.set(dz.subarray(start * columns, end * columns), aFloats);
          }
        },
      });
      const actual = nans(groups * rows * columns);
      for (let row = 0; row < groups * rows; row++) {
        actual.set(result["partials"]!.subarray(row * whole, row * whole + columns), row * columns);
      }
      expect(differs(actual, expected)).toBeUndefined();
    };
    fc.assert(fc.property(cases, check), { seed: 20170417, numRuns: 120 });
  });
});

const panelCases = fc.record({
  each: fc.integer({ min: 1, max: 12 }),
  batch: fc.integer({ min: 1, max: 4 }),
  rows: sizes(50),
  columns: sizes(70),
  packs: fc.boolean(),
  atOnce: fc.integer({ min: 1, max: 5 }),
  deep: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(48)),
  adds: fc.boolean(),
  cut: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  last: fc.constantFrom("a", "dz", "y", "scratch", "adds"),
});

describe.each(TILE_VARIANTS)("gradientPanels on $name", (variant) => {
  const { tile } = variant;

  it("gives each weight its chains over pieces of the pixels, in order, in whatever ranges of panels", () => {
    const check = (c: typeof panelCases extends fc.Arbitrary<infer C> ? C : never) => {
      const { each, batch, rows, columns } = c;
      const pixels = batch * each;
      const panels = Math.ceil(columns / tile.columns);
      const a = numbersOf(pixels * rows, c.seed);
      const dz = numbersOf(pixels * columns, c.seed + 1);
      const y = c.adds ? numbersOf(rows * columns, c.seed + 2) : nans(rows * columns);
      let expected: Float32Array | undefined = c.adds ? y : undefined;
      for (let from = 0; from < pixels; from += c.deep) {
        const to = Math.min(pixels, from + c.deep);
        const sums = chains(a, dz, [rows, columns], [from, to], multiplyAddOf(variant));
        expected = expected?.map((known, i) => Math.fround(known + sums[i]!)) ?? sums;
      }
      const packFloats = c.packs ? Math.min(c.deep, pixels) * (c.atOnce * tile.columns + tile.rows) : 0;
      const values = {
        ...{ a, y, adds: new Float32Array(Int32Array.of(Number(c.adds)).buffer) },
        dz: Float32Array.from([...dz, ...nans(Math.max(0, tile.columns - columns))]),
        scratch: nans(packFloats + tile.rows * tile.columns),
      };
      const ranges = inAnyOrder(Math.ceil(panels / c.cut), c.seed).map(
        (part) => [part * c.cut, Math.min(panels, (part + 1) * c.cut)] as const,
      );
      const result = runOnTile(variant, {
        ...{ entry: "gradientPanels", emit, block: GRADIENT_PANELS, values, writes: ["y", "scratch"], ranges, batch },
        last: c.last,
        words: {
          ...{ a: "a", dz: "dz", y: "y", rows, columns, adds: "adds", each, packs: Number(c.packs) },
          ...{ packOffset: 0, deep: c.deep, atOnce: c.atOnce, narrow: 4 * packFloats },
        },
      });
      expect(differs(result["y"]!, expected!)).toBeUndefined();
    };
    fc.assert(fc.property(panelCases, check), { seed: 20170417, numRuns: 120 });
  });

  it("packs what is large, into as much scratch as it says", () => {
    const [rows, columns, pixels] = [256, 256 + tile.columns / 2, 9];
    const product = gradientPacking(rows, columns, pixels, tile);
    expect(product).toEqual({ packs: 1, bytes: 4 * pixels * (wholePanels(columns, tile) + tile.rows) });
    expect(gradientPanelsPacking(rows, columns, pixels, tile)).toEqual({
      ...product,
      deep: pixels,
      atOnce: wholePanels(columns, tile) / tile.columns,
    });
    expect(gradientPacking(128, 128, pixels, tile)).toEqual({ packs: 0, bytes: 0 });
    // Of many pixels as few at once as leave panels a place in the second cache.
    const most = gradientPanelsPacking(rows, columns, 1e6, tile);
    expect(most.deep).toBeGreaterThan(400);
    expect(most.deep).toBeLessThanOrEqual(448);
    expect(most.atOnce).toBeGreaterThan(1);
    expect(most.bytes).toBe(4 * most.deep * (most.atOnce * tile.columns + tile.rows));
  });
});
