/** What a graph does to its input before the first layer: part of how a pixel becomes the network's input. */

import type { Preprocessing } from "../../core/preprocessing.ts";
import { type Fact, inferred } from "../../formats/fact.ts";
import type { Facts } from "../facts.ts";
import type { Chain } from "./chain.ts";
import type { Constants } from "./constants.ts";
import { affineOf } from "./normalization.ts";

/** y = x · scale + shift, one of each for a channel. */
interface Front {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/**
 * Preprocessing with the graph's own arithmetic in it; nothing if there is none.
 *
 * @param fed what the file says of the numbers that the graph is fed
 */
export function frontFacts(
  chain: Chain,
  channels: number,
  constants: Constants,
  fed: Fact<Preprocessing> | undefined,
): Facts | string {
  if (chain.front.length === 0) return {};
  const front = frontOf(chain, channels, constants);
  if (typeof front === "string") return front;
  return { preprocessing: fed === undefined ? ofUsualInput(front) : behind(fed, front) };
}

function frontOf(chain: Chain, channels: number, constants: Constants): Front | string {
  let scale = new Float64Array(channels).fill(1);
  let shift = new Float64Array(channels);
  for (const step of chain.front) {
    if (step.type === "batchNorm") return "batch norm stands in front of its first layer";
    const affine = affineOf(step, channels, constants);
    if (affine === undefined) return "what is done to its input does not fit the channels";
    scale = scale.map((value, c) => value * (affine.scale?.[c] ?? 1));
    shift = shift.map((value, c) => value * (affine.scale?.[c] ?? 1) + (affine.shift?.[c] ?? 0));
  }
  return { scale, shift };
}

/** Of numbers from 0 to 1, or of bytes: a factor below 1/8, or a mean above 8, is meant for these. */
export function usualTop(scale = 1, shift = 0): 1 | 255 {
  return Math.abs(scale) < 0.125 || Math.abs(shift / scale) > 8 ? 255 : 1;
}

function ofUsualInput(front: Front): Fact<Preprocessing> {
  const top = usualTop(front.scale[0]);
  const zeros = front.scale.map(() => 0);
  const tops = front.scale.map(() => top);
  return inferred(described(front, zeros, tops), `the graph's own arithmetic on inputs of 0 to ${top}`);
}

/** Of numbers that the file tells of itself. */
function behind({ value, basis, from }: Fact<Preprocessing>, front: Front): Fact<Preprocessing> {
  const { range, mean, deviation, ...others } = value;
  const list = (part: readonly number[] | undefined, absent: number) => front.scale.map((_, c) => part?.[c] ?? absent);
  const means = list(mean, 0);
  const deviations = list(deviation, 1);
  const low = means.map((m, c) => range?.[0] ?? -m / (deviations[c] ?? 1));
  const high = means.map((m, c) => range?.[1] ?? (1 - m) / (deviations[c] ?? 1));
  return {
    value: { ...others, ...described(front, low, high) },
    basis,
    from: `${from}, then the graph's own arithmetic`,
  };
}

/** As a range if all channels have the same one, else as mean and deviation of pixels from 0 to 1. */
function described({ scale, shift }: Front, low: Float64Array, high: Float64Array): Preprocessing {
  const at = (values: Float64Array) => scale.map((factor, c) => factor * (values[c] ?? 0) + (shift[c] ?? 0));
  const lows = at(low);
  const highs = at(high);
  const isUniform = [lows, highs].every((values) => values.every((value) => value === values[0]));
  if (isUniform) return { range: [round(lows[0] ?? 0), round(highs[0] ?? 1)] };
  const spans = highs.map((value, c) => value - (lows[c] ?? 0));
  return {
    mean: Array.from(lows, (value, c) => round(-value / (spans[c] ?? 1))),
    deviation: Array.from(spans, (span) => round(1 / span)),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(7));
}
