/** What stands in the help of several commands, and numbers as people write them. */

import { InvalidArgumentError } from "commander";

/** What weights may be, for the help. */
export const WEIGHTS =
  "digits, cifar10, a file, a directory, an address, keras:mobilenet_1_0_224_tf, hf:owner/name or - for standard input";

/** A number of the command line. */
export function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("It is not a number.");
  return value;
}

/** Numbers with commas between. */
export function toNumbers(text: string): readonly number[] {
  return text.split(",").map(toNumber);
}

/** Two numbers, the bounds of a range. */
export function toRange(text: string): readonly [number, number] {
  const [low, high, ...others] = toNumbers(text);
  if (low !== undefined && high !== undefined && low !== high && others.length === 0) return [low, high];
  throw new InvalidArgumentError("It is not two different numbers with a comma between.");
}

const THOUSANDS: Readonly<Record<string, number>> = { "": 0, k: 3, m: 6, g: 9, b: 9 };

/** A count as people write it: `100M`, `569e6`, `1.2B`. */
export function toCount(text: string): number {
  const [, digits, power = "0", unit = ""] = /^\s*([+-]?[\d.]+)(?:e([+-]?\d+))?\s*([kmgb]?)\s*$/i.exec(text) ?? [];
  // By its exponent and not by a product, which would make 2.3M a little less.
  const value = Number(`${digits}e${Number(power) + (THOUSANDS[unit.toLowerCase()] ?? 0)}`);
  if (Number.isNaN(value)) throw new InvalidArgumentError("It is not a number, alone or with k, M, G or B: 100M.");
  return value;
}

/** A number of bytes as people write it: `6MB`, `6M`, `6MiB`. */
export function toBytes(text: string): number {
  const [, digits = "", unit = "", isBinary] = /^\s*([^a-z]+(?:e[+-]?\d+)?)\s*([kmg]?)(i?)b?\s*$/i.exec(text) ?? [];
  const power = THOUSANDS[unit.toLowerCase()] ?? 0;
  const isWrong = isBinary !== "" && unit === "";
  const value = isBinary
    ? Math.round(Number(digits) * 2 ** ((10 * power) / 3))
    : Number(digits && toCount(digits + unit));
  if (digits === "" || isWrong || Number.isNaN(value)) {
    throw new InvalidArgumentError("It is not a number of bytes, such as 6000000, 6MB or 6MiB.");
  }
  return value;
}
