/** Which parameter has which weight decay. */

import { DepthwiseError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { isListOf, isString, optionError } from "../core/options.ts";
import type { ParameterInfo } from "../layers/parameter-info.ts";
import { type DecayGroup, type Optimizer, refuseDecayOfAdam } from "./optimizers.ts";

/** A caller's own choice: the weight decay of a parameter, or undefined for what the optimizer says. */
export type DecayOverride = (parameter: ParameterInfo) => number | undefined;

/**
 * The weight decay of a parameter. Moving statistics have none.
 *
 * @param override asked first
 * @throws {DepthwiseError} `OPTION_INVALID` if it gives no number of at least 0, or one above 0 for Adam
 */
export function decayOf(optimizer: Optimizer, parameter: ParameterInfo, override?: DecayOverride): number {
  if (!parameter.trainable) return 0;
  const own = override?.(parameter);
  if (own !== undefined) {
    if (typeof own === "number" && Number.isFinite(Math.fround(own)) && own >= 0) {
      if (own > 0) refuseDecayOfAdam(parameter.name, optimizer.type, { weightDecay: own });
      return own;
    }
    throw optionError(parameter.name, "weight decay", "a finite number of at least 0, or undefined", own);
  }
  if (optimizer.type === "adam" || optimizer.weightDecay === undefined) return 0;
  return isInGroup(parameter, optimizer.decayOnly ?? "all") ? optimizer.weightDecay : 0;
}

/**
 * Refuses names in `decayOnly` that no parameter has.
 *
 * @throws {DepthwiseError} `NAME_UNKNOWN`
 */
export function checkDecayNames(owner: string, optimizer: Optimizer, parameters: readonly ParameterInfo[]): void {
  if (optimizer.type === "adam" || !isListOf(optimizer.decayOnly, isString)) return;
  const known = parameters.map(({ name }) => name);
  for (const name of optimizer.decayOnly) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known);
    throw new DepthwiseError("NAME_UNKNOWN", {
      what: `${owner}: optimizer.decayOnly`,
      expected: "names of parameters",
      found: `"${name}"`,
      advice: hint === "" ? "Names are those of the network's parameters, such as conv1/kernel." : hint,
      fields: { owner, name },
    });
  }
}

function isInGroup({ name, role }: ParameterInfo, group: DecayGroup): boolean {
  if (group === "all") return true;
  if (group === "matrices") return role === "kernel" && !name.endsWith("/depthwise_kernel");
  return group.includes(name);
}
