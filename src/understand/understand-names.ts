/** Tensors under names that other tools give them; loaded when a file is met whose names are not Keras'. */

import type { TensorContent } from "../formats/model-file.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { OpenFile } from "../sources/open-file.ts";
import type { LayerSearch } from "./architectures/mobilenet-v1/fitting.ts";
import { huggingFaceFacts } from "./architectures/mobilenet-v1/hugging-face-config.ts";
import { huggingFace } from "./architectures/mobilenet-v1/names/hugging-face.ts";
import { OTHER_NAME_MAPS } from "./architectures/mobilenet-v1/names/table.ts";
import type { StatedModel } from "./metadata.ts";
import { renamed } from "./renamed.ts";
import type { UnderstoodV1 } from "./understand.ts";

/** Undefined for names that no map knows. */
export async function understandNames(
  { tensors }: TensorContent,
  model: StatedModel,
  file: OpenFile,
  budget: DecodedBudget,
  search: LayerSearch,
): Promise<UnderstoodV1 | undefined> {
  const names = new Set(tensors.keys());
  const map = OTHER_NAME_MAPS.find((candidate) => candidate.matches(names));
  if (map === undefined) return undefined;
  const config = map === huggingFace ? await huggingFaceFacts(file, budget) : {};
  return {
    parameters: renamed(tensors.values(), map.renamer(names, search), file.name, budget),
    facts: { ...config, ...model.facts },
    defaults: map.defaults,
    understoodBy: `names of ${map.family}`,
  };
}
