import { describe, expect, it } from "vitest";
import { checkSeed, counted, countedBits, permutation, philox } from "../../src/core/counted.ts";

const hex = (words: Uint32Array) => Array.from(words, (word) => word.toString(16).padStart(8, "0")).join(" ");

/** The upper end of chi-square with so many degrees of freedom that one of 10⁶ fair samples passes. Wilson and Hilferty. */
function chiSquareLimit(freedom: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + 4.75 * Math.sqrt(spread)) ** 3;
}

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("Philox4x32-10", () => {
  // Known answers of its authors: Random123, `tests/kat_vectors`.
  it.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("gives the known answer for %j under %j", (counter, key, answer) => {
    const words = new Uint32Array(4);
    philox(words, counter, key);
    expect(hex(words)).toBe(answer);
  });
});

describe("a counted number", () => {
  it("depends on what it is for and on nothing before it", () => {
    const first = counted(1, 2, 3, "flip");
    counted(9, 9, 9, "crop", 9);
    permutation(5, 5, 5);
    expect(counted(1, 2, 3, "flip")).toBe(first);
    expect(counted(1, 2, 3, "flip", 0)).toBe(first);
  });

  it("is another one for another seed, epoch, example, purpose or index", () => {
    const all = [
      counted(1, 2, 3, "flip", 4),
      counted(2, 2, 3, "flip", 4),
      counted(1 + 2 ** 32, 2, 3, "flip", 4),
      counted(1, 3, 3, "flip", 4),
      counted(1, 2, 4, "flip", 4),
      counted(1, 2, 3, "crop", 4),
      counted(1, 2, 3, "flip", 5),
      counted(2, 1, 3, "flip", 4),
      counted(1, 3, 2, "flip", 4),
      counted(1, 2, 4, "flip", 3),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("has the same bits on every engine", () => {
    expect(counted(0, 0, 0, "flip")).toBe(0.48332205912364834);
    expect(counted(42, 7, 1234, "crop", 3)).toBe(0.8802460331593738);
    expect(counted(2 ** 53 - 1, 2 ** 32 - 1, 2 ** 32 - 1, "mixup", 1)).toBe(0.3932694906849431);
    expect(countedBits(42, 7, 1234, "crop", 3)).toBe(1168960701);
    expect([...permutation(42, 7, 12)]).toEqual([9, 10, 1, 4, 3, 8, 11, 2, 5, 6, 0, 7]);
  });

  const COUNT = 1 << 16;
  const DRAWS: Readonly<Record<string, (i: number) => number>> = {
    seeds: (i) => counted(i, 0, 0, "flip"),
    epochs: (i) => counted(1, i, 0, "flip"),
    examples: (i) => counted(1, 0, i, "flip"),
    indices: (i) => counted(1, 0, 0, "flip", i),
    purposes: (i) => counted(1, 0, 0, `purpose ${i}`),
  };

  describe.each(Object.entries(DRAWS))("over neighbouring %s", (_, draw) => {
    const values = Array.from({ length: COUNT }, (_, i) => draw(i));

    it("lies in [0, 1), evenly", () => {
      const counts = new Array<number>(256).fill(0);
      for (const value of values) {
        expect(value >= 0 && value < 1).toBe(true);
        counts[Math.floor(value * 256)]!++;
      }
      expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(255));
    });

    it("has each of its 53 bits as often 0 as 1", () => {
      for (let bit = 1; bit <= 53; bit++) {
        const ones = values.reduce((sum, value) => sum + (Math.floor(value * 2 ** bit) % 2), 0);
        expect(chiSquare([ones, COUNT - ones]), `bit ${bit}`).toBeLessThan(chiSquareLimit(1));
      }
    });

    it("says nothing of the next one", () => {
      const counts = new Array<number>(256).fill(0);
      for (let i = 0; i + 1 < COUNT; i++) counts[16 * Math.floor(values[i]! * 16) + Math.floor(values[i + 1]! * 16)]!++;
      expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(255));
    });

    it("changes half of the bits from one to the next", () => {
      let changed = 0;
      for (let i = 0; i + 1 < COUNT; i++) {
        let difference = Math.floor(values[i]! * 2 ** 32) ^ Math.floor(values[i + 1]! * 2 ** 32);
        for (; difference !== 0; difference &= difference - 1) changed++;
      }
      expect(Math.abs(changed / (32 * (COUNT - 1)) - 0.5)).toBeLessThan(0.002);
    });
  });

  it("has integers of 32 bits that say nothing of the number beside them", () => {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < COUNT; i++) {
      counts[16 * Math.floor(counted(3, 0, i, "x") * 16) + (countedBits(3, 0, i, "x") >>> 28)]!++;
    }
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(255));
  });
});

describe("a permutation", () => {
  it("holds each example once", () => {
    for (const n of [0, 1, 2, 3, 10, 1000, 65_537]) {
      const seen = new Uint8Array(n);
      for (const example of permutation(3, 4, n)) seen[example]!++;
      expect(seen.every((count) => count === 1)).toBe(true);
    }
  });

  it("is another one for another seed or epoch", () => {
    const text = (seed: number, epoch: number) => permutation(seed, epoch, 100).join();
    expect(new Set([text(0, 0), text(0, 1), text(1, 0), text(1, 1)]).size).toBe(4);
    expect(text(1, 1)).toBe(text(1, 1));
  });

  it("has all orders equally often", () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 24_000; epoch++) {
      const key = permutation(11, epoch, 4).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(chiSquareLimit(23));
  });
});

describe("a seed", () => {
  it("is a safe integer of at least 0", () => {
    expect(checkSeed("fit", 0)).toBe(0);
    expect(checkSeed("fit", 2 ** 53 - 1)).toBe(2 ** 53 - 1);
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53, "1", undefined, null, 1n]) {
      expect(() => checkSeed("fit", seed)).toThrow(
        expect.objectContaining({
          code: "OPTION_INVALID",
          message: expect.stringMatching(/^fit: seed: expected an integer/),
        }),
      );
    }
  });
});
