/** What V8 joins of the products of training, as it says itself: all of the wide tiles, and nothing elsewhere. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { moduleBuilder } from "../../../src/kernels/wasm/assembler/index.ts";
import { TILES } from "../../../src/kernels/wasm/index.ts";
import { multiplyPanels } from "../../../src/kernels/wasm/multiply-panels.ts";
import type { Tile } from "../../../src/kernels/wasm/tiles.ts";
import { gradientPanels, gradientProduct } from "../../../src/kernels/wasm/training/gradient-product.ts";
import { gradientTiles } from "../../../src/kernels/wasm/training/gradient-tile.ts";
import { col2im, im2col } from "../../../src/kernels/wasm/training/im2col.ts";
import { pack, packTransposed } from "../../../src/kernels/wasm/training/pack-panels.ts";
import { product } from "../../../src/kernels/wasm/training/product.ts";
import { NOT_WIDE } from "../../backends.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-joined-products-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FLAGS = [
  "--experimental-wasm-revectorize",
  "--trace-wasm-revectorize",
  "--no-liftoff",
  "--no-wasm-lazy-compilation",
  "--wasm-num-compilation-tasks=1",
];

/** Whether V8 joins anything in each function that has vectors. */
function joinedOf(tile: Tile, relaxed: boolean): ReadonlyMap<string, boolean> {
  const features = { relaxed, shared: false };
  const module = moduleBuilder(features);
  const tiles = gradientTiles(module, tile, features);
  gradientProduct(module, tiles, tile);
  gradientPanels(module, tiles, tile);
  product(module, multiplyPanels(module, tile, features), tile);
  pack(module, tile);
  packTransposed(module, tile);
  im2col(module);
  col2im(module);
  const file = join(folder, "module.wasm");
  writeFileSync(file, module.bytes());
  const program = `new WebAssembly.Module(require("node:fs").readFileSync(${JSON.stringify(file)}))`;
  const trace = execFileSync(process.execPath, [...FLAGS, "-e", program], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const functions = new Map<string, boolean>();
  let current = "";
  for (const line of trace.split("\n")) {
    const began = /Begin revec function (\S+)/.exec(line)?.[1];
    current = began ?? current;
    if (began !== undefined) functions.set(began, false);
    if (/Decided? to vectorize/.test(line)) functions.set(current, true);
  }
  return functions;
}

if (NOT_WIDE !== undefined) {
  it(`could not run: ${NOT_WIDE}`, () => {
    expect(Number(process.versions.node.split(".")[0]) < 24 || NOT_WIDE?.includes("AVX2")).toBe(true);
  });
} else {
  describe("V8 joins", () => {
    it.each([
      ["wide", TILES.wide],
      ["slim", TILES.wide.slim],
    ] as const)("each height of the %s tile", (_, tile) => {
      const functions = joinedOf(tile, true);
      const heights = [...functions].filter(([name]) => /^f32-gradient-\d+x\d+$/.test(name));
      expect(heights.length).toBe(tile.rows);
      expect(heights.filter(([, isJoined]) => !isJoined)).toEqual([]);
    });

    it.each(["relaxed", "plain", "early"] as const)("nothing of the %s tile", (name) => {
      const functions = joinedOf(TILES[name], name === "relaxed");
      expect(functions.size).toBeGreaterThan(10);
      expect([...functions].filter(([, isJoined]) => isJoined)).toEqual([]);
    });
  });
}
