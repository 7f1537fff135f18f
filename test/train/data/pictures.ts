/** Small data for these tests, and what an epoch of it gives. */

import { expect } from "vitest";
import { isDepthwiseError } from "../../../src/core/errors.ts";
import { completePreprocessing, type Preprocessing } from "../../../src/core/preprocessing.ts";
import { mulberry32 } from "../../../src/core/random.ts";
import { tensor } from "../../../src/core/tensor.ts";
import { arrays } from "../../../src/train/data/arrays.ts";
import type { BatchesOptions } from "../../../src/train/data/batch-options.ts";
import { type Batch, batches } from "../../../src/train/data/batches.ts";
import type { Dataset } from "../../../src/train/data/dataset.ts";

export function bytes(count: number, seed = 1): Uint8Array {
  const next = mulberry32(seed);
  return Uint8Array.from({ length: count }, () => Math.floor(next() * 256));
}

/** Colour noise of `side` × `side` pixels; labels go round. */
export function noise(count: number, side: number, classes = 3, channels = 3): Dataset {
  const labels = Array.from({ length: count }, (_, index) => index % classes);
  return arrays(tensor(bytes(count * side * side * channels), [count, side, side, channels]), labels);
}

export function inputOf(side: number, channels = 3, more: Preprocessing = {}) {
  return completePreprocessing([side, side, channels], { cropFraction: 1, ...more });
}

export type Kept = Omit<Batch, "waited" | "release">;

/** All batches of an epoch, without what depends on the clock, and on what else libvips decoded (the causes). */
export async function epochOf(data: Dataset, options: BatchesOptions): Promise<Kept[]> {
  const all: Kept[] = [];
  for await (const { waited, release, ...batch } of batches(data, options)) {
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(release).toBeTypeOf("function");
    for (const { error } of batch.skipped) Object.defineProperty(error, "cause", { value: undefined });
    all.push(batch);
  }
  return all;
}

/** Code and message of what is thrown. */
export async function refused(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (isDepthwiseError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}
