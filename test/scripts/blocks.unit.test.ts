/** @slow: reads what was built. MobileNet V1's blocks with other strides. */

import { resolve } from "node:path";
import { expect, it } from "vitest";
import { MOBILENET_V1_BLOCKS } from "../../src/models/index.ts";

const scripts = resolve(import.meta.dirname, "../../scripts/shared");
const { blocksWith } = (await import(resolve(scripts, "blocks.mjs"))) as {
  blocksWith(strides: Readonly<Record<number, number>>): readonly { stride: number; filters: number }[];
};

it("are the paper's, but for the strides that are given by the number of the block", () => {
  expect(blocksWith({})).toEqual(MOBILENET_V1_BLOCKS);
  const blocks = blocksWith({ 2: 1, 13: 2 });
  expect(blocks.map(({ filters }) => filters)).toEqual(MOBILENET_V1_BLOCKS.map(({ filters }) => filters));
  expect(blocks.map(({ stride }) => stride)).toEqual([1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 2]);
  // A network's recorded options, and the key of a run, depend on the order.
  expect(JSON.stringify(blocks[1])).toBe('{"stride":1,"filters":128}');
});

it.each([0, 14])("there is no block %i", (number) => {
  expect(() => blocksWith({ [number]: 1 })).toThrow(`There is no block ${number}.`);
});
