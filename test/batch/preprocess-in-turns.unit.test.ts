import { afterEach, describe, expect, it, vi } from "vitest";
import { preprocessInTurns } from "../../src/batch/preprocess-in-turns.ts";
import { completePreprocessing, type Preprocessing } from "../../src/core/preprocessing.ts";
import { mulberry32 } from "../../src/core/random.ts";
import type { Pixels } from "../../src/images/pixels.ts";
import { preprocess } from "../../src/images/preprocess.ts";

function noise(width: number, height: number): Pixels {
  const random = mulberry32(width * 1000 + height);
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, () => 256 * random()) };
}

afterEach(() => vi.restoreAllMocks());

describe("in turns", () => {
  const large = noise(1600, 1400);
  it.each<[string, readonly [number, number, number], Preprocessing]>([
    ["covering", [37, 30, 3], { cropFraction: 0.875 }],
    ["stretched", [16, 24, 3], { resize: "stretch" }],
    ["grey", [28, 28, 1], { range: [0, 1] }],
    ["cropped first", [33, 8, 3], { resize: "cropThenStretch", cropFraction: 0.6 }],
    ["plain", [24, 24, 3], { filter: "plain" }],
  ])("a large image is the same to the bit: %s", async (_, inputShape, given) => {
    const description = completePreprocessing(inputShape, given);
    expect(await preprocessInTurns(large, description)).toEqual(preprocess(large, description));
  });

  it("gives the event loop its turn, and a small image is done at once", async () => {
    let now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => (now += 50));
    let turns = 0;
    const counted = async (image: Pixels) => {
      turns = 0;
      let isDone = false;
      const count = () => {
        turns++;
        if (!isDone) setImmediate(count);
      };
      setImmediate(count);
      await preprocessInTurns(image, completePreprocessing([32, 32, 3]));
      isDone = true;
      return turns;
    };
    expect(await counted(noise(40, 30))).toBe(0);
    expect(await counted(large)).toBeGreaterThanOrEqual(4);
  });
});
