/** A folded sample network as TFLite with names of its own: float32, float16 weights, or quantized. */

import { permute } from "../../src/formats/transpose.ts";
import { toFloat16 } from "../fixtures/half-floats.ts";
import { bytesOf, changed, type Row, type Sample } from "../fixtures/sample-networks.ts";
import { integers, type ModelSpec, type OperatorSpec, type Table, type TensorSpec, tflite } from "./tflite.ts";

export type TfliteKind = "float32" | "float16" | "uint8" | "int8";

export interface TfliteOptions {
  /** ReLU and ReLU6 as an attribute (default), or only as the range of a quantized output. */
  readonly activation?: "attribute" | "range";
  /** Leave height and width of the input open. */
  readonly isOpen?: boolean;
  readonly metadata?: ModelSpec["metadata"];
  /** Quantization of the input: its values are bytes (with the quantized kinds this is the default). */
  readonly input?: Pick<TensorSpec, "scale" | "zeroPoint" | "type">;
  /** Arithmetic in front: 2 · x − 1. */
  readonly hasFront?: boolean;
  /** A constant whose data are left out, by its name. */
  readonly omit?: string;
}

const CODE = {
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  MAX_POOL_2D: 17,
  MUL: 18,
  SOFTMAX: 25,
  PAD: 34,
  MEAN: 40,
  SUB: 41,
  RESHAPE: 22,
  LEAKY_RELU: 98,
};

/** The numbers of a quantized weight: q and its scales, and what they stand for. */
export interface QuantizedWeight {
  readonly q: Uint8Array | Int8Array;
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly numbers: Float32Array;
}

/** One scale for the tensor, with a zero point at which 0 is exact. */
export function perTensor(values: Float32Array): QuantizedWeight {
  const min = Math.min(0, ...minMax(values));
  const max = Math.max(0, ...minMax(values));
  const scale = Math.fround((max - min) / 255 || 1);
  const zero = Math.round(-min / scale);
  const whole = values.map((value) => Math.max(0, Math.min(255, Math.round(value / scale) + zero)));
  const numbers = whole.map((step) => scale * (step - zero));
  return { q: new Uint8Array(whole), scale: [scale], zeroPoint: [zero], numbers };
}

/** One scale for each output, the last axis of `values`. */
export function perChannel(values: Float32Array, outputs: number): QuantizedWeight {
  const greatest = new Float32Array(outputs);
  for (let i = 0; i < values.length; i++) {
    greatest[i % outputs] = Math.max(greatest[i % outputs]!, Math.abs(values[i]!));
  }
  const scale = Array.from(greatest, (value) => Math.fround(value / 127 || 1));
  // Of bytes, where there is no −0.
  const whole = values.map((value, i) => Math.round(value / scale[i % outputs]!) + 0);
  const numbers = whole.map((step, i) => scale[i % outputs]! * step);
  return { q: new Int8Array(whole), scale, zeroPoint: scale.map(() => 0), numbers };
}

function minMax(values: Float32Array): readonly [number, number] {
  let [min, max] = [0, 0];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return [min, max];
}

const SIX = Math.fround(6 / 255);
const EIGHT = Math.fround(8 / 255);
const INPUT = { scale: [1 / 128], zeroPoint: [128], type: "uint8" } as const;

/** The network whose weights are what such a file holds. */
export function asStored(from: Sample, kind: TfliteKind): Sample {
  if (kind === "float32") return from;
  if (kind === "float16") return changed(from, (data, name) => (isKernel(name) ? toFloat16(data).values : data));
  const rows = new Map(from.rows.map((row) => [row.ours, row]));
  return changed(from, (values, name) => {
    const row = rows.get(name.split("/")[0]!)!;
    if (isKernel(name)) return quantizedKernel(row, kind).numbers;
    const { steps, scale } = quantizedBias(row, from, kind);
    return values.map((_, c) => scale[c % scale.length]! * steps[c]!);
  });
}

const isKernel = (name: string) => name.endsWith("kernel");

const quantizedKernels = { uint8: new WeakMap<Row, QuantizedWeight>(), int8: new WeakMap<Row, QuantizedWeight>() };

/** Asked for again and again: kept. */
function quantizedKernel(row: Row, kind: "uint8" | "int8"): QuantizedWeight {
  const known = quantizedKernels[kind].get(row);
  if (known !== undefined) return known;
  const made = kind === "uint8" ? perTensor(row.kernel.data) : perChannel(row.kernel.data, row.outputs);
  quantizedKernels[kind].set(row, made);
  return made;
}

/** Whole numbers of 32 bits: the scale is that of the input times that of the kernel. */
function quantizedBias(row: Row, { rows, activation }: Sample, kind: "uint8" | "int8") {
  const inputScale = row === rows[0] ? INPUT.scale[0] : activation === "relu6" ? SIX : EIGHT;
  const scale = quantizedKernel(row, kind).scale.map((step) => Math.fround(step * inputScale));
  return { scale, steps: Int32Array.from(row.bias!.data, (value, c) => Math.round(value / scale[c % scale.length]!)) };
}

class Builder {
  readonly tensors: TensorSpec[] = [];
  readonly operators: OperatorSpec[] = [];
  last = 0;

  constant(spec: TensorSpec): number {
    return this.tensors.push(spec) - 1;
  }

  /** An operator that reads the value before. */
  operator(code: number, output: TensorSpec, more: readonly number[] = [], options?: Table): void {
    const index = this.tensors.push(output) - 1;
    const inputs = [this.last, ...more];
    this.operators.push({ code, inputs, outputs: [index], ...(options === undefined ? {} : { options }) });
    this.last = index;
  }
}

/** @param sample with batch norm folded */
export function tfliteFile(sample: Sample, kind: TfliteKind, options: TfliteOptions = {}): Uint8Array {
  const b = new Builder();
  const [height = 0, width = 0, channels = 0] = sample.model.inputShape;
  const isQuantized = kind === "uint8" || kind === "int8";
  const signature = { 7: ["int32s", [-1, -1, -1, channels]] } as const;
  b.tensors.push({
    name: "image",
    shape: options.isOpen ? [1, 1, 1, channels] : [1, height, width, channels],
    ...(isQuantized ? INPUT : {}),
    ...options.input,
    ...(options.isOpen ? { more: signature } : {}),
  });
  const mapShape = { shape: [1, height, width, channels] };
  if (options.hasFront) {
    const scalar = (value: number) => b.constant({ shape: [], data: new Uint8Array(Float32Array.of(value).buffer) });
    b.operator(CODE.MUL, mapShape, [scalar(2)]);
    b.operator(CODE.SUB, mapShape, [scalar(1)]);
  }
  for (const [i, row] of sample.rows.entries()) {
    if (row.kind === "classifier") pool(b, sample, row.inputs, "avg");
    convolution(b, sample, row, { ...options, kind, name: `layer_${i}` });
  }
  const { includeTop = true, pooling = null, classes = 1000 } = sample.options;
  if (includeTop) {
    b.operator(CODE.RESHAPE, { name: "flat", shape: [1, classes] });
    b.operator(CODE.SOFTMAX, { name: "softmax", shape: [1, classes] }, [], { 0: ["float32", 1] });
  } else if (pooling !== null) {
    pool(b, sample, sample.rows.at(-1)!.outputs, pooling);
  }
  const { operators, last } = b;
  const tensors = b.tensors.map(({ data, ...spec }) =>
    data === undefined || (spec.name !== undefined && spec.name === options.omit) ? spec : { ...spec, data },
  );
  return tflite({ tensors, operators, outputs: [last], ...(options.metadata && { metadata: options.metadata }) });
}

function pool(b: Builder, { map }: Sample, channels: number, kind: "avg" | "max"): void {
  const output = { name: "pooled", shape: [1, 1, 1, channels] };
  if (kind === "avg") {
    const axes = b.constant({ shape: [2], type: "int32", data: integers(1, 2) });
    b.operator(CODE.MEAN, output, [axes], { 0: ["int8", 1] });
    return;
  }
  const [height, width] = map;
  b.operator(CODE.MAX_POOL_2D, output, [], {
    0: ["int8", 1],
    1: ["int32", 1],
    2: ["int32", 1],
    3: ["int32", width],
    4: ["int32", height],
  });
}

interface Settings extends TfliteOptions {
  readonly kind: TfliteKind;
  readonly name: string;
}

function convolution(b: Builder, sample: Sample, row: Row, settings: Settings): void {
  const { kind, name } = settings;
  const { slope, model } = sample;
  const activation = row.activation ?? sample.activation;
  const isClassifier = row.kind === "classifier";
  const isQuantized = kind === "uint8" || kind === "int8";
  const [height = 1, width = 1] = model.shapes.get(row.ours) ?? [];
  const shape = [1, height, width, row.outputs];
  if (typeof row.padding !== "string") padding(b, row, name);
  const inputs = [kernelTensor(b, row, kind, name), biasTensor(b, sample, row, kind, name)];
  const isByRange = isQuantized && settings.activation === "range";
  const code = { relu: 1, relu6: 3, leakyRelu: 0, linear: 0 }[activation];
  const fused = isClassifier || isByRange ? 0 : code;
  const features = activation === "relu6" ? SIX : EIGHT;
  const [type, zero] = kind === "uint8" ? (["uint8", 0] as const) : (["int8", -128] as const);
  const range = isClassifier
    ? { type, scale: [0.1], zeroPoint: [kind === "uint8" ? 100 : 3] }
    : { type, scale: [features], zeroPoint: [activation === "relu" || activation === "relu6" ? zero : zero + 40] };
  const output: TensorSpec = { name, shape, ...(isQuantized ? range : {}) };
  const isDepthwise = row.kind === "depthwise";
  const padded: Table[number] = ["int8", row.padding === "same" ? 0 : 1];
  const strides: Table = { 0: padded, 1: ["int32", row.stride], 2: ["int32", row.stride] };
  const [, , , multiplier = 1] = row.kernel.shape;
  const rest: Table = isDepthwise
    ? { 3: ["int32", multiplier], 4: ["int8", fused], 5: ["int32", row.dilation], 6: ["int32", row.dilation] }
    : { 3: ["int8", fused], 4: ["int32", row.dilation], 5: ["int32", row.dilation] };
  b.operator(isDepthwise ? CODE.DEPTHWISE_CONV_2D : CODE.CONV_2D, output, inputs, { ...strides, ...rest });
  if (activation === "leakyRelu" && !isClassifier) {
    const leaky = { ...output, name: `${name}_leaky` };
    b.operator(CODE.LEAKY_RELU, leaky, [], { 0: ["float32", slope] });
  }
}

function padding(b: Builder, row: Row, name: string): void {
  const [[top, bottom], [left, right]] = row.pads;
  const { shape, type, scale, zeroPoint } = b.tensors[b.last]!;
  const [, height = 1, width = 1, channels = 1] = shape;
  const pads = integers(0, 0, top, bottom, left, right, 0, 0);
  const output: TensorSpec = {
    name: `${name}_pad`,
    shape: [1, height + top + bottom, width + left + right, channels],
    ...(type === undefined ? {} : { type }),
    ...(scale === undefined ? {} : { scale }),
    ...(zeroPoint === undefined ? {} : { zeroPoint }),
  };
  b.operator(CODE.PAD, output, [b.constant({ shape: [4, 2], type: "int32", data: pads })]);
}

/** `[out, kh, kw, in]`, or `[1, kh, kw, in · multiplier]`. */
function kernelTensor(b: Builder, row: Row, kind: TfliteKind, name: string): number {
  const [height = 1, width = 1] = row.kernel.shape;
  const isDepthwise = row.kind === "depthwise";
  const shape = isDepthwise ? [1, height, width, row.outputs] : [row.outputs, height, width, row.inputs];
  const laid = (data: Float32Array) => (isDepthwise ? data : permute(data, row.kernel.shape, [3, 0, 1, 2]));
  const spec = { name: `${name}_w`, shape };
  if (kind === "float32") return b.constant({ ...spec, data: bytesOf(laid(row.kernel.data)) });
  if (kind === "float16") {
    const half = b.constant({ ...spec, type: "float16", data: bytesOf(toFloat16(laid(row.kernel.data)).bits) });
    const whole = b.constant({ name: `${name}_w32`, shape });
    b.operators.push({ code: CODE.DEQUANTIZE, inputs: [half], outputs: [whole] });
    return whole;
  }
  const { q, scale, zeroPoint } = quantizedKernel(row, kind);
  const whole = laid(new Float32Array(q));
  const data = bytesOf(kind === "uint8" ? new Uint8Array(whole) : new Int8Array(whole));
  return b.constant({ ...spec, type: kind, data, scale, zeroPoint, axis: isDepthwise ? 3 : 0 });
}

function biasTensor(b: Builder, sample: Sample, row: Row, kind: TfliteKind, name: string): number {
  const spec = { name: `${name}_b`, shape: row.bias!.shape };
  if (kind === "float32" || kind === "float16") return b.constant({ ...spec, data: bytesOf(row.bias!.data) });
  const { scale, steps } = quantizedBias(row, sample, kind);
  const zeroPoint = scale.map(() => 0);
  return b.constant({ ...spec, type: "int32", data: bytesOf(steps), scale, zeroPoint, axis: 0 });
}
