/** Stored tensors under our names and in our layouts. */

import { fileError, quoted } from "../core/file-error.ts";
import { elementCount, type FloatTensor, tensor } from "../core/tensor.ts";
import type { TensorContent } from "../formats/model-file.ts";
import { type StoredTensor, toFloat32 } from "../formats/stored-tensor.ts";
import { transpose, type WeightLayout } from "../formats/transpose.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";

/** What a tensor of a file is to us: our name, and the layout that its values lie in. */
export interface Renaming {
  readonly name: string;
  readonly layout: WeightLayout;
}

/** `"ignored"` for what a network does not need, undefined for a name that is not known. */
export type Rename = (name: string) => Renaming | "ignored" | undefined;

/**
 * A name that `rename` does not know stays as it is, and is reported as left over when the network is built: of such a
 * tensor and of one that is ignored nobody asks what its integers stand for.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` if two tensors are the same one of ours: which is meant is not said; what
 *         `toFloats` throws
 */
export function renamed(
  { tensors, toFloats = toFloat32 }: Pick<TensorContent, "tensors" | "toFloats">,
  rename: Rename,
  file: string,
  budget: DecodedBudget,
): ReadonlyMap<string, FloatTensor> {
  const parameters = new Map<string, FloatTensor>();
  const origins = new Map<string, string>();
  for (const stored of tensors.values()) {
    const renaming = rename(stored.name);
    if (renaming === "ignored") continue;
    const { name, layout } = renaming ?? { name: stored.name, layout: "as-is" };
    const other = origins.get(name);
    if (other !== undefined) {
      const what = `tensors ${quoted(other)} and ${quoted(stored.name)}`;
      const found = { expected: "different layers", found: `${quoted(name)} twice` };
      throw fileError("FILE_CORRUPT", file, what, "Leave one of them out.", found);
    }
    origins.set(name, stored.name);
    budget.charge(file, decodedBytes(stored, layout), `tensor ${quoted(stored.name)}`);
    const values = renaming === undefined ? toFloat32(stored) : toFloats(stored);
    const laid = transpose(stored.name, values, stored.shape, layout);
    parameters.set(name, tensor(laid.data, laid.shape));
  }
  return parameters;
}

/** float32 that nobody lays out anew stays a view of the file. */
function decodedBytes({ dtype, shape }: StoredTensor, layout: WeightLayout): number {
  return dtype === "F32" && layout === "as-is" ? 0 : 4 * elementCount(shape);
}
