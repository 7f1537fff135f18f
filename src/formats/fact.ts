/**
 * What is known of a model, and from where: no reader guesses silently.
 *
 * `given` by the caller; `stated` by the file in so many words; `inferred` from something in the file that leaves no
 * doubt; `assumed` because files of this kind usually are so, and the file does not say.
 */

import type { Preprocessing } from "../core/preprocessing.ts";

/** How a fact is known, best first: the caller gave it, the file states it, its shapes imply it, or it is the usual. */
export type Basis = "given" | "stated" | "inferred" | "assumed";

export interface Fact<Value> {
  readonly value: Value;
  readonly basis: Basis;
  /** Where it comes from, to be read after the basis: "attribute padding of conv1", "shape of conv1/kernel". */
  readonly from: string;
}

/** What a file says of its input and of its classes, besides its content. */
export type FileFacts = {
  /** `[height, width]` in pixels. */
  readonly inputSize?: Fact<readonly [number, number]>;
  readonly preprocessing?: Fact<Preprocessing>;
  readonly labels?: Fact<readonly string[]>;
  readonly background?: Fact<boolean>;
};

/** By the caller. */
export function given<Value>(value: Value): Fact<Value> {
  return { value, basis: "given", from: "an option of the call" };
}

export function stated<Value>(value: Value, from: string): Fact<Value> {
  return { value, basis: "stated", from };
}

export function inferred<Value>(value: Value, from: string): Fact<Value> {
  return { value, basis: "inferred", from };
}

export function assumed<Value>(value: Value, from: string): Fact<Value> {
  return { value, basis: "assumed", from };
}
