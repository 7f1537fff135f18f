/** The options of `mobileNetV1`: checked once, completed, then never asked again. */

import {
  belowOne,
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  positiveNumber,
  stringsOf,
} from "../../core/options.ts";
import { checkPreprocessing, type Preprocessing } from "../../core/preprocessing.ts";
import { ACTIVATIONS, type ActivationName } from "../../operations/activation-names.ts";
import { sizeOption } from "../image-size.ts";
import type { Block } from "./table.ts";

/** What a MobileNet V1 may differ in. Names are those of the paper and of Keras. */
export interface MobileNetV1Options {
  /** Width multiplier α: scales the channels of every layer. Any number above 0. Default 1. */
  readonly alpha?: number;
  /** Resolution multiplier ρ: scales the input's side, `resolution = round(224 · rho)`. Default 1. */
  readonly rho?: number;
  /** Side of a square input in pixels, instead of `rho`. Default 224. */
  readonly resolution?: number;
  /** `[height, width]` in pixels, instead of `resolution`. */
  readonly inputSize?: readonly [number, number];
  /** Channels of the input: 3 for colour, 1 for grey. Default 3. */
  readonly inputChannels?: number;
  /** Number of outputs. Default 1000; the networks of TF-slim have 1001, background first. */
  readonly classes?: number;
  /** Whether the classifier is part of the network. Default true. */
  readonly includeTop?: boolean;
  /** Without a top: `"avg"` or `"max"` over the image, or null (default) for the feature map. */
  readonly pooling?: "avg" | "max" | null;
  /** Share of features dropped in training before the classifier. Default 0.001. */
  readonly dropout?: number;
  /**
   * How the 3 × 3 layers pad. `"same"` (default) is TensorFlow's; `"keras"` pads `[[0, 1], [0, 1]]` at stride 2;
   * `"symmetric"` is PyTorch's and Caffe's. They differ at stride 2: `keras` from `same` for odd sizes only.
   */
  readonly padding?: "same" | "keras" | "symmetric";
  /** With `padding: "keras"`: whether the stem pads `"same"` (Keras 3, default) or `"explicit"` as older ones. */
  readonly stemPadding?: "same" | "explicit";
  /** Default `relu6`, as released; the paper says ReLU. */
  readonly activation?: ActivationName;
  /** With `activation: "leakyRelu"`: factor of numbers below 0. Default 0.1, as in the V1 networks published with it. */
  readonly negativeSlope?: number;
  /** Of batch norm. Default 0.001; weights from PyTorch and Caffe want 1e-5. */
  readonly epsilon?: number;
  /** Whether convolutions add a bias (folded weights have one). Default false with batch norm, true without. */
  readonly convolutionBias?: boolean;
  /** Whether batch norm follows each convolution. Default true; false for weights that were folded. */
  readonly batchNorm?: boolean;
  /**
   * How `filters · alpha` becomes an integer: `"truncate"` (default, Keras), `"floor"` (TF-slim: truncate, at least
   * `minDepth`), `"divisible8"` (timm: nearest multiple of 8).
   */
  readonly channelRounding?: "truncate" | "floor" | "divisible8";
  /** Fewest channels of a layer. Default 8 for `floor` and `divisible8`, 1 for `truncate`. */
  readonly minDepth?: number;
  /** 8, 16 or 32 (default): later strides are replaced by dilation. */
  readonly outputStride?: 8 | 16 | 32;
  /** The paper's shallow network of table 5: without blocks 7 to 11. Default false. */
  readonly shallow?: boolean;
  /** The paper's twin of table 4: full 3 × 3 convolutions in place of separable blocks. Default false. */
  readonly standardConvolution?: boolean;
  /** Depthwise channel multiplier: filters for each channel. Neither alpha nor rho. Default 1. */
  readonly multiplier?: number;
  /** The full convolution in front. Default the paper's. */
  readonly stem?: Block;
  /** The blocks. Default `MOBILENET_V1_BLOCKS`, the paper's table 1. */
  readonly blocks?: readonly Block[];
  /** Seed of the initial parameters. Default 1. */
  readonly seed?: number;
  /** Names of the classes. */
  readonly labels?: readonly string[];
  /** Whether output 0 is "background". */
  readonly background?: boolean;
  /** How an image becomes the input; see `depthwise/images`. Default `{ range: [-1, 1] }`, as released. */
  readonly preprocessing?: Preprocessing;
}

export interface CompleteOptions
  extends Required<
      Omit<
        MobileNetV1Options,
        "rho" | "resolution" | "negativeSlope" | "minDepth" | "labels" | "background" | "preprocessing"
      >
    >,
    Pick<MobileNetV1Options, "negativeSlope" | "minDepth" | "labels" | "background" | "preprocessing"> {}

const OWNER = "mobileNetV1";

/** All names, written once; TypeScript checks that none is missing or invented. */
export const MOBILENET_V1_OPTIONS: readonly string[] = /* @__PURE__ */ Object.keys({
  alpha: 1,
  rho: 1,
  resolution: 1,
  inputSize: 1,
  inputChannels: 1,
  classes: 1,
  includeTop: 1,
  pooling: 1,
  dropout: 1,
  padding: 1,
  stemPadding: 1,
  activation: 1,
  negativeSlope: 1,
  epsilon: 1,
  convolutionBias: 1,
  batchNorm: 1,
  channelRounding: 1,
  minDepth: 1,
  outputStride: 1,
  shallow: 1,
  standardConvolution: 1,
  multiplier: 1,
  stem: 1,
  blocks: 1,
  seed: 1,
  labels: 1,
  background: 1,
  preprocessing: 1,
} satisfies Record<keyof MobileNetV1Options, 1>);

/** @param table the paper's, for options that do not bring their own */
export function completeOptions(
  options: MobileNetV1Options,
  table: { readonly stem: Block; readonly blocks: readonly Block[] },
): CompleteOptions {
  checkKnownOptions(OWNER, options, MOBILENET_V1_OPTIONS);
  const batchNorm = booleanOption(OWNER, "batchNorm", options.batchNorm ?? true);
  const outputStride = options.outputStride ?? 32;
  if (![8, 16, 32].includes(outputStride)) throw optionError(OWNER, "outputStride", "8, 16 or 32", outputStride);
  const pooling = options.pooling ?? null;
  if (pooling !== null) oneOf(OWNER, "pooling", pooling, ["avg", "max"] as const);
  const multiplier = options.multiplier ?? 1;
  if (!Number.isSafeInteger(multiplier) || multiplier < 1) {
    const advice = "For a narrower network use alpha, for a smaller input rho or resolution.";
    throw optionError(OWNER, "multiplier", "a positive integer", multiplier, advice);
  }
  const activation = oneOf(OWNER, "activation", options.activation ?? "relu6", ACTIVATIONS);
  const inputChannels = positiveInteger(OWNER, "inputChannels", options.inputChannels ?? 3);
  const negativeSlope = belowOne(OWNER, "negativeSlope", options.negativeSlope ?? 0.1);
  return {
    alpha: positiveNumber(OWNER, "alpha", options.alpha ?? 1, "1 is the paper's width; 0.75, 0.5 and 0.25 are usual."),
    inputSize: sizeOption(OWNER, options) ?? [224, 224],
    inputChannels,
    classes: positiveInteger(OWNER, "classes", options.classes ?? 1000),
    includeTop: booleanOption(OWNER, "includeTop", options.includeTop ?? true),
    pooling,
    dropout: belowOne(OWNER, "dropout", options.dropout ?? 0.001),
    padding: oneOf(OWNER, "padding", options.padding ?? "same", ["same", "keras", "symmetric"]),
    stemPadding: oneOf(OWNER, "stemPadding", options.stemPadding ?? "same", ["same", "explicit"]),
    activation,
    ...(activation === "leakyRelu" ? { negativeSlope } : {}),
    epsilon: positiveNumber(OWNER, "epsilon", options.epsilon ?? 1e-3),
    batchNorm,
    convolutionBias: booleanOption(OWNER, "convolutionBias", options.convolutionBias ?? !batchNorm),
    channelRounding: oneOf(OWNER, "channelRounding", options.channelRounding ?? "truncate", [
      "truncate",
      "floor",
      "divisible8",
    ]),
    ...(options.minDepth === undefined ? {} : { minDepth: positiveInteger(OWNER, "minDepth", options.minDepth) }),
    outputStride,
    shallow: booleanOption(OWNER, "shallow", options.shallow ?? false),
    standardConvolution: booleanOption(OWNER, "standardConvolution", options.standardConvolution ?? false),
    multiplier,
    stem: checkBlock("stem", options.stem ?? table.stem),
    blocks: checkBlocks(options.blocks ?? table.blocks),
    seed: checkSeed(options.seed ?? 1),
    ...(options.labels === undefined ? {} : { labels: stringsOf(OWNER, "labels", options.labels) }),
    ...(options.background === undefined ? {} : { background: booleanOption(OWNER, "background", options.background) }),
    ...(options.preprocessing === undefined
      ? {}
      : { preprocessing: checkPreprocessing(`${OWNER}: preprocessing`, options.preprocessing, inputChannels) }),
  };
}

function checkBlock(option: string, block: unknown): Block {
  if (typeof block !== "object" || block === null) throw optionError(OWNER, option, "{ stride, filters }", block);
  const { stride, filters } = block as Partial<Block>;
  return {
    stride: positiveInteger(OWNER, `${option}.stride`, stride),
    filters: positiveInteger(OWNER, `${option}.filters`, filters),
  };
}

function checkBlocks(blocks: unknown): readonly Block[] {
  if (!Array.isArray(blocks) || blocks.length === 0)
    throw optionError(OWNER, "blocks", "at least one { stride, filters }", blocks);
  // Not `map`, which passes over holes.
  return Array.from(blocks, (block: unknown, index) => checkBlock(`blocks[${index}]`, block));
}

function checkSeed(seed: unknown): number {
  if (typeof seed === "number" && Number.isSafeInteger(seed)) return seed;
  throw optionError(OWNER, "seed", "an integer", seed);
}
