/** Stored tensors under our names and in our layouts. */

import { fileError, quoted } from "../core/file-error.ts";
import { elementCount, type FloatTensor, tensor } from "../core/tensor.ts";
import { type StoredTensor, toFloat32 } from "../formats/stored-tensor.ts";
import { transpose } from "../formats/transpose.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { NameMap, Target } from "./name-map.ts";

/**
 * A name that `translate` does not know stays as it is, and is reported as left over when the network is built.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` if two tensors are the same one of ours: which is meant is not said
 */
export function translated(
  tensors: Iterable<StoredTensor>,
  translate: (name: string) => ReturnType<NameMap["translate"]>,
  file: string,
  budget: DecodedBudget,
): ReadonlyMap<string, FloatTensor> {
  const parameters = new Map<string, FloatTensor>();
  const origins = new Map<string, string>();
  for (const stored of tensors) {
    const target: Target | "ignored" | undefined = translate(stored.name);
    if (target === "ignored") continue;
    const name = target?.name ?? stored.name;
    const other = origins.get(name);
    if (other !== undefined) {
      const what = `tensors ${quoted(other)} and ${quoted(stored.name)}`;
      const found = { expected: "different layers", found: `${quoted(name)} twice` };
      throw fileError("FILE_CORRUPT", file, what, "Leave one of them out.", found);
    }
    origins.set(name, stored.name);
    budget.charge(file, decodedBytes(stored, target?.layout), `tensor ${quoted(stored.name)}`);
    const laid = transpose(stored.name, toFloat32(stored), stored.shape, target?.layout ?? "as-is");
    parameters.set(name, tensor(laid.data, laid.shape));
  }
  return parameters;
}

/** float32 that nobody lays out anew stays a view of the file. */
function decodedBytes({ dtype, shape }: StoredTensor, layout: Target["layout"] | undefined): number {
  return dtype === "F32" && (layout ?? "as-is") === "as-is" ? 0 : 4 * elementCount(shape);
}
