/** The options of a classifier that go to `decodeImage`. */

import type { DecodeOptions } from "../images/decode.ts";

export const READING = [
  "maxPixels",
  "signal",
  "stallTimeout",
  "minBytesPerSecond",
] as const satisfies readonly (keyof DecodeOptions)[];

export function readingOf(options: DecodeOptions): Pick<DecodeOptions, (typeof READING)[number]> {
  return Object.fromEntries(READING.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined));
}
