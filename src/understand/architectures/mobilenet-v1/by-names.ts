/** Tensors under names that other tools give them; loaded when a file is met whose names are not Keras'. */

import type { TensorContent } from "../../../formats/model-file.ts";
import type { Evidence, Recognised } from "../../architecture.ts";
import { renamed } from "../../renamed.ts";
import type { LayerSearch } from "./fitting.ts";
import { huggingFaceFacts } from "./hugging-face-config.ts";
import type { FamilyDefaults } from "./name-map.ts";
import { huggingFace } from "./names/hugging-face.ts";
import { OTHER_NAME_MAPS } from "./names/table.ts";

/** Undefined for names that no map knows. */
export async function understandNames(
  content: TensorContent,
  { model, file, budget }: Evidence,
  search: LayerSearch,
): Promise<Recognised<FamilyDefaults> | undefined> {
  const names = new Set(content.tensors.keys());
  const map = OTHER_NAME_MAPS.find((candidate) => candidate.matches(names));
  if (map === undefined) return undefined;
  const config = map === huggingFace ? await huggingFaceFacts(file, budget) : {};
  return {
    parameters: renamed(content, map.renamer(names, search), file.name, budget),
    facts: { ...config, ...model.facts },
    defaults: map.defaults,
    understoodBy: `names of ${map.family}`,
  };
}
