/** A graph that is no architecture known here, as a network of its own, and what is known of its input and classes. */

import { DepthwiseError, isDepthwiseError, shorten } from "../../core/errors.ts";
import { DEFAULT_PREPROCESSING, type Preprocessing } from "../../core/preprocessing.ts";
import { assumed, type Fact, inferred, stated } from "../../formats/fact.ts";
import type { ModelGraph, Pair } from "../../formats/graph.ts";
import { INPUT } from "../../layers/node.ts";
import { sizeOption } from "../../models/index.ts";
import { type Evidence, type Refused, whyNone } from "../architecture.ts";
import { backgroundFact, type Facts } from "../facts.ts";
import type { UnderstoodNetwork } from "../understand.ts";
import { NO_EPSILON } from "./emit-affine.ts";
import { usualTop } from "./front.ts";
import { layerQuantization } from "./layer-quantization.ts";
import { recogniseGraph } from "./recognise.ts";
import { type TranslatedGraph, translateGraph } from "./translate.ts";

/**
 * @param refusals why it is none of the architectures
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN` for an operation that is not ours, by its name, and for shapes that
 *         the graph does not state; `NETWORK_VANISHES`, `FILE_CORRUPT` for windows that do not fit the image
 */
export function understandAsNetwork(
  graph: ModelGraph,
  { model, file: { name }, budget, given }: Evidence,
  refusals: readonly Refused[],
): UnderstoodNetwork {
  const recognised = recogniseGraph(graph);
  const refused = (why: string) =>
    new DepthwiseError("ARCHITECTURE_UNKNOWN", {
      what: `${name}: the network`,
      expected: "operations that run here (convolutions, dense layers, pools, sums, products, batch norm, activations)",
      found: `${recognised}: ${why}`,
      advice: `${noneEither(refusals, why)}; of a network cut in two pass both files in a list. Nothing was loaded.`,
      fields: { file: name, recognised, reason: why },
    });
  // An image's size is of the call where the file leaves it open.
  const size = sizeOption("loadModel", given);
  const charge = (bytes: number, what: string) => budget.charge(name, bytes, what);
  const translated = translate(graph, charge, refused, name, refusals, size);
  const { inputShape, layers, outputs, parameters, layerNames } = translated;
  const quantization = layerQuantization(graph, layerNames);
  const facts: Facts = { ...backgroundFact(translated.classes), ...inputFacts(graph, translated), ...model.facts };
  const said = ["preprocessing", "labels", "background"].flatMap((option) => {
    const fact = facts[option];
    return fact === undefined ? [] : [[option, fact.value] as const];
  });
  return {
    definition: {
      ...{ name: nameAfter(name), inputShape, layers, outputs },
      info: { architecture: "custom", ...Object.fromEntries(said) },
    },
    parameters,
    facts,
    refusals,
    understoodBy: `translation of the file's graph, layer by layer: ${recognised} (${whyNone(refusals)})`,
    ...(quantization === undefined ? {} : { quantization }),
  };
}

/** "It is no MobileNet V1 either (it has 8 blocks, not 13)", without a reason that was told already. */
function noneEither(refusals: readonly Refused[], told?: string): string {
  const each = refusals.map(({ title, reason }) => `no ${title}${reason === told ? "" : ` either (${reason})`}`);
  return `It is ${each.join(", ")}`;
}

/** What a source is called that has no name of its own, and files that are called after what they are. */
const NAMELESS = /^(bytes|stream|Blob|data:|blob:)$/;
const ANY_MODEL = /^(model|saved_model|tf_model|pytorch_model)$/;

/** The name of a file without its folders and ending; that of its folder, if it is only called a model. */
function nameAfter(file: string): string {
  const isAddress = /^[a-z]+:[/][/]/i.test(file);
  const parts = (isAddress ? file.replace(/[?#].*$/s, "") : file).split(/[\\/]+/).filter((part) => part !== "");
  const last = (parts.at(-1) ?? "").replace(/^(.+)\.[^.]*$/s, "$1");
  const [folder] = isAddress && parts.length <= 3 ? [] : parts.slice(-2, -1);
  const wished = NAMELESS.test(file) ? "" : ANY_MODEL.test(last) ? (folder ?? last) : last;
  const safe = shorten(wished, 100).replace(/[^-\p{L}\p{N}._]+/gu, "_");
  return safe.replace(/^[^\p{L}\p{N}]+|_+$/gu, "") || "custom";
}

/** Errors of layers name the file as well. */
function translate(
  graph: ModelGraph,
  charge: (bytes: number, what: string) => void,
  refused: (why: string) => Error,
  name: string,
  refusals: readonly Refused[],
  size: Pair | undefined,
): TranslatedGraph {
  try {
    return translateGraph(graph, charge, refused, size);
  } catch (cause) {
    if (!isDepthwiseError(cause) || !["OPTION_INVALID", "NETWORK_VANISHES"].includes(cause.code)) throw cause;
    const isDamaged = cause.code === "OPTION_INVALID";
    throw new DepthwiseError(isDamaged ? "FILE_CORRUPT" : cause.code, {
      what: `${name}: ${cause.message.replace(/\.$/, "")}`,
      advice: `${isDamaged ? "The file is damaged, or describes what cannot run. " : ""}${noneEither(refusals)}. Nothing was loaded.`,
      fields: cause.fields,
      cause,
    });
  }
}

/** What nothing but the graph says of an image that it takes. */
function inputFacts({ inputs: [input] }: ModelGraph, translated: TranslatedGraph): Facts {
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
function rangeFact({ layers, parameters }: TranslatedGraph): Fact<Preprocessing> {
  const [first, another] = layers.filter(({ inputs = [] }) => inputs.includes(INPUT));
  const isFront = another === undefined && first?.attributes?.["epsilon"] === NO_EPSILON;
  const [scale] = (isFront ? parameters.get(`${first.name}/gamma`)?.data : undefined) ?? [];
  if (scale === undefined)
    return assumed({ range: DEFAULT_PREPROCESSING.range }, "the library's default; the file does not say");
  const top = usualTop(scale, parameters.get(`${first?.name}/beta`)?.data[0]);
  return inferred({ range: [0, top] }, `the graph's own arithmetic on inputs of 0 to ${top}`);
}
