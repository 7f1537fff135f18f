/** The page in both languages: the same things said, and no Korean particle behind what is put in. */

import { describe, expect, it } from "vitest";
import { en, ko } from "./words.ts";

type Sentence = (...parts: readonly string[]) => string;

/** What is said, by its path: a text, or a sentence into which something is put. */
function leavesOf(words: object, path = ""): readonly (readonly [path: string, leaf: string | Sentence])[] {
  return Object.entries(words).flatMap(([key, value]: [string, string | Sentence | object]) =>
    typeof value === "object" ? leavesOf(value, `${path}${key}.`) : [[`${path}${key}`, value as string | Sentence]],
  );
}

const put = (leaf: Sentence) => leaf(...Array.from({ length: leaf.length }, (_, index) => `⟨${index}⟩`));

describe("the words of the page", () => {
  it("have the same keys in both languages, and as much is put into each", () => {
    const shapes = (words: object) =>
      leavesOf(words).map(([path, leaf]) => [path, typeof leaf === "string" ? "text" : leaf.length]);
    expect(shapes(ko)).toEqual(shapes(en));
    expect(leavesOf(en).length).toBeGreaterThan(120);
  });

  it("keep everything that is put into them", () => {
    for (const [path, leaf] of [...leavesOf(en), ...leavesOf(ko)]) {
      if (typeof leaf === "string") continue;
      for (let index = 0; index < leaf.length; index++)
        expect([path, put(leaf)]).toEqual([path, expect.stringContaining(`⟨${index}⟩`)]);
    }
  });

  it("in Korean have no particle behind what is put in", () => {
    const PARTICLE =
      /⟩\s?(은|는|이|가|을|를|와|과|로|으로|의|에|에서|에게|도|만|부터|까지|보다|처럼|이나|나|이며|며|이고|고|라|란)(?![가-힣])/;
    for (const [path, leaf] of leavesOf(ko)) {
      if (typeof leaf !== "string") expect([path, PARTICLE.exec(put(leaf))?.[0]]).toEqual([path, undefined]);
    }
  });

  it("are Korean in Korean, but for names", () => {
    const foreign = leavesOf(ko).filter(([, leaf]) => !/[가-힣]/.test(typeof leaf === "string" ? leaf : put(leaf)));
    expect(foreign.map(([path]) => path)).toEqual([
      "percent",
      "why.ofAll",
      "widths.operations.MACs",
      "widths.operations.flops",
      "widths.separable",
      "speed.rate",
    ]);
  });
});
