/** All forms into which the tests' writers bring a sample network, and what a reader must say of each. */

import { tensor } from "../../src/core/tensor.ts";
import type { Basis } from "../../src/formats/fact.ts";
import type { MobileNetV1Options } from "../../src/models/index.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import { kernelInEightBits } from "../fixtures/eight-bit.ts";
import { toBFloat16, toFloat16 } from "../fixtures/half-floats.ts";
import { bytesOf, changed, folded, type Sample, unsaid } from "../fixtures/sample-networks.ts";
import { frozenGraph, type GraphDefOptions, tfjsGraphModel } from "./as-graph-def.ts";
import {
  affine,
  type KerasOptions,
  keras3WeightsH5,
  kerasArchive,
  kerasLayers,
  kerasWeightsH5,
  kerasWholeH5,
  type Quantized,
  tfjsLayers,
} from "./as-keras.ts";
import { type OnnxOptions, onnxFile } from "./as-onnx.ts";
import {
  eightBitSafetensors,
  FAMILIES,
  type FamilyName,
  namedTensors,
  safetensors,
  TORCH_FORMS,
} from "./as-tensors.ts";
import { asStored, type TfliteKind, type TfliteOptions, tfliteFile } from "./as-tflite.ts";

/** A decision's basis by its name; a decision that is not listed is not checked. */
export type Said = { readonly [Name in keyof MobileNetV1Options]?: Basis };

export interface Written {
  readonly source: ModelSource;
  /** Options of the call. */
  readonly given?: MobileNetV1Options;
  /** The network that must come back, bit for bit. */
  readonly expected: Sample;
  readonly said: Said;
}

export interface Form {
  readonly name: string;
  /** The `format` of `describe`. */
  readonly format: string;
  readonly understoodBy: RegExp;
  /** Why a network cannot be written so; undefined if it can. */
  readonly obstacle?: (sample: Sample) => string | undefined;
  readonly write: (sample: Sample) => Written | Promise<Written>;
}

const INFERRED: Said = { alpha: "inferred", classes: "inferred", inputChannels: "inferred", batchNorm: "inferred" };
const GIVEN: Said = { ...INFERRED, padding: "given", activation: "given", inputSize: "given", epsilon: "given" };
const STATED: Said = { ...INFERRED, padding: "stated", activation: "stated", inputSize: "stated", epsilon: "stated" };
const FOLDED: Said = { ...INFERRED, padding: "stated", activation: "stated", inputSize: "stated" };

/** Of a graph; no activation at all is not said, but seen. */
function saidByGraph({ options, activation }: Sample): Said {
  const said = options.batchNorm === false ? FOLDED : STATED;
  return activation === "linear" ? { ...said, activation: "inferred" } : said;
}

const isDilated = ({ options }: Sample) => options.outputStride !== undefined && options.outputStride !== 32;

/** Names of blocks, and kernels whose layers only order and shapes tell. */
function nameObstacle(family: FamilyName): (sample: Sample) => string | undefined {
  return ({ options }) => {
    if (family.startsWith("Keras")) return undefined;
    if (options.standardConvolution) return "its names are for separable blocks";
    if (options.multiplier === undefined || family === "TF-slim") return undefined;
    return family === "numbers in Keras' layout"
      ? "a depthwise kernel with a multiplier looks like a full one"
      : "a multiplier is not told from more channels";
  };
}

const rounded = (sample: Sample, round: (data: Float32Array) => Float32Array) => changed(sample, round);

const families = Object.keys(FAMILIES) as FamilyName[];

const inSafetensors = families.map(
  (family): Form => ({
    name: `safetensors, ${family}`,
    format: "safetensors",
    understoodBy: FAMILIES[family].understoodBy,
    obstacle: nameObstacle(family),
    write: (sample) => ({
      source: safetensors(namedTensors(sample, family)),
      given: unsaid(sample),
      expected: sample,
      said: GIVEN,
    }),
  }),
);

const inHalves = (["F16", "BF16"] as const).flatMap((dtype) =>
  (["timm", "numbers in Keras' layout"] as const).map(
    (family): Form => ({
      name: `safetensors in ${dtype}, ${family}`,
      format: "safetensors",
      understoodBy: FAMILIES[family].understoodBy,
      obstacle: nameObstacle(family),
      write: (sample) => ({
        source: safetensors(namedTensors(sample, family), { dtype }),
        given: unsaid(sample),
        expected: rounded(sample, (data) => (dtype === "F16" ? toFloat16 : toBFloat16)(data).values),
        said: GIVEN,
      }),
    }),
  ),
);

const EIGHT_BITS = "safetensors, weights as 8-bit integers with scales";

const isKernel = (name: string) => name.endsWith("kernel");

/** A sample with the kernels that come back from 8-bit integers. */
const inEightBits = (from: Sample) =>
  changed(from, (data, name) => {
    const { shape } = from.model.parameterInfo.get(name)!;
    return isKernel(name) ? kernelInEightBits(name, tensor(data, shape)).values : data;
  });

const eightBits: readonly Form[] = [
  {
    name: "safetensors of saveModel in I8",
    format: EIGHT_BITS,
    understoodBy: /Keras/,
    write: (sample) => ({
      source: encodeModel(sample.model, { dtype: "I8" }),
      expected: inEightBits(sample),
      said: { padding: "stated" },
    }),
  },
  {
    name: "safetensors in I8, timm",
    format: EIGHT_BITS,
    understoodBy: FAMILIES.timm.understoodBy,
    obstacle: nameObstacle("timm"),
    write: (sample) => ({
      source: eightBitSafetensors(namedTensors(sample, "timm")),
      given: unsaid(sample),
      expected: inEightBits(sample),
      said: GIVEN,
    }),
  },
];

/** With its configuration beside it nothing is left to be given, where the configuration has words for it. */
const withConfig: Form = {
  name: "Hugging Face directory",
  format: "safetensors",
  understoodBy: /Hugging Face/,
  obstacle(sample) {
    const { options, activation, model } = sample;
    const other = nameObstacle("Hugging Face")(sample);
    if (other !== undefined) return other;
    if (activation === "leakyRelu" || activation === "linear") return "its configuration is not read for it";
    if (options.padding === "keras" || isDilated(sample) || options.blocks !== undefined) return "no word for it";
    if (options.includeTop === false && options.pooling !== "avg") return "its features are always averaged";
    const [height, width] = model.inputShape;
    return height === width ? undefined : "pictures are square";
  },
  write(sample) {
    const { alpha = 1, padding = "same", channelRounding = "truncate", minDepth = 8 } = sample.options;
    const { model, activation, epsilon } = sample;
    const config = {
      depth_multiplier: alpha,
      min_depth: channelRounding === "truncate" ? 1 : minDepth,
      image_size: model.inputShape[0],
      tf_padding: padding === "same",
      hidden_act: activation,
      layer_norm_eps: epsilon,
    };
    const preprocessor = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
    return {
      source: [
        new File([safetensors(namedTensors(sample, "Hugging Face")) as Uint8Array<ArrayBuffer>], "model.safetensors"),
        new File([JSON.stringify(config)], "config.json"),
        new File([JSON.stringify(preprocessor)], "preprocessor_config.json"),
      ],
      // Of the rule that makes widths there is only one in such files.
      given: channelRounding === "floor" ? {} : { channelRounding },
      expected: sample,
      said: { ...INFERRED, alpha: "stated", padding: "stated", activation: "stated", resolution: "stated" },
    };
  },
};

const inTorch = Object.entries(TORCH_FORMS).flatMap(([name, encode]) =>
  (["PyTorch conv_bn and conv_dw", "features as in torchvision"] as const).map(
    (family): Form => ({
      name: `PyTorch, ${name}, ${family}`,
      format: name.includes("1.6") ? "PyTorch (before 1.6)" : "PyTorch",
      understoodBy: FAMILIES[family].understoodBy,
      obstacle: nameObstacle(family),
      write: (sample) => ({
        source: encode(namedTensors(sample, family)),
        given: unsaid(sample),
        expected: sample,
        said: GIVEN,
      }),
    }),
  ),
);

const weightsObstacle = ({ options }: Sample) =>
  options.standardConvolution || options.multiplier
    ? "without a topology only separable blocks of multiplier 1 are told"
    : undefined;

const inKeras: readonly Form[] = [
  ...(
    [
      ["whole HDF5", "Keras HDF5, whole model", kerasWholeH5, {}],
      ["whole HDF5, classifier as convolution", "Keras HDF5, whole model", kerasWholeH5, { head: "convolution" }],
      [".keras", "Keras 3 archive", kerasArchive, { relu6: "name" }],
    ] as const
  ).map(
    ([name, format, encode, options]): Form => ({
      name: `Keras ${name}`,
      format,
      understoodBy: /operations/,
      write: async (sample) => ({
        source: await encode(kerasLayers(sample, options)),
        expected: sample,
        said: saidByGraph(sample),
      }),
    }),
  ),
  ...(
    [
      ["weights by name", "Keras HDF5, weights only", kerasWeightsH5],
      ["weights by number", "Keras 3 weights", keras3WeightsH5],
    ] as const
  ).map(
    ([name, format, encode]): Form => ({
      name: `Keras ${name}`,
      format,
      understoodBy: /order and shapes/,
      obstacle: weightsObstacle,
      write: async (sample) => ({
        source: await encode(kerasLayers(sample)),
        given: unsaid(sample),
        expected: sample,
        said: GIVEN,
      }),
    }),
  ),
];

function tfjsForm(name: string, kerasOptions: KerasOptions, quantized?: Quantized): Form {
  return {
    name: `TensorFlow.js layers model, ${name}`,
    format: "TensorFlow.js layers model",
    understoodBy: /operations/,
    write(sample) {
      const layers = kerasLayers(sample, kerasOptions);
      return {
        source: quantized === undefined ? tfjsLayers(layers) : tfjsLayers(layers, (data) => stored(data, quantized)),
        expected: quantized === undefined ? sample : rounded(sample, (data) => stored(data, quantized).numbers),
        said: saidByGraph(sample),
      };
    },
  };
}

function stored(data: Float32Array, kind: Quantized) {
  if (kind !== "float16") return affine(data, kind === "uint8" ? 8 : 16);
  const { bits, values } = toFloat16(data);
  return { bytes: bytesOf(bits), quantization: { dtype: "float16" }, numbers: values };
}

/** Files of ours say all of it. */
const ours: readonly Form[] = [
  {
    name: "safetensors of saveModel",
    format: "safetensors",
    understoodBy: /Keras/,
    write: (sample) => ({ source: encodeModel(sample.model), expected: sample, said: { padding: "stated" } }),
  },
  {
    name: "TensorFlow.js layers model of saveTfjs",
    format: "TensorFlow.js layers model",
    understoodBy: /Keras/,
    write: (sample) => ({
      source: [...encodeTfjs(sample.model)].map(([name, bytes]) => new File([bytes as Uint8Array<ArrayBuffer>], name)),
      expected: sample,
      said: { padding: "stated", activation: "stated", alpha: "stated", classes: "stated" },
    }),
  },
];

const inTfjs: readonly Form[] = [
  tfjsForm("float32", {}),
  tfjsForm("classifier as convolution, relu6 by name", { head: "convolution", relu6: "name" }),
  tfjsForm("uint8", {}, "uint8"),
  tfjsForm("uint16", {}, "uint16"),
  tfjsForm("float16", {}, "float16"),
];

function graphDefForms(
  name: string,
  format: string,
  encode: (sample: Sample, options: GraphDefOptions) => ModelSource,
): readonly Form[] {
  return (["fused", "written out", "folded"] as const).map((normalization) => ({
    name: `${name}, batch norm ${normalization}`,
    format,
    understoodBy: /operations/,
    write(sample) {
      const expected = normalization === "folded" ? folded(sample) : sample;
      return { source: encode(expected, { normalization }), expected, said: saidByGraph(expected) };
    },
  }));
}

function onnxForm(name: string, options: OnnxOptions, isFolded: boolean): Form {
  return {
    name: `ONNX, ${name}`,
    format: "ONNX",
    understoodBy: /operations/,
    write(sample) {
      const expected = isFolded ? folded(sample) : sample;
      const said = saidByGraph(expected);
      const { padding: _, ...others } = said;
      return { source: onnxFile(expected, options), expected, said: options.pads === "pixels" ? others : said };
    },
  };
}

function tfliteForm(name: string, kind: TfliteKind, options: TfliteOptions, obstacle?: Form["obstacle"]): Form {
  return {
    name: `TFLite ${name}`,
    format: "TFLite",
    understoodBy: /operations/,
    ...(obstacle === undefined ? {} : { obstacle }),
    write(sample) {
      const plain = folded(sample);
      const said = saidByGraph(plain);
      return {
        source: tfliteFile(plain, kind, options),
        expected: asStored(plain, kind),
        said: options.activation === "range" ? { ...said, activation: "inferred" } : said,
      };
    },
  };
}

const rangeObstacle = ({ activation, options }: Sample) => {
  if (activation !== "relu" && activation !== "relu6") return "this activation is no range";
  // As the network's result it may begin at 0 by chance.
  return options.includeTop === false && options.pooling === undefined ? "nothing reads the last range" : undefined;
};

export const FORMS: readonly Form[] = [
  ...inSafetensors,
  ...inHalves,
  ...eightBits,
  withConfig,
  ...inTorch,
  ...inKeras,
  ...ours,
  ...inTfjs,
  ...graphDefForms("TensorFlow.js graph model", "TensorFlow.js graph model", tfjsGraphModel),
  ...graphDefForms("frozen graph", "TensorFlow frozen graph", frozenGraph),
  onnxForm("batch norm as nodes", {}, false),
  onnxForm("folded, pads in pixels", { pads: "pixels", head: "Conv" }, true),
  onnxForm("Clip with attributes", { clip: "attributes", pads: "pixels" }, false),
  onnxForm("channels last around, Pad nodes", { isChannelsLast: true, hasPadNodes: true, head: "MatMul" }, true),
  tfliteForm("float32", "float32", {}),
  tfliteForm("float16", "float16", {}),
  tfliteForm("uint8, one scale a tensor", "uint8", {}),
  tfliteForm("uint8, activation by range", "uint8", { activation: "range" }, rangeObstacle),
  tfliteForm("int8, one scale a channel", "int8", {}),
];
