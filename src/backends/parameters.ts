/** Parameters of a bound plan one by one: for who trains, or looks at them. A page that runs wasm alone has none of it. */

import { invariant } from "../core/errors.ts";
import type { Plan } from "../plan/plan.ts";

/** Each parameter by its name in the plan, as it lies there: folded where the plan folds. */
export interface BoundParameters {
  /** The numbers of one, in the layout of the network's: a copy. Undefined for a name that the plan does not have. */
  read(name: string): Float32Array | undefined | Promise<Float32Array | undefined>;
  /**
   * Replaces one, and no other.
   *
   * @throws {InternalError} for what is no parameter of the plan, or has not as many numbers; nothing was written
   */
  write(name: string, numbers: Float32Array): void;
}

/** Requires one of the plan's parameters, and as many numbers as it has. */
export function checkPlanParameter({ values }: Plan, name: string, { length }: Float32Array): void {
  const { kind, elements } = values.get(name) ?? {};
  invariant(kind === "parameter", `The plan has no parameter "${name}".`);
  invariant(length === elements, `The parameter "${name}" has ${elements} numbers, not ${length}.`);
}
