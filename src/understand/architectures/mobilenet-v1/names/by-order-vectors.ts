/** Which of the vectors beside a kernel is its bias, and which are the batch norm's: by their names, or by their order. */

import { quoted } from "../../../../core/file-error.ts";
import type { ParameterInfo } from "../../../../layers/parameter-info.ts";
import type { NameHint, Part } from "./by-order-groups.ts";

/** In the order in which files have them. */
const NORM = ["gamma", "beta", "mean", "variance"] as const;
type VectorRole = Exclude<ParameterInfo["role"], "kernel">;

/** The vectors of a layer by what they are. */
export type Vectors = ReadonlyMap<VectorRole, Part>;

/** What the last word of a name may say of a vector. */
const SAID: Readonly<Record<VectorRole, readonly NameHint[]>> = {
  bias: ["bias"],
  gamma: ["gamma", "weight"],
  beta: ["beta", "bias"],
  mean: ["mean"],
  variance: ["variance"],
};

/**
 * @param own those whose names belong to the kernel's
 * @param following those of the batch norm after it, or that follow without a name in common
 * @param channels the kernel's outputs
 */
export function placeVectors(
  kernel: Part,
  own: readonly Part[],
  following: readonly Part[],
  channels: number,
): Vectors | { readonly reason: string } {
  const parts = [...own, ...following];
  const misfit = parts.find(({ shape }) => shape[0] !== channels);
  if (misfit !== undefined) {
    return {
      reason: `${quoted(misfit.name)} has ${misfit.shape[0]} values, where ${quoted(kernel.name)} has ${channels} outputs`,
    };
  }
  const roles = parts.every(({ hint }) => hint !== undefined) ? byWords(own, following) : byOrder(parts);
  const isWhole = NORM.every((role) => roles?.has(role) === true) || !NORM.some((role) => roles?.has(role));
  if (roles !== undefined && roles.size === parts.length && isWhole) return roles;
  return {
    reason:
      `the ${parts.length} vectors after ${quoted(kernel.name)} are neither a bias, ` +
      "nor the four of a batch norm, nor both",
  };
}

function byOrder(parts: readonly Part[]): Vectors | undefined {
  const order: readonly VectorRole[] | undefined =
    parts.length <= 1 ? ["bias"] : parts.length === 4 ? NORM : parts.length === 5 ? ["bias", ...NORM] : undefined;
  if (order === undefined) return undefined;
  const roles = new Map<VectorRole, Part>();
  for (const [i, part] of parts.entries()) {
    const role = order[i] ?? "bias";
    if (part.hint !== undefined && !SAID[role].includes(part.hint)) return undefined;
    roles.set(role, part);
  }
  return roles;
}

/** A `bias` is the kernel's if it shares its name or stands alone, else the batch norm's shift. */
function byWords(own: readonly Part[], following: readonly Part[]): Vectors | undefined {
  const roles = new Map<VectorRole, Part>();
  const isAlone = own.length + following.length === 1;
  for (const part of [...own, ...following]) {
    const isOwnBias = part.hint === "bias" && (isAlone || own.includes(part));
    const role = isOwnBias ? "bias" : NORM.find((name) => part.hint !== undefined && SAID[name].includes(part.hint));
    if (role === undefined || roles.has(role)) return undefined;
    roles.set(role, part);
  }
  return roles;
}
