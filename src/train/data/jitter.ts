/** Colours: brightness, contrast, saturation, hue. Values of 0 to 255, cut to that after each. */

import type { JitterFactors } from "./draws.ts";

/** Rec. 601 luma, as everywhere in this library. */
const LUMA = [19595 / 65536, 38470 / 65536, 7471 / 65536] as const;

/**
 * Changes pixels in place. A factor of 1 and a turn of 0 change nothing.
 *
 * @param values   `channels` numbers a pixel: grey, or R, G, B
 * @param channels 1 or 3
 */
export function jitter(values: Float32Array, channels: number, factors: JitterFactors): void {
  const { brightness, contrast, saturation, hue } = factors;
  if (brightness !== 1) for (let i = 0; i < values.length; i++) values[i] = cut((values[i] ?? 0) * brightness);
  if (contrast !== 1) {
    const mean = meanGrey(values, channels);
    for (let i = 0; i < values.length; i++) values[i] = cut(mean + ((values[i] ?? 0) - mean) * contrast);
  }
  if (channels !== 3) return;
  if (saturation !== 1) saturate(values, saturation);
  if (hue !== 0) turnHue(values, hue);
}

function cut(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}

function greyAt(values: Float32Array, at: number): number {
  return LUMA[0] * (values[at] ?? 0) + LUMA[1] * (values[at + 1] ?? 0) + LUMA[2] * (values[at + 2] ?? 0);
}

function meanGrey(values: Float32Array, channels: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += channels) sum += channels === 3 ? greyAt(values, i) : (values[i] ?? 0);
  return (sum * channels) / values.length;
}

function saturate(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i += 3) {
    const grey = greyAt(values, i);
    for (let c = i; c < i + 3; c++) values[c] = cut(grey + ((values[c] ?? 0) - grey) * factor);
  }
}

/**
 * Turns the hue of HSV, its value and saturation kept: the brightest and the darkest channel keep their values, and the
 * one between goes from one to the other within each sixth of the circle. Source: Smith, "Color gamut transform pairs",
 * 1978.
 */
function turnHue(values: Float32Array, turn: number): void {
  for (let i = 0; i < values.length; i += 3) {
    const red = values[i] ?? 0;
    const green = values[i + 1] ?? 0;
    const blue = values[i + 2] ?? 0;
    const high = Math.max(red, green, blue);
    const low = Math.min(red, green, blue);
    const reach = high - low;
    // Grey has no hue.
    if (reach === 0) continue;
    let hue = 4 + (red - green) / reach;
    if (high === red) hue = (green - blue) / reach;
    else if (high === green) hue = 2 + (blue - red) / reach;
    hue += 6 * turn;
    hue -= 6 * Math.floor(hue / 6);
    const sixth = Math.floor(hue);
    // Up in even sixths, down in odd ones.
    const middle = low + reach * ((sixth & 1) === 0 ? hue - sixth : sixth + 1 - hue);
    const [highest, between] = PLACES[sixth] ?? FIRST;
    values[i] = highest === 0 ? high : between === 0 ? middle : low;
    values[i + 1] = highest === 1 ? high : between === 1 ? middle : low;
    values[i + 2] = highest === 2 ? high : between === 2 ? middle : low;
  }
}

const FIRST = [0, 1] as const;
/** For each sixth of the circle, from red on: which channel is highest, and which lies between. */
const PLACES = [FIRST, [1, 0], [1, 2], [2, 1], [2, 0], [0, 2]] as const;
