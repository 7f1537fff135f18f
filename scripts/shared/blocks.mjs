/** MobileNet V1's blocks with other strides, for pictures so small that the paper's leave too small a map. */

import { MOBILENET_V1_BLOCKS } from "../../dist/esm/index.js";

/**
 * The blocks of the paper's table 1, with other strides where some are given.
 *
 * @param {Readonly<Record<number, number>>} strides by the number of the block, from 1
 * @returns {{ stride: number, filters: number }[]} @throws {RangeError} for a block that is not there
 */
export function blocksWith(strides) {
  const unknown = Object.keys(strides).find((number) => MOBILENET_V1_BLOCKS[number - 1] === undefined);
  if (unknown !== undefined) throw new RangeError(`There is no block ${unknown}.`);
  return MOBILENET_V1_BLOCKS.map((block, index) => ({ ...block, stride: strides[index + 1] ?? block.stride }));
}
