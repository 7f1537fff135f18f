/**
 * How long the fuzz tests run, and from which numbers. Usually the same everywhere, so that a failure can be repeated;
 *
 *     DEPTHWISE_FUZZ=5 DEPTHWISE_FUZZ_SEED=77 npx vitest run fuzz property
 *
 * runs five times as many cases, others than usual.
 */

import { mulberry32 } from "../src/core/random.ts";

const factor = fromEnvironment("DEPTHWISE_FUZZ", 1);
const salt = fromEnvironment("DEPTHWISE_FUZZ_SEED", 0);

/** How many cases, where usually there are so many. */
export const rounds = (usual: number): number => usual * factor;

/** The seed, where it usually is this one. */
export const seedOf = (usual: number): number => (usual ^ salt) >>> 0;

/** A generator that usually begins with this seed. */
export const seeded = (usual: number): (() => number) => mulberry32(seedOf(usual));

function fromEnvironment(name: string, usual: number): number {
  const value = Number(process.env[name] ?? usual);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number.`);
  return value;
}
