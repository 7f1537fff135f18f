/** The size of an image, as options of any network for images say it. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError, positiveInteger, positiveNumber } from "../core/options.ts";

export interface SizeOptions {
  /** Of 224 pixels. */
  readonly rho?: number;
  readonly resolution?: number;
  /** `[height, width]` in pixels. */
  readonly inputSize?: readonly [number, number];
}

/**
 * One of `rho`, `resolution` and `inputSize`; two are accepted only if they say the same. Undefined if none is said.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for values that are no such size, or say unlike ones
 */
export function sizeOption(owner: string, options: SizeOptions): readonly [number, number] | undefined {
  const said: { readonly option: string; readonly size: readonly [number, number] }[] = [];
  if (options.inputSize !== undefined) {
    if (!Array.isArray(options.inputSize) || options.inputSize.length !== 2) {
      throw optionError(owner, "inputSize", "[height, width] in pixels", options.inputSize);
    }
    const [height, width] = options.inputSize;
    said.push({
      option: "inputSize",
      size: [positiveInteger(owner, "inputSize", height), positiveInteger(owner, "inputSize", width)],
    });
  }
  if (options.resolution !== undefined) {
    const side = positiveInteger(owner, "resolution", options.resolution);
    said.push({ option: "resolution", size: [side, side] });
  }
  if (options.rho !== undefined) {
    const side = Math.round(224 * positiveNumber(owner, "rho", options.rho));
    if (side < 1) throw optionError(owner, "rho", "a number that leaves at least one pixel of 224", options.rho);
    said.push({ option: "rho", size: [side, side] });
  }
  const [first, ...others] = said;
  const other = others.find(({ size }) => size[0] !== first?.size[0] || size[1] !== first.size[1]);
  if (first !== undefined && other !== undefined) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: `${owner}: ${first.option} gives ${first.size.join(" × ")} pixels, but ${other.option} gives ${other.size.join(" × ")}`,
      advice: "Pass one of inputSize, resolution and rho.",
    });
  }
  return first?.size;
}
