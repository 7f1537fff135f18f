/** Pictures that stay decoded: how many are decoded at once, and what is refused. */

import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import type * as Budgets from "../../../src/images/pixel-budget.ts";
import type { Dataset } from "../../../src/train/data/dataset.ts";
import { dataset } from "../../../src/train/data/from-iterable.ts";
import { keepDecoded } from "../../../src/train/data/keep-decoded.ts";
import { refused } from "./pictures.ts";

/** Budgets that are asked for, and the room that is taken in them. */
const room = vi.hoisted(() => ({ of: [] as number[], taken: [] as number[], inside: 0, most: 0 }));

vi.mock("../../../src/images/pixel-budget.ts", async (original) => {
  const { pixelBudget, ...others } = await original<typeof Budgets>();
  return {
    ...others,
    pixelBudget(maxPixels: number): Budgets.PixelBudget {
      room.of.push(maxPixels);
      const budget = pixelBudget(1000);
      return {
        async take(pixels, signal) {
          const give = await budget.take(pixels, signal);
          room.taken.push(pixels);
          room.inside += pixels;
          room.most = Math.max(room.most, room.inside);
          return () => {
            room.inside -= pixels;
            give();
          };
        },
      };
    },
  };
});

describe("pictures that stay decoded", () => {
  it("are decoded a few at a time, whatever is asked for at once, in parts of the data too", async () => {
    const create = { width: 20, height: 20, channels: 3, background: "red" } as const;
    const png = await sharp({ create }).png().toBuffer();
    const kept = keepDecoded(await dataset(Array.from({ length: 12 }, (_, label) => ({ image: png, label }))));
    const [first] = kept.split(0.5);
    await Promise.all(Array.from({ length: 12 }, (_, index) => [kept.at(index), first.at(index % first.size)]).flat());
    expect(room.of).toEqual([2 ** 26]);
    expect(room.taken.length).toBeGreaterThanOrEqual(12);
    expect([room.most, room.inside]).toEqual([800, 0]);
  });

  it.each([null, undefined, Promise.resolve(), []])("are of a data set, and of nothing else", async (data) => {
    expect(await refused(() => keepDecoded(data as unknown as Dataset))).toMatch(
      /^OPTION_INVALID keepDecoded: data: expected a data set, found .* Make one with imageFolder/,
    );
  });
});
