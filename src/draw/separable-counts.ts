/** A standard convolution and the separable pair in its place: sizes, checked, and what each costs. */

import { checkKnownOptions, positiveInteger } from "../core/options.ts";
import type { Padding } from "../core/window.ts";
import { cost } from "../cost/index.ts";
import { conv2d, depthwise, type Layer, pointwise, sequential } from "../layers/sequential.ts";

/** Sizes of a convolution, by the letters of Howard et al. 2017, section 3.1. */
export interface SeparableSizes {
  /** D_K, side of the kernel. Default 3. */
  readonly kernelSize?: number;
  /** M, channels of the input. Default 32. */
  readonly inputChannels?: number;
  /** N, filters, or channels of the output. Default 64. */
  readonly filters?: number;
  /** D_F, side of the input. Default 112. */
  readonly size?: number;
  /** Of the window. Default 1. */
  readonly stride?: number;
  /** As of any convolution here. Default `"same"`. */
  readonly padding?: Padding;
  /** Depthwise filters for each channel of the input. Default 1. */
  readonly multiplier?: number;
}

/** All sizes, and what they come to. */
export interface SeparableCounts extends Required<SeparableSizes> {
  /** D_G, side of the output, on which mult-adds are counted. */
  readonly outputSize: number;
  readonly standard: number;
  readonly depthwise: number;
  readonly pointwise: number;
  /** Of the depthwise and the pointwise layer. */
  readonly pair: number;
  /** The pair's mult-adds over the standard convolution's. */
  readonly ratio: number;
}

export const SEPARABLE_SIZES = [
  ...(["kernelSize", "inputChannels", "filters", "size", "stride", "padding", "multiplier"] as const),
] satisfies readonly (keyof SeparableSizes)[];

/** Builds both networks and counts them. Throws `OPTION_INVALID`, and `NETWORK_VANISHES` where no window fits. */
export function separableCounts(
  owner: string,
  {
    kernelSize = 3,
    inputChannels = 32,
    filters = 64,
    size = 112,
    stride = 1,
    padding = "same",
    multiplier = 1,
  }: SeparableSizes,
): SeparableCounts {
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

/** Refuses what is no size, beside the other options of a picture. */
export function checkSeparableOptions(owner: string, options: object): void {
  checkKnownOptions(owner, options, [...SEPARABLE_SIZES, "language"]);
}
