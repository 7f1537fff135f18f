/** Tensors under names that no map knows, understood by their order and shapes; loaded when such a file is met. */

import { fileError } from "../core/file-error.ts";
import type { TensorContent } from "../formats/model-file.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { LayerSearch } from "./architectures/mobilenet-v1/fitting.ts";
import { sequenceByShape } from "./architectures/mobilenet-v1/names/by-order.ts";
import { recogniseOther } from "./architectures/mobilenet-v1/names/others.ts";
import type { StatedModel } from "./metadata.ts";
import { renamed } from "./renamed.ts";
import type { UnderstoodV1 } from "./understand.ts";

/** @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying what was recognised, or which tensor has no place */
export function understandShapes(
  { tensors, isOrdered }: TensorContent,
  model: StatedModel,
  name: string,
  budget: DecodedBudget,
  search: LayerSearch,
): UnderstoodV1 {
  const names = [...tensors.keys()];
  const recognised = recogniseOther(names);
  const found = recognised === undefined ? sequenceByShape(tensors, isOrdered, search) : { reason: recognised };
  if ("reason" in found) {
    const advice = "Rename the tensors to Keras' names, or save a network of your own with saveModel.";
    throw fileError("ARCHITECTURE_UNKNOWN", name, "tensors", advice, {
      expected:
        "those of a MobileNet V1 (names of Keras, Hugging Face, timm, TF-slim or PyTorch, or its shapes in order)",
      found: names.length === 0 ? "no tensor at all" : `${found.reason} (${names.slice(0, 4).join(", ")})`,
      fields: { names, ...(recognised === undefined ? {} : { recognised }) },
    });
  }
  return {
    parameters: renamed(tensors.values(), (tensorName) => found.targets.get(tensorName), name, budget),
    facts: model.facts,
    defaults: found.defaults,
    understoodBy: "order and shapes of the tensors",
  };
}
