/** A sample network as a Keras model: its configuration, and files that hold it, with layers named by number. */

import { strToU8, zipSync } from "fflate";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { functional, functional3, type Layer, weightsOf } from "../fixtures/keras-models.ts";
import { bytesOf, type Row, type Sample } from "../fixtures/sample-networks.ts";
import { type Weight, writeHdf5, writeNamedWeights, writeNumberedWeights } from "./hdf5.ts";

export interface KerasOptions {
  /** Classifier as a dense layer (default) or as a convolution between two Reshapes. */
  readonly head?: "dense" | "convolution";
  /** ReLU6 as a layer of its own (default) or as a function by name. */
  readonly relu6?: "layer" | "name";
  /** Leave the shape of the input open. */
  readonly isOpen?: boolean;
}

const CLASSES = {
  Conv2D: "conv2d",
  DepthwiseConv2D: "depthwise_conv2d",
  BatchNormalization: "batch_normalization",
  ReLU: "re_lu",
  LeakyReLU: "leaky_re_lu",
  Activation: "activation",
  ZeroPadding2D: "zero_padding2d",
  Dense: "dense",
} as const;

/** The layers, named as Keras numbers them: class by class. */
export function kerasLayers(sample: Sample, options: KerasOptions = {}): readonly Layer[] {
  const counts = new Map<string, number>();
  const numbered = (className: keyof typeof CLASSES) => {
    const count = counts.get(className) ?? 0;
    counts.set(className, count + 1);
    return count === 0 ? CLASSES[className] : `${CLASSES[className]}_${count}`;
  };
  const [height = 0, width = 0, channels = 0] = sample.model.inputShape;
  const shape = options.isOpen ? [null, null, null, channels] : [null, height, width, channels];
  const layers: Layer[] = [{ className: "InputLayer", name: "input_1", config: { batch_input_shape: shape } }];
  for (const row of sample.rows) {
    if (row.kind === "classifier") {
      layers.push(...head(row, numbered, options.head ?? "dense"));
      continue;
    }
    if (typeof row.padding !== "string") {
      layers.push({ className: "ZeroPadding2D", name: numbered("ZeroPadding2D"), config: { padding: row.padding } });
    }
    layers.push(convolution(row, numbered));
    if (row.norm !== undefined) {
      const name = numbered("BatchNormalization");
      const weights = Object.entries(row.norm).map(([variable, value]) => weightOf(`${name}/${variable}`, value));
      const config = { axis: [3], epsilon: sample.epsilon, scale: true, center: true, momentum: 0.9 };
      layers.push({ className: "BatchNormalization", name, config, weights });
    }
    layers.push(activation({ ...sample, ...row }, numbered, options.relu6 ?? "layer"));
  }
  const { includeTop = true, pooling = null } = sample.options;
  if (includeTop) return layers;
  const pool = { avg: "GlobalAveragePooling2D", max: "GlobalMaxPooling2D" } as const;
  return pooling === null ? layers : [...layers, { className: pool[pooling], name: "pooled", config: {} }];
}

type Numbered = (className: keyof typeof CLASSES) => string;

function convolution(row: Row, numbered: Numbered): Layer {
  const isDepthwise = row.kind === "depthwise";
  const className = isDepthwise ? "DepthwiseConv2D" : "Conv2D";
  const name = numbered(className);
  const [height = 1, width = 1, , last = 1] = row.kernel.shape;
  const config = {
    ...(isDepthwise ? { depth_multiplier: last } : { filters: last }),
    kernel_size: [height, width],
    strides: [row.stride, row.stride],
    dilation_rate: [row.dilation, row.dilation],
    padding: typeof row.padding === "string" ? row.padding : "valid",
    data_format: "channels_last",
    use_bias: row.bias !== undefined,
    activation: "linear",
  };
  const kernel = weightOf(`${name}/${isDepthwise ? "depthwise_kernel" : "kernel"}`, row.kernel);
  const bias = row.bias === undefined ? [] : [weightOf(`${name}/bias`, row.bias)];
  return { className, name, config, weights: [kernel, ...bias] };
}

function activation(
  { activation: kind, slope }: Pick<Sample, "activation" | "slope">,
  numbered: Numbered,
  relu6: "layer" | "name",
): Layer {
  if (kind === "leakyRelu") return { className: "LeakyReLU", name: numbered("LeakyReLU"), config: { alpha: slope } };
  if (kind === "relu6" && relu6 === "layer") {
    return { className: "ReLU", name: numbered("ReLU"), config: { max_value: 6, negative_slope: 0, threshold: 0 } };
  }
  return { className: "Activation", name: numbered("Activation"), config: { activation: kind } };
}

function head(row: Row, numbered: Numbered, kind: "dense" | "convolution"): readonly Layer[] {
  const bias = row.bias!;
  const pool = { className: "GlobalAveragePooling2D", name: "pooled", config: {} };
  const softmax = { className: "Activation", name: numbered("Activation"), config: { activation: "softmax" } };
  if (kind === "dense") {
    const name = numbered("Dense");
    const kernel = { ...weightOf(`${name}/kernel`, row.kernel), shape: [row.inputs, row.outputs] };
    const config = { units: row.outputs, use_bias: true, activation: "linear" };
    return [
      pool,
      { className: "Dense", name, config, weights: [kernel, weightOf(`${name}/bias`, bias)] },
      { className: "Dropout", name: "dropout", config: { rate: 0.5 } },
      softmax,
    ];
  }
  return [
    pool,
    { className: "Reshape", name: "reshape", config: { target_shape: [1, 1, row.inputs] } },
    convolution(row, numbered),
    softmax,
    { className: "Reshape", name: "reshape_1", config: { target_shape: [row.outputs] } },
  ];
}

function weightOf(name: string, { shape, data }: FloatTensor): Weight {
  return { name: `${name}:0`, shape, values: Array.from(data) };
}

const NEWEST = "v108";

/** `model.save("model.h5")` of Keras 2: topology and weights, with the optimizer's state beside them. */
export function kerasWholeH5(layers: readonly Layer[]): Promise<Uint8Array> {
  return writeHdf5((root) => {
    root.create_attribute("model_config", JSON.stringify(functional(layers)));
    root.create_attribute("keras_version", "2.4.0");
    root.create_group("optimizer_weights");
    writeNamedWeights(root.create_group("model_weights"), weightsOf(layers));
  });
}

/** `model.save_weights("model.h5")`. */
export function kerasWeightsH5(layers: readonly Layer[]): Promise<Uint8Array> {
  return writeHdf5((root) => writeNamedWeights(root, weightsOf(layers)));
}

/** `model.save_weights("model.weights.h5")` of Keras 3. */
export function keras3WeightsH5(layers: readonly Layer[]): Promise<Uint8Array> {
  return writeHdf5((root) => writeNumberedWeights(root, weightsOf(layers)), NEWEST);
}

/** `model.save("model.keras")`. */
export async function kerasArchive(layers: readonly Layer[]): Promise<Uint8Array> {
  return zipSync({
    "metadata.json": strToU8(JSON.stringify({ keras_version: "3.5.0" })),
    "config.json": strToU8(JSON.stringify(functional3(layers))),
    "model.weights.h5": await keras3WeightsH5(layers),
  });
}

export type Quantized = "uint8" | "uint16" | "float16";

/** A layers model of TensorFlow.js' converter: one shard; kernels and vectors as they are or quantized. */
export function tfjsLayers(
  layers: readonly Layer[],
  encode: (values: Float32Array) => EncodedWeight = (values) => ({ bytes: bytesOf(values) }),
): readonly File[] {
  const config = functional(layers);
  const topology = { keras_version: "2.4.0", backend: "tensorflow", model_config: config };
  const weights = layers.flatMap(({ weights: own = [] }) => own);
  return tfjsFiles({ format: "layers-model", modelTopology: topology }, weights, encode);
}

export interface EncodedWeight {
  readonly bytes: Uint8Array;
  readonly quantization?: Readonly<Record<string, unknown>>;
}

interface EncodedEntry extends EncodedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly isInteger: boolean;
}

/** A `model.json` and its only shard; integers are never quantized. */
export function tfjsFiles(
  json: Readonly<Record<string, unknown>>,
  weights: readonly (Pick<Weight, "name" | "shape" | "values"> & { readonly isInteger?: boolean })[],
  encode: (values: Float32Array) => EncodedWeight,
): readonly File[] {
  const encoded = weights.map(({ name, shape, values, isInteger = false }) => ({
    name,
    shape,
    isInteger,
    ...(isInteger ? { bytes: bytesOf(new Int32Array(values)) } : encode(new Float32Array(values))),
  }));
  const entries = encoded.map(({ name, shape, isInteger, quantization }: EncodedEntry) => ({
    name: name.replace(":0", ""),
    shape,
    dtype: isInteger ? "int32" : "float32",
    ...(quantization === undefined ? {} : { quantization }),
  }));
  const whole = { ...json, weightsManifest: [{ paths: ["weights.bin"], weights: entries }] };
  const shard = Buffer.concat(encoded.map(({ bytes }) => bytes));
  return [new File([JSON.stringify(whole)], "model.json"), new File([new Uint8Array(shard)], "weights.bin")];
}

/** Bytes of a weight, and the numbers that a reader must make of them. */
export function affine(values: Float32Array, bits: 8 | 16): EncodedWeight & { readonly numbers: Float32Array } {
  const min = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const steps = 2 ** bits - 1;
  const scale = max === min ? 1 : (max - min) / steps;
  // float32 holds 16 bits exactly.
  const whole = values.map((value) => Math.min(steps, Math.max(0, Math.round((value - min) / scale))));
  return {
    bytes: bytesOf(bits === 8 ? new Uint8Array(whole) : new Uint16Array(whole)),
    quantization: { dtype: `uint${bits}`, scale, min },
    numbers: whole.map((q) => q * scale + min),
  };
}
