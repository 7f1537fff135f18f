/** Tensors under names that are not ours, by the names of other tools, or by order and shapes; loaded when met. */

import { fileError } from "../core/file-error.ts";
import type { TensorContent } from "../formats/model-file.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { OpenFile } from "../sources/open-file.ts";
import type { LayerSearch } from "./architectures/mobilenet-v1/fitting.ts";
import { huggingFaceFacts } from "./architectures/mobilenet-v1/hugging-face-config.ts";
import { sequenceByShape } from "./architectures/mobilenet-v1/names/by-order.ts";
import { huggingFace } from "./architectures/mobilenet-v1/names/hugging-face.ts";
import { recogniseOther } from "./architectures/mobilenet-v1/names/others.ts";
import { OTHER_NAME_MAPS } from "./architectures/mobilenet-v1/names/table.ts";
import type { StatedModel } from "./metadata.ts";
import { renamed } from "./renamed.ts";
import type { Understood } from "./understand.ts";

/**
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying what was recognised, or which tensor has no place
 */
export async function understandTensors(
  { tensors, isOrdered }: TensorContent,
  model: StatedModel,
  file: OpenFile,
  budget: DecodedBudget,
  search: LayerSearch,
): Promise<Understood> {
  const all = new Set(tensors.keys());
  const map = OTHER_NAME_MAPS.find((candidate) => candidate.matches(all));
  if (map !== undefined) {
    const config = map === huggingFace ? await huggingFaceFacts(file, budget) : {};
    return {
      parameters: renamed(tensors.values(), map.renamer(all, search), file.name, budget),
      facts: { ...config, ...model.facts },
      defaults: map.defaults,
      understoodBy: `names of ${map.family}`,
    };
  }
  const names = [...all];
  const recognised = recogniseOther(names);
  const found = recognised === undefined ? sequenceByShape(tensors, isOrdered, search) : { reason: recognised };
  if ("reason" in found) {
    const advice = "Rename the tensors to Keras' names, or save a network of your own with saveModel.";
    throw fileError("ARCHITECTURE_UNKNOWN", file.name, "tensors", advice, {
      expected:
        "those of a MobileNet V1 (names of Keras, Hugging Face, timm, TF-slim or PyTorch, or its shapes in order)",
      found: names.length === 0 ? "no tensor at all" : `${found.reason} (${names.slice(0, 4).join(", ")})`,
      fields: { names, ...(recognised === undefined ? {} : { recognised }) },
    });
  }
  return {
    parameters: renamed(tensors.values(), (name) => found.targets.get(name), file.name, budget),
    facts: model.facts,
    defaults: found.defaults,
    understoodBy: "order and shapes of the tensors",
  };
}
