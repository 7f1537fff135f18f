/**
 * What V8 joins of these kernels, as it says itself: those that see every activation where they are wide, and nothing of
 * what is not, which other sessions of the process run when the switch is on (`../joined.unit.test.ts`).
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { moduleBuilder } from "../../../src/kernels/wasm/assembler/index.ts";
import { TILES, type TileName } from "../../../src/kernels/wasm/index.ts";
import { NOT_WIDE } from "../../backends.ts";
import { EMITTERS } from "./emitters.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-joined-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FLAGS = [
  "--experimental-wasm-revectorize",
  "--trace-wasm-revectorize",
  "--no-liftoff",
  "--no-wasm-lazy-compilation",
  "--wasm-num-compilation-tasks=1",
];

/** Functions that V8 looks through, and in how many of them it joins something. */
function look(tiles: TileName): {
  readonly functions: readonly string[];
  readonly joined: readonly string[];
} {
  const module = moduleBuilder({ shared: false });
  for (const emit of Object.values(EMITTERS)) emit(module, { relaxed: tiles !== "plain", shared: false }, TILES[tiles]);
  const file = join(folder, `${tiles}.wasm`);
  writeFileSync(file, module.bytes());
  const program = `new WebAssembly.Module(require("node:fs").readFileSync(${JSON.stringify(file)}))`;
  const trace = execFileSync(process.execPath, [...FLAGS, "-e", program], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const functions = [...trace.matchAll(/Begin revec function (\S+)/g)].map(([, name = ""]) => name);
  const parts = trace.split(/Begin revec function /).slice(1);
  const joined = parts.filter((part) => /Decided? to vectorize/.test(part)).map((part) => part.split(/\s/)[0] ?? "");
  return { functions, joined };
}

if (NOT_WIDE !== undefined) {
  it(`could not run: ${NOT_WIDE}`, () => {
    expect(Number(process.versions.node.split(".")[0]) < 24 || NOT_WIDE?.includes("AVX2")).toBe(true);
  });
} else {
  it.each(["relaxed", "plain"] as const)("nothing is joined of the %s kernels", (tiles) => {
    const { functions, joined } = look(tiles);
    expect([...functions].sort()).toEqual(Object.keys(EMITTERS).sort());
    expect(joined).toEqual([]);
  });

  it("all that see every activation are joined where they are wide", () => {
    expect([...look("wide").joined].sort()).toEqual(["moments", "normGradient", "normSums", "normalise"]);
  });
}
