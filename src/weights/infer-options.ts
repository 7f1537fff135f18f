/** The builder's options from what the tensors look like, where neither caller nor file states them. */

import { DepthwiseError } from "../core/errors.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { MOBILENET_V1_BLOCKS, MOBILENET_V1_STEM, type MobileNetV1Options, scaledChannels } from "../models/index.ts";
import type { FamilyDefaults } from "./names/name-map.ts";

/** Widths in the paper and in later papers come first, then all hundredths. */
const ALPHAS = [1, 0.75, 0.5, 0.25, 0.35, 1.25, 1.3, 1.4, ...Array.from({ length: 400 }, (_, i) => (i + 1) / 100)];

export function inferOptions(
  parameters: ReadonlyMap<string, FloatTensor>,
  stated: MobileNetV1Options,
  defaults: FamilyDefaults,
  file: string,
): MobileNetV1Options {
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
  const shallow =
    parameters.has(standardConvolution ? "conv_8/kernel" : "conv_pw_8/kernel") &&
    !parameters.has(standardConvolution ? "conv_9/kernel" : "conv_pw_9/kernel");
  const classes = parameters.get("conv_preds/kernel")?.shape[3];
  const batchNorm = [...parameters.keys()].some((name) => name.includes("_bn/"));
  const shape = {
    inputChannels: stem.shape[2] ?? 3,
    includeTop: classes !== undefined,
    ...(classes === undefined ? { pooling: "avg" as const } : { classes }),
    batchNorm,
    convolutionBias: parameters.has("conv1/bias"),
    standardConvolution,
    shallow,
  };
  const { padding, epsilon, activation, preprocessing } = defaults;
  const background = classes === 1001 ? { background: true } : classes === 1000 ? { background: false } : {};
  const said = Object.keys(preprocessing).length === 0 ? {} : { preprocessing };
  const known = { padding, epsilon, activation, ...said, ...background, ...shape, ...stated };
  if (stated.alpha !== undefined) return known;
  return { ...known, ...inferWidth(parameters, known, defaults) };
}

/** The alpha and rounding under which most layers have the width that was found. */
function inferWidth(
  parameters: ReadonlyMap<string, FloatTensor>,
  known: MobileNetV1Options,
  defaults: FamilyDefaults,
): Pick<MobileNetV1Options, "alpha" | "channelRounding"> {
  const blocks = MOBILENET_V1_BLOCKS.map(({ filters }, index) => ({
    filters,
    name: `${known.standardConvolution === true ? "conv" : "conv_pw"}_${index + 1}/kernel`,
  }));
  const layers = known.shallow === true ? [] : blocks;
  const found = [{ filters: MOBILENET_V1_STEM.filters, name: "conv1/kernel" }, ...layers].flatMap(
    ({ filters, name }) => {
      const width = parameters.get(name)?.shape[3];
      return width === undefined ? [] : [{ filters, width }];
    },
  );
  const roundings: readonly FamilyDefaults["channelRounding"][] =
    known.channelRounding === undefined
      ? [defaults.channelRounding, "truncate", "floor", "divisible8"]
      : [known.channelRounding];
  let best = { alpha: 1, channelRounding: defaults.channelRounding, fits: -1 };
  for (const channelRounding of roundings) {
    for (const alpha of ALPHAS) {
      const rule = { alpha, channelRounding, ...(known.minDepth === undefined ? {} : { minDepth: known.minDepth }) };
      const fits = found.filter(({ filters, width }) => scaledChannels(rule, filters) === width).length;
      if (fits > best.fits) best = { alpha, channelRounding, fits };
      if (fits === found.length) return { alpha, channelRounding };
    }
  }
  return { alpha: best.alpha, channelRounding: best.channelRounding };
}
