/**
 * From facts to the builder's options. What the caller gives beats what the file states, that beats what is inferred
 * from the tensors, and that beats what files of this family usually are. Each decision keeps where it came from.
 */

import { isDepthwiseError } from "../../../core/errors.ts";
import { fileError } from "../../../core/file-error.ts";
import { checkPreprocessing, DEFAULT_PREPROCESSING, type Preprocessing } from "../../../core/preprocessing.ts";
import type { FloatTensor } from "../../../core/tensor.ts";
import { assumed, type Fact, given, inferred } from "../../../formats/fact.ts";
import { type MobileNetV1Options, scaledChannels } from "../../../models/index.ts";
import { backgroundFact, valuesOf } from "../../facts.ts";
import {
  blockCount,
  classifierOf,
  expectedLayers,
  type KnownLayers,
  knownLayers,
  parameterOf,
  tableRows,
} from "./expected.ts";
import type { V1Facts } from "./facts.ts";
import type { FamilyDefaults } from "./name-map.ts";

/** Widths in the paper and in later papers come first, then all hundredths. */
const ALPHAS = [1, 0.75, 0.5, 0.25, 0.35, 1.25, 1.3, 1.4, ...Array.from({ length: 400 }, (_, i) => (i + 1) / 100)];

/** @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN` without a first convolution */
export function decide(
  parameters: ReadonlyMap<string, FloatTensor>,
  options: MobileNetV1Options,
  fromFile: V1Facts,
  defaults: FamilyDefaults,
  file: string,
): V1Facts {
  const { preprocessing: asked } = options;
  const shape = shapeFacts(parameters, knownLayers({ ...optionsOf(fromFile), ...options }), file);
  const described = soundDescription(fromFile.preprocessing, shape.inputChannels?.value, asked !== undefined, file);
  const overrides: V1Facts = {
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, given(value)])),
    ...preprocessingFact(asked, described),
  };
  // A size, however it is given, takes the place of any other.
  const { inputSize, resolution, rho, preprocessing: _described, ...rest } = fromFile;
  const others: V1Facts = described === undefined ? rest : { ...rest, preprocessing: described };
  const isSized = [options.inputSize, options.resolution, options.rho].some((option) => option !== undefined);
  const size = resolution ?? inputSize;
  const sized = resolution === undefined ? { inputSize } : { resolution };
  const usual = usualFacts(defaults, { ...shape, ...others, ...overrides }, isSized || size !== undefined);
  const all: V1Facts = withoutUndefined({ ...usual, ...shape, ...others, ...(isSized ? {} : sized), ...overrides });
  const known = all.includeTop?.value === false ? withoutClasses(all) : all;
  return known.alpha === undefined ? { ...known, ...widthFacts(parameters, known, defaults) } : known;
}

/** The options themselves. */
export function optionsOf(facts: V1Facts): MobileNetV1Options {
  return valuesOf(facts);
}

/** What the caller says of the input, before what the file says of it: a range takes the place of mean and deviation. */
function preprocessingFact(asked: Preprocessing | undefined, before: Fact<Preprocessing> | undefined): V1Facts {
  if (asked === undefined) return {};
  if (before === undefined) return { preprocessing: given(asked) };
  const { range, mean, deviation, ...rest } = before.value;
  const isScaled = ["range", "mean", "deviation"].some((name) => Object.hasOwn(asked, name));
  const kept = isScaled ? rest : before.value;
  const others = Object.keys(kept).filter((name) => !Object.hasOwn(asked, name));
  const { from } = given(asked);
  return {
    preprocessing: {
      value: { ...kept, ...asked },
      basis: "given",
      from: others.length === 0 ? from : `${from}; ${others.join(" and ")}: ${before.basis}, ${before.from}`,
    },
  };
}

/**
 * What a file says of its input, if a network of its channels can mean it. What is wrong does not matter to a caller
 * who says it himself.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`
 */
function soundDescription(
  fact: Fact<Preprocessing> | undefined,
  channels: number | undefined,
  isAsked: boolean,
  file: string,
): Fact<Preprocessing> | undefined {
  if (fact === undefined) return undefined;
  try {
    checkPreprocessing("preprocessing", fact.value, channels);
    return fact;
  } catch (cause) {
    if (!isDepthwiseError(cause)) throw cause;
    if (isAsked) return undefined;
    const what = `${fact.from}: ${cause.message.replace(/\.$/, "")}`;
    throw fileError("FILE_CORRUPT", file, what, "Pass preprocessing of your own to loadModel.", { cause });
  }
}

/** A file without a classifier may still name the classes it was trained for. */
function withoutClasses({ classes, labels, background, ...facts }: V1Facts): V1Facts {
  return facts;
}

/** What the tensors' names and shapes leave no doubt about. */
function shapeFacts(parameters: ReadonlyMap<string, FloatTensor>, known: KnownLayers, file: string): V1Facts {
  const layersOf = (variant: KnownLayers) => expectedLayers({ ...known, shallow: false, ...variant });
  const separable = layersOf({ standardConvolution: false });
  const [first, second] = separable;
  const stem = parameterOf(parameters, first);
  if (stem === undefined || stem.shape.length !== 4) {
    const advice = "This is no MobileNet V1, or its stem is missing.";
    const what = `${first?.parameters.get("kernel")}, the first convolution`;
    throw fileError("ARCHITECTURE_UNKNOWN", file, what, advice, {
      expected: "a tensor of rank 4",
      found: stem === undefined ? "none" : `rank ${stem.shape.length}`,
    });
  }
  const depthwise = parameterOf(parameters, second);
  const full = depthwise === undefined ? layersOf({ standardConvolution: true }) : [];
  const standardConvolution = parameterOf(parameters, full[1]) !== undefined;
  const layers = standardConvolution ? full : separable;
  const last = layers.findLast((layer) => layer.kind !== "classifier" && parameterOf(parameters, layer))?.block ?? 0;
  const isShallow = last < blockCount(layers) && last === blockCount(layersOf({ shallow: true, standardConvolution }));
  const classes = parameterOf(parameters, classifierOf(layers))?.shape[3];
  const multiplier = depthwise?.shape[3] ?? 1;
  const there = "tensors that are there";
  return {
    inputChannels: inferred(stem.shape[2] ?? 3, "shape of the first kernel"),
    ...(classes === undefined
      ? { includeTop: inferred(false, "no classifier"), pooling: assumed("avg" as const, "no classifier") }
      : { includeTop: inferred(true, there), classes: inferred(classes, "shape of the classifier") }),
    ...backgroundFact(classes),
    batchNorm: inferred(
      layers.some((layer) => NORM.some((role) => parameterOf(parameters, layer, role))),
      there,
    ),
    convolutionBias: inferred(parameterOf(parameters, first, "bias") !== undefined, there),
    ...(standardConvolution && { standardConvolution: inferred(true, there) }),
    ...(isShallow && { shallow: inferred(true, there) }),
    ...(multiplier !== 1 && { multiplier: inferred(multiplier, "shape of a depthwise kernel") }),
  };
}

const NORM = ["gamma", "beta", "mean", "variance"] as const;

/** What is usual for the family, where nothing better is known. */
function usualFacts(defaults: FamilyDefaults, known: V1Facts, isSized: boolean): V1Facts {
  const { padding, epsilon, activation, negativeSlope, preprocessing, why } = defaults;
  const usual: V1Facts = {
    padding: assumed(padding, why),
    activation: assumed(activation, why),
    preprocessing: assumed(usualInput(preprocessing, known.inputChannels?.value), why),
    ...(known.batchNorm?.value === false ? {} : { epsilon: assumed(epsilon, why) }),
    ...(isSized ? {} : { resolution: assumed(224, "the size most were trained at") }),
  };
  const leaky = (known.activation ?? usual.activation)?.value === "leakyRelu";
  return leaky && negativeSlope !== undefined ? { ...usual, negativeSlope: assumed(negativeSlope, why) } : usual;
}

/** Means of three channels say nothing of an input that has another number of them. */
function usualInput(usual: Preprocessing, channels: number | undefined): Preprocessing {
  const says = Object.keys(usual).length > 0 && (usual.mean === undefined || usual.mean.length === channels);
  return says ? usual : { range: DEFAULT_PREPROCESSING.range };
}

/** The alpha and rounding under which most layers have the width that was found; or these widths as they are. */
function widthFacts(parameters: ReadonlyMap<string, FloatTensor>, known: V1Facts, defaults: FamilyDefaults): V1Facts {
  const layers = expectedLayers(knownLayers(optionsOf(known)));
  const found = tableRows(layers).flatMap((layer) => {
    const width = parameterOf(parameters, layer)?.shape[3];
    // A block's first layer has its stride.
    const { stride } = layers.find(({ block }) => block === layer.block) ?? layer;
    return width === undefined ? [] : [{ filters: layer.filters, width, stride }];
  });
  const rounding = known.channelRounding?.value;
  const roundings: readonly FamilyDefaults["channelRounding"][] =
    rounding === undefined ? [defaults.channelRounding, "truncate", "floor", "divisible8"] : [rounding];
  const minDepth = known.minDepth === undefined ? {} : { minDepth: known.minDepth.value };
  // The last ones give one layer just its width: 0.125, say, is no hundredth.
  const alphas = [...ALPHAS, ...found.map(({ filters, width }) => width / filters)];
  let best = { alpha: 1, channelRounding: defaults.channelRounding, fits: -1 };
  search: for (const channelRounding of roundings) {
    for (const alpha of alphas) {
      const rule = { alpha, channelRounding, ...minDepth };
      const fits = found.filter(({ filters, width }) => scaledChannels(rule, filters) === width).length;
      if (fits > best.fits) best = { alpha, channelRounding, fits };
      if (fits === found.length) break search;
    }
  }
  const from = "widths of the layers";
  // Who says how widths are made means these.
  const isRuled = RULES.some((name) => known[name]?.basis === "given");
  if (defaults.ownWidths && best.fits < found.length && !isRuled)
    return defaults.ownWidths(found, optionsOf(known), known.shallow?.basis === "given", from);
  const channelRounding = known.channelRounding ?? inferred(best.channelRounding, from);
  return { alpha: inferred(best.alpha, from), channelRounding };
}

const RULES = ["channelRounding", "minDepth", "stem", "blocks"] as const;

function withoutUndefined(facts: { readonly [Name in keyof V1Facts]?: V1Facts[Name] | undefined }): V1Facts {
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)) as V1Facts;
}
