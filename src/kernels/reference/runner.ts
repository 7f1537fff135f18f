/** What a kernel of plain JavaScript is: a function that computes a call on arrays. */

import type { AnyCall, ByKernel } from "../../operations/kernel-call.ts";

/** What a call reads and writes. `parameters` is `[kernel, bias?]`, or `[scale, shift]` of a batch norm. */
export interface Operands<Numbers = Float32Array> {
  readonly inputs: readonly Numbers[];
  readonly parameters: readonly (Numbers | undefined)[];
  readonly output: Numbers;
}

/** Computes a call on so many examples. Its scratch is its own, and was allocated before. */
export type Runner<Numbers = Float32Array> = (batch: number, operands: Operands<Numbers>) => void;

/** The runners of a set of calls, on arrays of one numeric type: one row a kernel. */
export type Runners<Call extends AnyCall, Numbers = Float32Array> = ByKernel<Call, Runner<Numbers>>;

/** A table of runners as a backend asks it. */
export function runnerOf<Call extends AnyCall, Numbers>(
  table: Runners<Call, Numbers>,
): (call: Call) => Runner<Numbers> {
  // Each row takes its own kind of call; the index loses that.
  return (call) => (table[call.kernel as Call["kernel"]] as (call: Call) => Runner<Numbers>)(call);
}
