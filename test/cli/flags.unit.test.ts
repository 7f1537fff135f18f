/** Flags: each declared once in the source, and a wrong one answered with the one that was probably meant. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { run } from "./command.ts";

it("no flag is declared twice", () => {
  const folder = resolve(import.meta.dirname, "../../src/cli");
  const text = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  const flags = [...text.join("\n").matchAll(/(?:option|choice)\(\s*["`](--[a-z0-9-]+)/gi)].map(
    ([, flag = ""]) => flag,
  );
  expect(flags.length).toBeGreaterThan(30);
  expect(flags.filter((flag, i) => flags.indexOf(flag) !== i)).toEqual([]);
});

it.each([
  [["clasify", "a.png"], "classify"],
  [["classify", "a.png", "--weigths", "x"], "--weights"],
  [["cost", "--convention", "papre"], '"paper"'],
  [["classify", "a.png", "--backend", "wsam"], '"wasm"'],
  [["convert", "a", "b", "--dtype", "f16"], '"F16"'],
  [["inspect", "a", "--padding", "symetric"], '"symmetric"'],
])("%j is asked whether it meant %s", async (args, meant) => {
  const { code, stdout, stderr } = await run(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/did you mean/i);
  expect(stderr).toContain(meant);
});
