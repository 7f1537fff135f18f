/** The numbers of a step that all updates share, in the order of `HYPER`. */

import { powerOf } from "../core/power.ts";
import { HYPER, type Hyper, type UpdateRule } from "../operations/update-call.ts";

/** What a step is given. */
export interface HyperOptions {
  /** Which update, counted from 0: the correction of Adam counts with it. */
  readonly update: number;
  /** The learning rate. */
  readonly rate: number;
  /** The largest norm of all gradients; default none. */
  readonly clipNorm?: number | undefined;
  /** What is kept of the moving average of the weights; default 1, which never moves it. */
  readonly averageDecay?: number | undefined;
}

/** Computed in float64; what is written into memory rounds once. */
export function hyperOf(rule: UpdateRule, options: HyperOptions): Hyper {
  const { rate, clipNorm = Number.POSITIVE_INFINITY, averageDecay = 1 } = options;
  return { rate, clipNorm, averageShare: 1 - averageDecay, ...corrections(rule, options) };
}

/** The same as an array, in the order of `HYPER`. */
export function hyperValues(rule: UpdateRule, options: HyperOptions): Float32Array<ArrayBuffer> {
  const hyper = hyperOf(rule, options);
  return Float32Array.from(HYPER, (name) => hyper[name]);
}

/** Of Adam's moments, which start at 0. Source: Kingma and Ba 2015, algorithm 1; the form `keras` is the end of its §2. */
function corrections(rule: UpdateRule, { update, rate }: HyperOptions): Pick<Hyper, "step" | "rootFactor"> {
  if (rule.type !== "adam") return { step: 0, rootFactor: 1 };
  const first = 1 - kept(rule.beta1, update + 1);
  const root = Math.sqrt(1 - kept(rule.beta2, update + 1));
  if (rule.form === "keras") return { step: (rate * root) / first, rootFactor: 1 };
  return { step: rate / first, rootFactor: 1 / root };
}

function kept(beta: number, updates: number): number {
  return beta === 0 ? 0 : powerOf(beta, updates);
}
