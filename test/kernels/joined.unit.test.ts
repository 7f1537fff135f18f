/**
 * What V8 joins of the emitted kernels, as it says itself: everything that multiplies in the wide ones, and nothing of
 * the others, which other sessions of the process run when the switch is on. In processes of their own, with code of the
 * last tier at once.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { emitModule, MODULE_NAMES, type ModuleName, TILES, type TileName } from "../../src/kernels/wasm/index.ts";
import { NOT_WIDE } from "../backends.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-joined-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FLAGS = [
  "--experimental-wasm-revectorize",
  "--trace-wasm-revectorize",
  "--no-liftoff",
  "--no-wasm-lazy-compilation",
  "--wasm-num-compilation-tasks=1",
];

/** Whether V8 joins anything in each function of a module. */
function joined(name: ModuleName, tiles: TileName, relaxed: boolean, shared: boolean): ReadonlyMap<string, boolean> {
  const file = join(folder, "module.wasm");
  writeFileSync(file, emitModule(name, { relaxed, shared }, TILES[tiles]));
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

/** In the wide modules what takes no part in a product, walks to it alone, or is for what is left over. */
const SINGLE = ["pack", "pointwise", "f32-depthwise-tap-by-tap"];

if (NOT_WIDE !== undefined) {
  it(`could not run: ${NOT_WIDE}`, () => {
    expect(Number(process.versions.node.split(".")[0]) < 24 || NOT_WIDE?.includes("AVX2")).toBe(true);
  });
} else {
  describe.each([false, true])("with shared memory: %s", (shared) => {
    it.each(["product", "product-slim", "depthwise-3", "depthwise-5"] as const)("all of the wide %s", (name) => {
      const functions = joined(name, "wide", true, shared);
      const single = [...functions].filter(([, isJoined]) => !isJoined).map(([key]) => key);
      expect(functions.size).toBeGreaterThan(6);
      expect(single.filter((key) => !SINGLE.includes(key))).toEqual([]);
    });

    // A gate has no vectors at all.
    it.each(MODULE_NAMES.filter((name) => name !== "gate"))("nothing of %s that is not wide", (name) => {
      for (const tiles of ["relaxed", "plain", "early"] as const) {
        const functions = joined(name, tiles, tiles === "relaxed", shared);
        expect(functions.size, tiles).toBeGreaterThan(0);
        expect([...functions.values()], tiles).not.toContain(true);
      }
    });
  });
}
