/** Which of the vectors beside a kernel is its bias, and which are the batch norm's: by their names, or by their order. */

import { quoted } from "../../../../core/file-error.ts";
import type { Part, Role } from "./by-order-units.ts";

const NORM = ["gamma", "beta", "moving_mean", "moving_variance"] as const;
type Place = "bias" | (typeof NORM)[number];

/** The vectors of a layer by what they are. */
export type Vectors = ReadonlyMap<Place, Part>;

/** What the last word of a name may say of what stands at a place. */
const SAID: Readonly<Record<Place, readonly Role[]>> = {
  bias: ["bias"],
  gamma: ["gamma", "weight"],
  beta: ["beta", "bias"],
  moving_mean: ["mean"],
  moving_variance: ["variance"],
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
  const places = parts.every(({ role }) => role !== undefined) ? byWords(own, following) : byOrder(parts);
  const isWhole = NORM.every((place) => places?.has(place) === true) || !NORM.some((place) => places?.has(place));
  if (places !== undefined && places.size === parts.length && isWhole) return places;
  return {
    reason:
      `the ${parts.length} vectors after ${quoted(kernel.name)} are neither a bias, ` +
      "nor the four of a batch norm, nor both",
  };
}

function byOrder(parts: readonly Part[]): Vectors | undefined {
  const order: readonly Place[] | undefined =
    parts.length <= 1 ? ["bias"] : parts.length === 4 ? NORM : parts.length === 5 ? ["bias", ...NORM] : undefined;
  if (order === undefined) return undefined;
  const places = new Map<Place, Part>();
  for (const [i, part] of parts.entries()) {
    const place = order[i] ?? "bias";
    if (part.role !== undefined && !SAID[place].includes(part.role)) return undefined;
    places.set(place, part);
  }
  return places;
}

/** A `bias` is the kernel's if it shares its name or stands alone, else the batch norm's shift. */
function byWords(own: readonly Part[], following: readonly Part[]): Vectors | undefined {
  const places = new Map<Place, Part>();
  const isAlone = own.length + following.length === 1;
  for (const part of [...own, ...following]) {
    const isOwnBias = part.role === "bias" && (isAlone || own.includes(part));
    const place = isOwnBias ? "bias" : NORM.find((name) => part.role !== undefined && SAID[name].includes(part.role));
    if (place === undefined || places.has(place)) return undefined;
    places.set(place, part);
  }
  return places;
}
