/** From what a reader found to parameters under our names, and facts: by the graph, by known names, or by order. */

import { ownPart } from "../core/own-part.ts";
import type { FloatTensor } from "../core/tensor.ts";
import type { NetworkDefinition } from "../layers/network.ts";
import type { MobileNetV1Options } from "../models/index.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { OpenFile } from "../sources/open-file.ts";
import { optionsOf } from "./architectures/mobilenet-v1/decide.ts";
import { expectedLayers, knownLayers } from "./architectures/mobilenet-v1/expected.ts";
import type { FamilyDefaults } from "./architectures/mobilenet-v1/name-map.ts";
import { keras } from "./architectures/mobilenet-v1/names/keras.ts";
import type { Facts } from "./facts.ts";
import type { StatedModel } from "./metadata.ts";
import { renamed } from "./renamed.ts";

/** What both kinds have in common. */
interface Understood {
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  /** Of the file and of the content together; what the file itself states wins. */
  readonly facts: Facts;
  /** How the layers were told apart: "names of timm mobilenetv1", "operations of the graph". */
  readonly understoodBy: string;
  /** Scales and zero points by layer, where values are quantized. */
  readonly quantization?: Readonly<Record<string, unknown>>;
}

/** A MobileNet V1: parameters under our names, for `decide` to make options of. */
export interface UnderstoodV1 extends Understood {
  readonly defaults: FamilyDefaults;
}

/** A network of its own, which the file spells out. */
export interface UnderstoodNetwork extends Understood {
  readonly definition: NetworkDefinition;
  /** Why it is no MobileNet V1. */
  readonly reason: string;
}

/**
 * @param options of the call: what they say of the layers is known before these are looked for
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying what was recognised in place of a MobileNet V1, and which
 *         operation does not run here
 */
export async function understand(
  model: StatedModel,
  file: OpenFile,
  budget: DecodedBudget,
  options: MobileNetV1Options,
): Promise<UnderstoodV1 | UnderstoodNetwork> {
  const { content } = model;
  const known = knownLayers({ ...optionsOf(model.facts), ...options });
  if (content.kind === "graph") {
    const { understandOperations } = await ownPart("what understands graphs", () => import("./understand-graph.ts"));
    return understandOperations(content, model, file.name, budget, known, options);
  }
  const names = new Set(content.tensors.keys());
  const search = { known, layersOf: expectedLayers };
  if (keras.matches(names)) {
    return {
      parameters: renamed(content.tensors.values(), keras.renamer(names, search), file.name, budget),
      facts: model.facts,
      defaults: keras.defaults,
      understoodBy: `names of ${keras.family}`,
    };
  }
  const { understandNames } = await ownPart("what knows other names", () => import("./understand-names.ts"));
  const found = await understandNames(content, model, file, budget, search);
  if (found !== undefined) return found;
  const { understandShapes } = await ownPart("what understands shapes", () => import("./understand-shapes.ts"));
  return understandShapes(content, model, file.name, budget, search);
}
