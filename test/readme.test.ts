import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, pattern, run, userFolder } from "./readme.ts";
import { describeShared } from "./shared.ts";

const markdown = readFileSync(resolve(import.meta.dirname, "../README.md"), "utf8");
const blocks = blocksOf(markdown).map(
  (block) =>
    [
      block.code
        .trim()
        .split("\n")
        .find((line) => !line.startsWith("import")) || block.code,
      block,
    ] as const,
);
const folder = userFolder();

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("README", () => {
  it.each(blocks.filter(([, { needsWeights }]) => !needsWeights))("prints what it says: %s", (_line, block) => {
    expect(run(block, folder)).toMatch(pattern(block.output));
  });

  it("has no block of code without its output", () => {
    expect(markdown.match(/```(js|ts|sh)\n/g)).toHaveLength(blocks.length);
    for (const [, { output }] of blocks) expect(output.trim()).not.toBe("");
  });
});

describeShared("README with weights", () => {
  it.each(blocks.filter(([, { needsWeights }]) => needsWeights))("prints what it says: %s", (_line, block) => {
    expect(run(block, folder)).toMatch(pattern(block.output));
  });
});
