/**
 * The same output made twice: by a standard convolution, and by a depthwise one and a pointwise one behind it. Every
 * number is the library's: eager operations compute it, and `separableCounts` counts it.
 */

import { conv2d, depthwiseConv2d, type FloatTensor, pointwiseConv2d, tensor } from "depthwise";
import { separableCounts } from "depthwise/cost";

export interface Settings {
  /** D_K. */
  readonly kernelSize: number;
  /** M. */
  readonly inputChannels: number;
  /** N. */
  readonly filters: number;
  /** Side of the input; the output's is D_F. */
  readonly size: number;
  readonly stride: number;
  readonly padding: "same" | "valid";
  /** Depthwise channels for each input channel. */
  readonly multiplier: number;
  /** The input channel whose numbers are others, from 1; 0: none. */
  readonly changed: number;
}

export interface Lesson {
  /** `[1, size, size, M]`. */
  readonly input: FloatTensor;
  /** `[D_K, D_K, M, multiplier]`. */
  readonly depthwiseKernel: FloatTensor;
  /** `[1, 1, M · multiplier, N]`. */
  readonly pointwiseKernel: FloatTensor;
  /** `[D_K, D_K, M, N]`: the one that gives the same output. */
  readonly standardKernel: FloatTensor;
  /** `[1, D_F, D_F, M · multiplier]`. */
  readonly between: FloatTensor;
  /** `[1, D_F, D_F, N]`, by the pair; the standard convolution's is equal. */
  readonly output: FloatTensor;
  readonly standardOutput: FloatTensor;
  /** Zeros before the first row and column. */
  readonly before: number;
  /** Multiplications in all, as `depthwise/cost` counts them. */
  readonly counts: { readonly standard: number; readonly depthwise: number; readonly pointwise: number };
}

export function lessonOf(settings: Settings): Lesson {
  const { kernelSize, inputChannels, filters, size, stride, padding, multiplier, changed } = settings;
  const picture = numbers([size, size, inputChannels, 1], { values: [0, 1, 2, 3, 4], seed: 7 }, changed - 1);
  const input = tensor(picture.data, [1, size, size, inputChannels]);
  const depthwiseKernel = numbers([kernelSize, kernelSize, inputChannels, multiplier], {
    values: [-1, 0, 1, 2],
    seed: 3,
  });
  // No zeros: each output channel is to read every channel.
  const pointwiseKernel = numbers([1, 1, inputChannels * multiplier, filters], { values: [-1, 1, 2], seed: 5 });
  const standardKernel = joined(depthwiseKernel, pointwiseKernel);
  const window = { stride, padding };
  const between = depthwiseConv2d(input, depthwiseKernel, window);
  return {
    ...{ input, depthwiseKernel, pointwiseKernel, standardKernel, between },
    output: pointwiseConv2d(between, pointwiseKernel),
    standardOutput: conv2d(input, standardKernel, window),
    before: before(size, between.shape[1] ?? 0, settings),
    counts: countsOf(settings),
  };
}

/** Zeros that `same` puts before the first row: TensorFlow's rule, the odd one goes after the last. */
function before(size: number, outputs: number, { kernelSize, stride, padding }: Settings): number {
  return padding === "valid" ? 0 : Math.floor(Math.max(0, (outputs - 1) * stride + kernelSize - size) / 2);
}

/** What a convolution's cost depends on. */
export function sizesOf({ kernelSize, inputChannels, filters, size, stride, padding, multiplier }: Settings) {
  return { kernelSize, inputChannels, filters, size, stride, padding, multiplier };
}

function countsOf(settings: Settings) {
  const { standard, depthwise, pointwise } = separableCounts(sizesOf(settings));
  return { standard, depthwise, pointwise };
}

/**
 * The kernel of the standard convolution that does what the pair does: what the pair answers to a picture that is 1 in one
 * place of one channel, and 0 elsewhere, is that kernel, turned around.
 */
function joined(depthwiseKernel: FloatTensor, pointwiseKernel: FloatTensor): FloatTensor {
  const [side = 0, , channels = 0] = depthwiseKernel.shape;
  const filters = pointwiseKernel.shape[3] ?? 0;
  const around = 2 * side - 1;
  const impulses = new Float32Array(channels * around * around * channels);
  for (let c = 0; c < channels; c++) {
    impulses[((c * around + side - 1) * around + side - 1) * channels + c] = 1;
  }
  const answers = pointwiseConv2d(
    depthwiseConv2d(tensor(impulses, [channels, around, around, channels]), depthwiseKernel, { padding: "valid" }),
    pointwiseKernel,
  );
  const kernel = new Float32Array(side * side * channels * filters);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < channels; c++) {
        const from = ((c * side + side - 1 - y) * side + side - 1 - x) * filters;
        kernel.set(answers.data.subarray(from, from + filters), ((y * side + x) * channels + c) * filters);
      }
    }
  }
  return tensor(kernel, [side, side, channels, filters]);
}

/**
 * Small whole numbers, the same each time. They depend on the place in their channel, not on how many there are, so that
 * a slider moves nothing that it does not name.
 *
 * @param shape of which the last axis but one is that of the channels, and the last that of the filters
 * @param other a channel whose numbers are others
 */
function numbers(shape: readonly [number, number, number, number], range: Range, other = -1): FloatTensor {
  const [, width, channels, filters] = shape;
  const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
  for (let i = 0; i < data.length; i++) {
    const [filter, channel] = [i % filters, Math.floor(i / filters) % channels];
    const spot = Math.floor(i / filters / channels);
    const place = LARGEST_SIDE * Math.floor(spot / width) + (spot % width);
    const number = scrambled(place, channel === other ? channel + OTHERS : channel, filter, range.seed);
    data[i] = range.values[number % range.values.length] ?? 0;
  }
  return tensor(data, [...shape]);
}

interface Range {
  readonly values: readonly number[];
  /** Of another, other numbers. */
  readonly seed: number;
}

/** More than any side of a picture here. */
const LARGEST_SIDE = 16;
/** More than any count of channels. */
const OTHERS = 17;

/** A whole number of three others that looks like none of them. */
function scrambled(place: number, channel: number, filter: number, seed: number): number {
  let value =
    Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(channel + 1, 0x85ebca6b) ^ Math.imul(filter + seed, 0xc2b2ae35);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39);
  return (value ^ (value >>> 15)) >>> 8;
}
