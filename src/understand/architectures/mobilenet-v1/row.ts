/** MobileNet V1's row. Keras' names are known at once; what other files need is loaded when such a one is met. */

import { DepthwiseError } from "../../../core/errors.ts";
import { ownPart } from "../../../core/own-part.ts";
import type { FloatTensor } from "../../../core/tensor.ts";
import type { MobileNetV1Options } from "../../../models/index.ts";
import type { Architecture, Evidence } from "../../architecture.ts";
import { renamed } from "../../renamed.ts";
import { mobileNetV1Builder } from "./builder.ts";
import { decide, optionsOf } from "./decide.ts";
import { classifierOf, expectedLayers, knownLayers } from "./expected.ts";
import type { LayerSearch } from "./fitting.ts";
import type { FamilyDefaults } from "./name-map.ts";
import { keras } from "./names/keras.ts";

export const mobileNetV1Row: Architecture<FamilyDefaults> = {
  builder: mobileNetV1Builder,
  async byNames(content, evidence) {
    const names = new Set(content.tensors.keys());
    const search = searchFor(evidence);
    if (!keras.matches(names)) {
      const { understandNames } = await ownPart("what knows other names", () => import("./by-names.ts"));
      return understandNames(content, evidence, search);
    }
    const { model, file, budget } = evidence;
    return {
      parameters: renamed(content, keras.renamer(names, search), file.name, budget),
      facts: model.facts,
      defaults: keras.defaults,
      understoodBy: `names of ${keras.family}`,
    };
  },
  async byShapes(content, evidence) {
    const { understandShapes } = await ownPart("what understands shapes", () => import("./by-shapes.ts"));
    return understandShapes(content, evidence, searchFor(evidence));
  },
  async byGraph(graph, evidence) {
    const { understandOperations } = await ownPart("what understands graphs", () => import("./by-graph.ts"));
    return understandOperations(graph, evidence, searchFor(evidence).known);
  },
  async decide({ parameters, facts, defaults }, given: MobileNetV1Options, file) {
    const { classes, background, ...others } = given;
    if (given.includeTop === true && ![...parameters.keys()].some(isOfClassifier)) {
      throw new DepthwiseError("PARAMETERS_MISMATCH", {
        what: `${file}: includeTop: true`,
        expected: "a classifier",
        found: "none, it ends with its features",
        advice: "Load it without includeTop, and give it a classifier with replaceHead.",
        fields: { file, option: "includeTop" },
      });
    }
    const there = given.includeTop === false ? withoutClassifier(parameters) : parameters;
    // `classes` does not say what the file has, but what is to become of it; `background` then as well.
    const decided = decide(there, classes === undefined ? given : others, facts, defaults, file);
    if (classes === undefined) return { parameters: there, facts: decided };
    const { adjustClasses } = await ownPart("what changes the classes", () => import("./classes.ts"));
    return adjustClasses(there, decided, { classes, background }, classifierOf(), file);
  },
};

function searchFor({ model, given }: Evidence): LayerSearch {
  return { known: knownLayers({ ...optionsOf(model.facts), ...given }), layersOf: expectedLayers };
}

function isOfClassifier(parameter: string): boolean {
  return parameter.startsWith(`${classifierOf().name}/`);
}

function withoutClassifier(parameters: ReadonlyMap<string, FloatTensor>): ReadonlyMap<string, FloatTensor> {
  return new Map([...parameters].filter(([name]) => !isOfClassifier(name)));
}
