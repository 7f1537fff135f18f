/** A sample network as ONNX with names of its own, as one exporter or another writes it. */

import type { FloatTensor } from "../../src/core/tensor.ts";
import type { Row, Sample } from "../fixtures/sample-networks.ts";
import { torchKernel } from "./as-tensors.ts";
import { attr, floats, int64s, onnxModel, onnxNode } from "./onnx.ts";
import type { Field } from "./protobuf.ts";

export interface OnnxOptions {
  /** Bounds of Clip as attributes (to opset 10) or as inputs (default). */
  readonly clip?: "attributes" | "inputs";
  /** Pads as `auto_pad` where the network has "same" (default), or in pixels always. */
  readonly pads?: "automatic" | "pixels" | "none";
  /** Channels last outside and Transpose nodes around, as tf2onnx writes it. */
  readonly isChannelsLast?: boolean;
  /** Padding as a node of its own. */
  readonly hasPadNodes?: boolean;
  readonly head?: "Gemm" | "MatMul" | "Conv";
  /** Sides of the input: stated (default) or by name. */
  readonly isOpen?: boolean;
  /** Averages with a window of the last feature map, as old PyTorch code does. */
  readonly poolWindow?: readonly [number, number];
  /** Upper bound of Clip. Default 6. */
  readonly top?: number;
  /** An initializer that is left out, by its name. */
  readonly omit?: string;
  /** Order of axes of the Transpose in front, if channels come last. */
  readonly perm?: readonly number[];
}

/** Appends nodes; each reads the one before. */
class Builder {
  readonly nodes: Field[] = [];
  readonly initializers: Field[] = [];
  last = "image";
  #count = 0;

  node(op: string, more: readonly string[] = [], attributes: Parameters<typeof onnxNode>[3] = {}): void {
    const output = `value_${++this.#count}`;
    this.nodes.push(onnxNode(op, [this.last, ...more], [output], attributes, { name: `${op}_${this.#count}` }));
    this.last = output;
  }

  tensor(name: string, { shape, data }: Pick<FloatTensor, "shape" | "data">): string {
    this.initializers.push(floats(name, shape, Array.from(data)));
    return name;
  }

  integers(name: string, ...values: number[]): string {
    this.initializers.push(int64s(name, ...values));
    return name;
  }
}

export function onnxFile(sample: Sample, options: OnnxOptions = {}): Uint8Array {
  const { isChannelsLast = false, isOpen = false, clip = "inputs" } = options;
  const b = new Builder();
  if (clip === "inputs") {
    b.tensor("zero", { shape: [], data: Float32Array.of(0) });
    b.tensor("six", { shape: [], data: Float32Array.of(options.top ?? 6) });
  }
  if (isChannelsLast) b.node("Transpose", [], { perm: attr.ints(...(options.perm ?? [0, 3, 1, 2])) });
  for (const [i, row] of sample.rows.entries()) {
    if (row.kind === "classifier") {
      head(b, row, options);
      continue;
    }
    convolution(b, row, i, options);
    if (row.norm !== undefined) {
      const { gamma, beta, moving_mean: mean, moving_variance: variance } = row.norm;
      const vectors = Object.entries({ gamma, beta, mean, variance }).map(([part, value]) =>
        b.tensor(`w${i}.${part}`, value),
      );
      b.node("BatchNormalization", vectors, { epsilon: attr.f(sample.epsilon), momentum: attr.f(0.9) });
    }
    activation(b, { ...sample, ...row }, clip);
  }
  const { pooling = null, includeTop = true } = sample.options;
  if (includeTop) b.node("Softmax", [], { axis: attr.i(1) });
  else if (pooling !== null) b.node(pooling === "avg" ? "GlobalAveragePool" : "GlobalMaxPool");
  if (isChannelsLast && !includeTop && pooling === null) b.node("Transpose", [], { perm: attr.ints(0, 2, 3, 1) });
  return onnxModel({
    nodes: b.nodes,
    initializers: b.initializers.filter((field) => !isNamed(field, options.omit)),
    inputs: { image: inputSides(sample, isChannelsLast, isOpen) },
    outputs: [b.last],
  });
}

/** Whether an initializer has this name, its field 8. */
function isNamed([, value]: Field, name: string | undefined): boolean {
  if (name === undefined || !("message" in value)) return false;
  return value.message.some(([field, part]) => field === 8 && "text" in part && part.text === name);
}

function inputSides({ model }: Sample, isChannelsLast: boolean, isOpen: boolean): readonly (number | string)[] {
  const [height = 0, width = 0, channels = 0] = model.inputShape;
  const sides = isOpen ? ["height", "width"] : [height, width];
  return isChannelsLast ? ["batch", ...sides, channels] : ["batch", channels, ...sides];
}

function convolution(b: Builder, row: Row, place: number, { pads = "automatic", hasPadNodes }: OnnxOptions): void {
  const { data, shape } = torchKernel({ ...row, kind: row.kind === "classifier" ? "pointwise" : row.kind });
  const kernel = b.tensor(`w${place}.kernel`, { data, shape });
  const bias = row.bias === undefined ? [] : [b.tensor(`w${place}.bias`, row.bias)];
  const [[top, bottom], [left, right]] = row.pads;
  const isAutomatic = pads === "automatic" && row.padding === "same" && row.kind !== "pointwise";
  const isApart = hasPadNodes === true && !isAutomatic && row.kind !== "pointwise";
  if (isApart) b.node("Pad", [b.integers(`w${place}.pads`, 0, 0, top, left, 0, 0, bottom, right)]);
  b.node("Conv", [kernel, ...bias], {
    kernel_shape: attr.ints(...row.kernel.shape.slice(0, 2)),
    strides: attr.ints(row.stride, row.stride),
    dilations: attr.ints(row.dilation, row.dilation),
    group: attr.i(row.kind === "depthwise" ? row.inputs : 1),
    ...(isAutomatic
      ? { auto_pad: attr.s("SAME_UPPER") }
      : pads === "none"
        ? {}
        : { pads: isApart ? attr.ints(0, 0, 0, 0) : attr.ints(top, left, bottom, right) }),
  });
}

function activation(
  b: Builder,
  { activation: kind, slope }: Pick<Sample, "activation" | "slope">,
  clip: "attributes" | "inputs",
): void {
  if (kind === "relu") b.node("Relu");
  if (kind === "leakyRelu") b.node("LeakyRelu", [], { alpha: attr.f(slope) });
  if (kind !== "relu6") return;
  if (clip === "attributes") b.node("Clip", [], { min: attr.f(0), max: attr.f(6) });
  else b.node("Clip", ["zero", "six"]);
}

function head(b: Builder, row: Row, options: OnnxOptions): void {
  const { head: kind = "Gemm", poolWindow } = options;
  if (poolWindow !== undefined) b.node("AveragePool", [], { kernel_shape: attr.ints(...poolWindow) });
  else if (kind === "MatMul") b.node("ReduceMean", [], { axes: attr.ints(2, 3), keepdims: attr.i(0) });
  else b.node("GlobalAveragePool");
  const bias = b.tensor("head.bias", row.bias!);
  if (kind === "Conv") {
    const { data, shape } = torchKernel({ ...row, kind: "pointwise" });
    b.node("Conv", [b.tensor("head.kernel", { data, shape }), bias], { kernel_shape: attr.ints(1, 1) });
    b.node("Flatten");
  } else if (kind === "Gemm") {
    b.node("Flatten");
    b.node("Gemm", [b.tensor("head.kernel", torchKernel(row)), bias], { transB: attr.i(1) });
  } else {
    b.node("MatMul", [b.tensor("head.kernel", { data: row.kernel.data, shape: [row.inputs, row.outputs] })]);
    b.node("Add", [bias]);
  }
}
