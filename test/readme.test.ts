import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, pages, pattern, run, userFolder } from "./readme.ts";
import { describeShared } from "./shared.ts";

const blocks = [...pages()].flatMap(([page, markdown]) =>
  blocksOf(markdown).map((block) => {
    const lines = block.code.trim().split("\n");
    return [page, lines.find((line) => !line.startsWith("import")) || block.code, block] as const;
  }),
);
const folder = userFolder();

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a page", () => {
  it.each(blocks.filter(([, , { needsWeights }]) => !needsWeights))(
    "%s prints what it says: %s",
    (_page, _line, block) => {
      expect(run(block, folder)).toMatch(pattern(block.output));
    },
  );

  it.each([...pages()])("%s has no block of code without its output", (_page, markdown) => {
    const found = blocksOf(markdown);
    expect(markdown.match(/```(js|ts|sh)\n/g) ?? []).toHaveLength(found.length);
    for (const { output } of found) expect(output.trim()).not.toBe("");
  });
});

describeShared("a page with weights", () => {
  it.each(blocks.filter(([, , { needsWeights }]) => needsWeights))(
    "%s prints what it says: %s",
    (_page, _line, block) => {
      expect(run(block, folder)).toMatch(pattern(block.output));
    },
  );
});
