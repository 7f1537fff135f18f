/**
 * From facts to the builder's options. What the caller gives beats what the file states, that beats what is inferred
 * from the tensors, and that beats what files of this family usually are. Each decision keeps where it came from.
 */

import { DepthwiseError } from "../core/errors.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { MOBILENET_V1_BLOCKS, MOBILENET_V1_STEM, type MobileNetV1Options, scaledChannels } from "../models/index.ts";
import { assumed, type Fact, type Facts, inferred } from "./facts.ts";
import type { FamilyDefaults } from "./names/name-map.ts";

/** Widths in the paper and in later papers come first, then all hundredths. */
const ALPHAS = [1, 0.75, 0.5, 0.25, 0.35, 1.25, 1.3, 1.4, ...Array.from({ length: 400 }, (_, i) => (i + 1) / 100)];

/** @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN` without a first convolution */
export function decide(
  parameters: ReadonlyMap<string, FloatTensor>,
  given: MobileNetV1Options,
  fromFile: Facts,
  defaults: FamilyDefaults,
  file: string,
): Facts {
  const overrides: Facts = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, { value, basis: "given", from: "an option of the call" }]),
  );
  // A size, however it is given, takes the place of any other.
  const { inputSize, resolution, rho, ...others } = fromFile;
  const isSized = given.inputSize !== undefined || given.resolution !== undefined || given.rho !== undefined;
  const size = resolution ?? inputSize;
  const sized = resolution === undefined ? { inputSize } : { resolution };
  const shape = shapeFacts(parameters, file);
  const usual = usualFacts(defaults, { ...shape, ...others, ...overrides }, isSized || size !== undefined);
  const known: Facts = withoutUndefined({ ...usual, ...shape, ...others, ...(isSized ? {} : sized), ...overrides });
  return known.alpha === undefined ? { ...known, ...widthFacts(parameters, known, defaults) } : known;
}

/** The options themselves. */
export function optionsOf(facts: Facts): MobileNetV1Options {
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, (fact as Fact<unknown>).value]));
}

/** What the tensors' names and shapes leave no doubt about. */
function shapeFacts(parameters: ReadonlyMap<string, FloatTensor>, file: string): Facts {
  const stem = parameters.get("conv1/kernel");
  if (stem === undefined || stem.shape.length !== 4) {
    throw new DepthwiseError("ARCHITECTURE_UNKNOWN", {
      what: `${file}: conv1/kernel, the first convolution`,
      expected: "a tensor of rank 4",
      found: stem === undefined ? "none" : `rank ${stem.shape.length}`,
      advice: "This is no MobileNet V1, or its stem is missing. Nothing was loaded.",
    });
  }
  const standardConvolution = parameters.has("conv_1/kernel");
  const block = (number: number) => parameters.has(`${standardConvolution ? "conv" : "conv_pw"}_${number}/kernel`);
  const classes = parameters.get("conv_preds/kernel")?.shape[3];
  const multiplier = parameters.get("conv_dw_1/depthwise_kernel")?.shape[3] ?? 1;
  const there = "tensors that are there";
  return {
    inputChannels: inferred(stem.shape[2] ?? 3, "shape of the first kernel"),
    ...(classes === undefined
      ? { includeTop: inferred(false, "no classifier"), pooling: assumed("avg" as const, "no classifier") }
      : { includeTop: inferred(true, there), classes: inferred(classes, "shape of the classifier") }),
    ...backgroundFact(classes),
    batchNorm: inferred(
      [...parameters.keys()].some((name) => name.includes("_bn/")),
      there,
    ),
    convolutionBias: inferred(parameters.has("conv1/bias"), there),
    ...(standardConvolution && { standardConvolution: inferred(true, there) }),
    ...(block(8) && !block(9) && { shallow: inferred(true, there) }),
    ...(multiplier !== 1 && { multiplier: inferred(multiplier, "shape of a depthwise kernel") }),
  };
}

function backgroundFact(classes: number | undefined): Facts {
  if (classes === 1001) return { background: inferred(true, "1001 outputs: ImageNet's thousand and a background") };
  return classes === 1000 ? { background: inferred(false, "1000 outputs: ImageNet's, without a background") } : {};
}

/** What is usual for the family, where nothing better is known. */
function usualFacts(defaults: FamilyDefaults, known: Facts, isSized: boolean): Facts {
  const { padding, epsilon, activation, negativeSlope, preprocessing, why } = defaults;
  const usual: Facts = {
    padding: assumed(padding, why),
    activation: assumed(activation, why),
    preprocessing: assumed(Object.keys(preprocessing).length === 0 ? { range: [-1, 1] } : preprocessing, why),
    ...(known.batchNorm?.value === false ? {} : { epsilon: assumed(epsilon, why) }),
    ...(isSized ? {} : { resolution: assumed(224, "the size most were trained at") }),
  };
  const leaky = (known.activation ?? usual.activation)?.value === "leakyRelu";
  return leaky && negativeSlope !== undefined ? { ...usual, negativeSlope: assumed(negativeSlope, why) } : usual;
}

/** The alpha and rounding under which most layers have the width that was found. */
function widthFacts(parameters: ReadonlyMap<string, FloatTensor>, known: Facts, defaults: FamilyDefaults): Facts {
  const isStandard = known.standardConvolution?.value === true;
  const blocks = known.shallow?.value === true ? [] : MOBILENET_V1_BLOCKS;
  const expected = blocks.map(({ filters }, i) => ({
    filters,
    name: `${isStandard ? "conv" : "conv_pw"}_${i + 1}/kernel`,
  }));
  const found = [{ filters: MOBILENET_V1_STEM.filters, name: "conv1/kernel" }, ...expected].flatMap(
    ({ filters, name }) => {
      const width = parameters.get(name)?.shape[3];
      return width === undefined ? [] : [{ filters, width }];
    },
  );
  const rounding = known.channelRounding?.value;
  const roundings: readonly FamilyDefaults["channelRounding"][] =
    rounding === undefined ? [defaults.channelRounding, "truncate", "floor", "divisible8"] : [rounding];
  const minDepth = known.minDepth === undefined ? {} : { minDepth: known.minDepth.value };
  let best = { alpha: 1, channelRounding: defaults.channelRounding, fits: -1 };
  search: for (const channelRounding of roundings) {
    for (const alpha of ALPHAS) {
      const rule = { alpha, channelRounding, ...minDepth };
      const fits = found.filter(({ filters, width }) => scaledChannels(rule, filters) === width).length;
      if (fits > best.fits) best = { alpha, channelRounding, fits };
      if (fits === found.length) break search;
    }
  }
  const from = "widths of the layers";
  return { alpha: inferred(best.alpha, from), channelRounding: inferred(best.channelRounding, from) };
}

function withoutUndefined(facts: { readonly [Name in keyof Facts]?: Facts[Name] | undefined }): Facts {
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)) as Facts;
}
