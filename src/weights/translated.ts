/** Stored tensors under our names and in our layouts. */

import { type FloatTensor, tensor } from "../core/tensor.ts";
import type { NameMap, Target } from "./names/name-map.ts";
import { type StoredTensor, toFloat32 } from "./stored-tensor.ts";
import { transpose } from "./transpose.ts";

/** A name that `translate` does not know stays as it is, and is reported as left over when the network is built. */
export function translated(
  tensors: Iterable<StoredTensor>,
  translate: (name: string) => ReturnType<NameMap["translate"]>,
): ReadonlyMap<string, FloatTensor> {
  const parameters = new Map<string, FloatTensor>();
  for (const stored of tensors) {
    const target: Target | "ignored" | undefined = translate(stored.name);
    if (target === "ignored") continue;
    const laid = transpose(stored.name, toFloat32(stored), stored.shape, target?.layout ?? "as-is");
    parameters.set(target?.name ?? stored.name, tensor(laid.data, laid.shape));
  }
  return parameters;
}
