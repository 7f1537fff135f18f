/** A graph that is no architecture known here, as a network of its own, and what is known of its input and classes. */

import { DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import { DEFAULT_PREPROCESSING, type Preprocessing } from "../../core/preprocessing.ts";
import { assumed, type Fact, inferred, stated } from "../../formats/fact.ts";
import type { ModelGraph } from "../../formats/graph.ts";
import { INPUT } from "../../layers/node.ts";
import type { DecodedBudget } from "../../sources/decoded-budget.ts";
import { backgroundFact, optionsOf } from "../architectures/mobilenet-v1/decide.ts";
import { usualTop } from "../architectures/mobilenet-v1/front.ts";
import { recogniseGraph } from "../architectures/mobilenet-v1/others.ts";
import type { Facts } from "../facts.ts";
import type { StatedModel } from "../metadata.ts";
import type { UnderstoodNetwork } from "../understand.ts";
import { NOTHING } from "./emit-affine.ts";
import { layerQuantization } from "./layer-quantization.ts";
import { type Translated, translateGraph } from "./translate.ts";

/**
 * @param reason why it is no MobileNet V1
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN` for an operation that is not ours, by its name, and for shapes that
 *         the graph does not state; `NETWORK_VANISHES`, `FILE_CORRUPT` for windows that do not fit the image
 */
export function understandAsNetwork(
  graph: ModelGraph,
  model: StatedModel,
  name: string,
  budget: DecodedBudget,
  reason: string,
): UnderstoodNetwork {
  const recognised = recogniseGraph(graph);
  const refused = (why: string) =>
    new DepthwiseError("ARCHITECTURE_UNKNOWN", {
      what: `${name}: the network`,
      expected: "operations that run here (convolutions, dense layers, pools, sums, products, batch norm, activations)",
      found: `${recognised}: ${why}`,
      advice: `It is no MobileNet V1${why === reason ? "" : ` either (${reason})`}; of a network cut in two pass both files in a list. Nothing was loaded.`,
      fields: { file: name, recognised, reason: why },
    });
  const translated = translate(graph, (bytes, what) => budget.charge(name, bytes, what), refused, name, reason);
  const { inputShape, layers, outputs, parameters, layerNames } = translated;
  const quantization = layerQuantization(graph, layerNames);
  const facts: Facts = { ...backgroundFact(translated.classes), ...inputFacts(graph, translated), ...model.facts };
  const { preprocessing, labels, background } = optionsOf(facts);
  const said = Object.entries({ preprocessing, labels, background }).filter(([, value]) => value !== undefined);
  return {
    definition: {
      ...{ name: "custom", inputShape, layers, outputs },
      info: { architecture: "custom", ...Object.fromEntries(said) },
    },
    parameters,
    facts,
    understoodBy: `translation of the file's graph, layer by layer: ${recognised} (no MobileNet V1: ${reason})`,
    ...(quantization === undefined ? {} : { quantization }),
  };
}

/** Errors of layers name the file as well. */
function translate(
  graph: ModelGraph,
  charge: (bytes: number, what: string) => void,
  refused: (why: string) => Error,
  name: string,
  reason: string,
): Translated {
  try {
    return translateGraph(graph, charge, refused);
  } catch (cause) {
    if (!isDepthwiseError(cause) || !["OPTION_INVALID", "NETWORK_VANISHES"].includes(cause.code)) throw cause;
    const isDamaged = cause.code === "OPTION_INVALID";
    throw new DepthwiseError(isDamaged ? "FILE_CORRUPT" : cause.code, {
      what: `${name}: ${cause.message.replace(/\.$/, "")}`,
      advice: `${isDamaged ? "The file is damaged, or describes what cannot run. " : ""}It is no MobileNet V1 either (${reason}). Nothing was loaded.`,
      fields: cause.fields,
      cause,
    });
  }
}

/** What nothing but the graph says of an image that it takes. */
function inputFacts({ inputs: [input] }: ModelGraph, translated: Translated): Facts {
  const { inputShape, isOpen, classes } = translated;
  const [height = 0, width = 0, channels] = inputShape;
  const ofResult = classes === undefined ? {} : { classes: inferred(classes, "shape of the result") };
  if (inputShape.length !== 3) return ofResult;
  const size = [height, width] as const;
  return {
    ...ofResult,
    inputSize: isOpen
      ? assumed(size, "the size most were trained at; the file leaves it open")
      : stated(size, `shape of the input "${input?.name ?? ""}"`),
    inputChannels: inferred(channels ?? 0, `shape of the input "${input?.name ?? ""}"`),
    ...(channels === 1 || channels === 3 ? { preprocessing: rangeFact(translated) } : {}),
  };
}

/** Arithmetic in front of everything else stays in the network, and says what it is fed. */
function rangeFact({ layers, parameters }: Translated): Fact<Preprocessing> {
  const [first, another] = layers.filter(({ inputs = [] }) => inputs.includes(INPUT));
  const isFront = another === undefined && first?.attributes?.["epsilon"] === NOTHING;
  const [scale] = (isFront ? parameters.get(`${first.name}/gamma`)?.data : undefined) ?? [];
  if (scale === undefined)
    return assumed({ range: DEFAULT_PREPROCESSING.range }, "the library's default; the file does not say");
  const top = usualTop(scale, parameters.get(`${first?.name}/beta`)?.data[0]);
  return inferred({ range: [0, top] }, `the graph's own arithmetic on inputs of 0 to ${top}`);
}
