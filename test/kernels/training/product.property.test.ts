/** Products of chunks, and the panels of weights that they read, W and its transpose, over random geometry and tiles. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Emitter } from "../../../src/kernels/wasm/modules.ts";
import { multiplyPanels } from "../../../src/kernels/wasm/multiply-panels.ts";
import { panelPacking, writeSlots } from "../../../src/kernels/wasm/pack.ts";
import { PACK_PANELS, pack, packTransposed } from "../../../src/kernels/wasm/training/pack-panels.ts";
import { PRODUCT, product } from "../../../src/kernels/wasm/training/product.ts";
import {
  chunkings,
  chunksOf,
  differs,
  inAnyOrder,
  multiplyAddOf,
  nans,
  numbersOf,
  pixelsOf,
  runOnTile,
  TILE_VARIANTS,
  wordsOf,
} from "./on-tiles.ts";

const emit: Emitter = (module, features, tile) => [
  product(module, multiplyPanels(module, tile, features), tile),
  pack(module, tile),
  packTransposed(module, tile),
];

const sizes = (most: number) => fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: most }));

/** `[rows][columns]` the other way round. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Panels of a matrix `[inner][outer]` with its bias, as inference lays them out. */
function panelsOf(matrix: Float32Array, inner: number, outer: number, columns: number, bias?: Float32Array) {
  const packing = panelPacking(inner, outer, columns, false);
  const panels = nans(packing.floats);
  writeSlots(packing.kernel, panels, 0, matrix);
  writeSlots(packing.bias, panels, 0, bias);
  return panels;
}

const matrices = fc.record({
  rows: sizes(70),
  columns: sizes(70),
  hasBias: fc.boolean(),
  cut: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  last: fc.constantFrom("source", "target", "bias"),
});

describe.each(TILE_VARIANTS)("on $name", (variant) => {
  const { columns: panelColumns } = variant.tile;

  it.each(["pack", "packTransposed"] as const)("%s lays panels out as inference does", (entry) => {
    const check = ({
      rows,
      columns,
      hasBias,
      cut,
      seed,
      last,
    }: typeof matrices extends fc.Arbitrary<infer C> ? C : never) => {
      const [inner, outer] = entry === "pack" ? [rows, columns] : [columns, rows];
      const source = numbersOf(rows * columns, seed);
      const bias = numbersOf(outer, seed + 1);
      const matrix = entry === "pack" ? source : transposed(source, rows, columns);
      const expected = panelsOf(matrix, inner, outer, panelColumns, hasBias ? bias : undefined);
      const panels = Math.ceil(outer / panelColumns);
      const ranges = inAnyOrder(Math.ceil(panels / cut), seed).map(
        (part) => [part * cut, Math.min(panels, (part + 1) * cut)] as const,
      );
      const result = runOnTile(variant, {
        ...{ entry, emit, block: PACK_PANELS, ranges, batch: 1, last, writes: ["target"] },
        values: { source, bias, target: nans(expected.length) },
        words: { source: "source", target: "target", rows, columns, bias: hasBias ? "bias" : 0 },
      });
      expect(differs(result["target"]!, expected)).toBeUndefined();
    };
    fc.assert(fc.property(matrices, check), { seed: 20170417, numRuns: 150 });
  });

  const products = fc.record({
    chunking: chunkings(30),
    inner: sizes(50),
    outer: sizes(50),
    xInScratch: fc.boolean(),
    yInScratch: fc.boolean(),
    isClamped: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
    last: fc.constantFrom("x", "y", "panels", "scratch"),
  });

  it("a product gives each output of a chunk its chain, from and to memory or scratch", () => {
    const check = (c: typeof products extends fc.Arbitrary<infer C> ? C : never) => {
      const { chunking, inner, outer } = c;
      const pixels = chunking.batch * chunking.each;
      const x = numbersOf(pixels * inner, c.seed);
      const w = numbersOf(inner * outer, c.seed + 1);
      const bias = numbersOf(outer, c.seed + 2);
      const panels = panelsOf(w, inner, outer, panelColumns, bias);
      const count = Math.ceil(outer / panelColumns);
      const multiplyAdd = multiplyAddOf(variant);
      const bounds = c.isClamped ? { low: 0, high: 0.5 } : {};
      const expected = Float32Array.from({ length: pixels * outer }, (_, i) => {
        const [pixel, n] = [Math.floor(i / outer), i % outer];
        let sum = bias[n]!;
        for (let k = 0; k < inner; k++) sum = multiplyAdd(x[pixel * inner + k]!, w[k * outer + n]!, sum);
        return c.isClamped ? Math.min(Math.max(sum, 0), 0.5) : sum;
      });
      const chunks = chunksOf(chunking);
      const rangeOf = (chunk: number) => pixelsOf(chunking, chunk);
      const most = Math.max(...Array.from({ length: chunks }, (_, i) => rangeOf(i).end - rangeOf(i).start));
      const xFloats = c.xInScratch ? most * inner : 0;
      const yFloats = c.yInScratch ? most * outer : 0;
      const narrowFloats = outer < panelColumns ? most * panelColumns : 0;
      const laidOut = chunking.most * chunking.each * outer;
      const found = nans(laidOut);
      const { y } = runOnTile(variant, {
        ...{ entry: "product", emit, block: PRODUCT, batch: chunking.batch, last: c.last },
        ranges: inAnyOrder(chunks, c.seed).map((chunk) => [chunk, chunk + 1] as const),
        writes: ["scratch", ...(c.yInScratch ? [] : ["y"])],
        values: {
          ...{ x: c.xInScratch ? new Float32Array(0) : x, y: nans(laidOut), panels },
          scratch: nans(xFloats + yFloats + narrowFloats),
        },
        words: {
          ...{ x: c.xInScratch ? 0 : "x", offset: 0, w: "panels", bias: 0 },
          ...{ y: c.yInScratch ? 0 : "y", yOffset: 4 * xFloats, inChannels: inner, outChannels: outer },
          ...{ panels: count, narrow: 4 * (xFloats + yFloats), ...wordsOf(chunking), ...bounds },
        },
        offsets: { bias: { of: "panels", bytes: 4 * count * panelColumns * inner } },
        prepare: (chunk, { scratch }) => {
          const { start, end } = rangeOf(chunk);
          scratch!.fill(Number.NaN);
          if (c.xInScratch) scratch!.set(x.subarray(start * inner, end * inner));
        },
        after: (chunk, { scratch }) => {
          const { start, end } = rangeOf(chunk);
          if (c.yInScratch) found.set(scratch!.subarray(xFloats, xFloats + (end - start) * outer), start * outer);
        },
      });
      const wanted = nans(laidOut);
      wanted.set(expected);
      expect(differs(c.yInScratch ? found : y!, wanted)).toBeUndefined();
    };
    fc.assert(fc.property(products, check), { seed: 20170417, numRuns: 120 });
  });
});
