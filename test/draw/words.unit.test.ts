/** Both languages say the same things, and Korean puts no particle behind what is put in. */

import { describe, expect, it } from "vitest";
import { drawAccuracy, drawCost, drawFront, drawNetwork, drawSeparable } from "../../src/draw/index.ts";
import { voiceOf } from "../../src/draw/voice.ts";
import { EN } from "../../src/draw/words/en.ts";
import { KO } from "../../src/draw/words/ko.ts";
import { mobileNetV1 } from "../../src/index.ts";

type Sentence = (...parts: readonly unknown[]) => string;

/** What is said, by its path: a text, or a sentence into which something is put. */
function leavesOf(words: object, path = ""): readonly (readonly [path: string, leaf: string | Sentence])[] {
  return Object.entries(words).flatMap(([key, value]: [string, string | Sentence | object]) =>
    typeof value === "object" ? leavesOf(value, `${path}${key}.`) : [[`${path}${key}`, value as string | Sentence]],
  );
}

const korean = new Map(leavesOf(KO));

describe("words", () => {
  it("have the same keys in both languages, and as much is put into each", () => {
    const shapes = (words: object) =>
      leavesOf(words).map(([path, leaf]) => [path, typeof leaf === "string" ? "text" : leaf.length]);
    expect(shapes(KO)).toEqual(shapes(EN));
    expect(korean.size).toBeGreaterThan(60);
  });

  it("are said in Hangul where they are Korean, names and signs of the field left out", () => {
    const foreign = [...korean].filter(([, leaf]) => typeof leaf === "string" && !/\p{Script=Hangul}/u.test(leaf));
    expect(foreign.map(([path]) => path)).toEqual(["noun.top1", "operations.MACs", "operations.flops"]);
  });

  it("in Korean have no particle behind what is put in", () => {
    const PARTICLE =
      /⟩\s?(은|는|이|가|을|를|와|과|로|으로|의|에|에서|에게|도|만|부터|까지|보다|처럼|이나|나|이며|며|이고|고|라|란)(?![가-힣])/;
    for (const [path, leaf] of korean) {
      if (typeof leaf === "string") continue;
      for (const count of [0, 1, 2]) {
        const parts = Array.from({ length: leaf.length }, (_, index) => `⟨${index}⟩`);
        // Of some the first is a number that the sentence looks at.
        const said =
          path.endsWith(".layers") || path.endsWith(".pairs") ? leaf(count, ...parts.slice(1)) : leaf(...parts);
        expect([path, PARTICLE.exec(said)?.[0]]).toEqual([path, undefined]);
      }
    }
  });

  it("keep everything that is put into them, in English and in Korean", () => {
    for (const [path, leaf] of [...leavesOf(EN), ...korean]) {
      if (typeof leaf === "string" || path.endsWith(".layers") || path.endsWith(".pairs")) continue;
      const said = leaf(...Array.from({ length: leaf.length }, (_, index) => `⟨${index}⟩`));
      for (let index = 0; index < leaf.length; index++)
        expect([path, said]).toEqual([path, expect.stringContaining(`⟨${index}⟩`)]);
    }
  });
});

describe("numbers", () => {
  it.each([
    ["en", [0, 9999, 12_345, 568_740_352, 1_150_000_000], ["0", "9,999", "12.3 k", "569 M", "1.15 G"]],
    ["ko", [0, 9999, 12_345, 568_740_352, 28_901_376], ["0", "9,999", "1.23만", "5.69억", "2,890만"]],
  ] as const)("of %s are shortened as it counts", (language, values, expected) => {
    expect(values.map((value) => voiceOf("test", language).short(value))).toEqual(expected);
  });

  it("that have no word, or more digits than a double, are written with a power of ten", () => {
    const { count, short } = voiceOf("test", "ko");
    expect([short(999e12), short(1e15), short(1.234e20)]).toEqual(["999조", "1.00e+15", "1.23e+20"]);
    expect([count(2 ** 53 - 1), count(2 ** 53)]).toEqual(["9,007,199,254,740,991", "9.00720e+15"]);
  });

  it("tell a little from nothing", () => {
    const { share } = voiceOf("test", "en");
    expect([0, 0.0001, 0.0005, 0.0664, 1].map(share)).toEqual(["0.0 %", "<0.1 %", "0.1 %", "6.6 %", "100.0 %"]);
  });
});

it.each<[string, (language: never) => unknown]>([
  ["drawAccuracy", (language) => drawAccuracy({ language })],
  ["drawCost", (language) => drawCost(mobileNetV1(), { language })],
  ["drawFront", (language) => drawFront({ language })],
  ["drawNetwork", (language) => drawNetwork(mobileNetV1(), { language })],
  ["drawSeparable", (language) => drawSeparable({ language })],
])("%s refuses another language, and names both", (owner, draw) => {
  for (const language of ["de", "EN", null, 1]) {
    expect(() => draw(language as never)).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        message: expect.stringMatching(new RegExp(`^${owner}: language: expected one of "en", "ko", found `)),
      }),
    );
  }
});
