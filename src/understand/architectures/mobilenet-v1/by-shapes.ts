/** Tensors under names that no map knows, understood by their order and shapes; loaded when such a file is met. */

import type { TensorContent } from "../../../formats/model-file.ts";
import type { Evidence, Recognised, Refusal } from "../../architecture.ts";
import { renamed } from "../../renamed.ts";
import type { LayerSearch } from "./fitting.ts";
import type { FamilyDefaults } from "./name-map.ts";
import { sequenceByShape } from "./names/by-order.ts";
import { recogniseOther } from "./names/others.ts";

const EXPECTED =
  "those of a MobileNet V1 (names of Keras, Hugging Face, timm, TF-slim or PyTorch, or its shapes in order)";

/** What the tensors are instead, or which of them has no place, if they are no MobileNet V1. */
export function understandShapes(
  content: TensorContent,
  { model, file, budget }: Evidence,
  search: LayerSearch,
): Recognised<FamilyDefaults> | Refusal {
  const { tensors, isOrdered } = content;
  const recognised = recogniseOther(tensors.keys());
  if (recognised !== undefined) return { expected: EXPECTED, reason: recognised, recognised };
  const found = sequenceByShape(tensors, isOrdered, search);
  if ("reason" in found) return { expected: EXPECTED, reason: found.reason };
  return {
    parameters: renamed(content, (name) => found.targets.get(name), file.name, budget),
    facts: model.facts,
    defaults: found.defaults,
    understoodBy: "order and shapes of the tensors",
  };
}
