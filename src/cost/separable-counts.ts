/** A standard convolution and the separable pair in its place: sizes, checked, and what each costs. */

import { checkKnownOptions, positiveInteger } from "../core/options.ts";
import type { Padding } from "../core/window.ts";
import { conv2d, depthwise, type Layer, pointwise, sequential } from "../layers/sequential.ts";
import { cost } from "./cost.ts";

/** Sizes of a convolution, by the letters of Howard et al. 2017, section 3.1. */
export interface SeparableSizes {
  /** D_K, side of the kernel. Default 3. */
  readonly kernelSize?: number;
  /** M, channels of the input. Default 32. */
  readonly inputChannels?: number;
  /** N, filters, or channels of the output. Default 64. */
  readonly filters?: number;
  /** Side of the input, in pixels. Default 112. */
  readonly size?: number;
  /** Of the window. Default 1. */
  readonly stride?: number;
  /** As of any convolution here. Default `"same"`. */
  readonly padding?: Padding;
  /** Depthwise filters for each channel of the input. Default 1. */
  readonly multiplier?: number;
}

/** All sizes, and the mult-adds that they come to. */
export interface SeparableCounts extends Required<SeparableSizes> {
  /**
   * D_F, side of the output: a filter is applied once at each of its D_F² places. The paper defines D_F as that of the
   * input, and then takes both for equal (stride 1, same padding); where they are not, its formulas hold for the output's.
   */
  readonly outputSize: number;
  /** Of the standard convolution: D_K² · M · N · D_F². */
  readonly standard: number;
  /** D_K² · M · D_F², times the multiplier. */
  readonly depthwise: number;
  /** M · N · D_F², times the multiplier. */
  readonly pointwise: number;
  /** Of the depthwise and the pointwise layer. */
  readonly pair: number;
  /** The pair's mult-adds over the standard convolution's. */
  readonly ratio: number;
}

const SIZES = [
  ...(["kernelSize", "inputChannels", "filters", "size", "stride", "padding", "multiplier"] as const),
] satisfies readonly (keyof SeparableSizes)[];

/**
 * What a standard convolution costs, and the depthwise and pointwise one in its place (Howard et al. 2017, section 3.1):
 * mult-adds of both, as `cost` counts the layers.
 *
 *     separableCounts({ inputChannels: 512, filters: 512, size: 14 }).ratio   // 1/512 + 1/9
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a size that is no positive integer or a padding that does not exist;
 *         `NETWORK_VANISHES` where no window fits
 */
export function separableCounts(sizes: SeparableSizes = {}): SeparableCounts {
  const owner = "separableCounts";
  checkKnownOptions(owner, sizes, SIZES);
  const { kernelSize = 3, inputChannels = 32, filters = 64, size = 112 } = sizes;
  const { stride = 1, padding = "same", multiplier = 1 } = sizes;
  for (const [name, value] of Object.entries({ kernelSize, inputChannels, filters, size, stride, multiplier }))
    positiveInteger(owner, name, value);
  const window = { kernel: kernelSize, stride, padding, bias: false };
  const inputShape = [size, size, inputChannels];
  const counted = (layers: readonly Layer[]) => cost(sequential({ inputShape }, layers));
  const standard = counted([conv2d({ filters, ...window })]);
  const pair = counted([depthwise({ multiplier, ...window }), pointwise({ filters, bias: false })]);
  const [ofStandard, ofPair] = [standard.totals.multAdds ?? 0, pair.totals.multAdds ?? 0];
  return {
    ...{ kernelSize, inputChannels, filters, size, stride, padding, multiplier },
    outputSize: standard.layers[0]?.outputShape[0] ?? 0,
    standard: ofStandard,
    depthwise: pair.layers[0]?.multAdds ?? 0,
    pointwise: pair.layers[1]?.multAdds ?? 0,
    pair: ofPair,
    ratio: ofPair / ofStandard,
  };
}
