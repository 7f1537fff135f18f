/** A sample network as a GraphDef with names of its own: a frozen graph, or a graph model of TensorFlow.js. */

import type { FloatTensor } from "../../src/core/tensor.ts";
import { bytesOf, type Row, type Sample } from "../fixtures/sample-networks.ts";
import { type EncodedWeight, tfjsFiles } from "./as-keras.ts";
import { attr, placeholder, tfConst, tfInts, tfNode } from "./graph-def.ts";
import { encode, type Field } from "./protobuf.ts";

export interface GraphDefOptions {
  /** `folded`: the sample has no batch norm, its biases are added. */
  readonly normalization?: "fused" | "written out" | "folded";
  /** Leave the shape of the input open. */
  readonly isOpen?: boolean;
  /** Arithmetic in front: 2 · x − 1. */
  readonly hasFront?: boolean;
  /** A node that is left out, by its name. */
  readonly omit?: string;
  /** An average of this window, with steps of 1, in place of the mean of all. */
  readonly poolWindow?: readonly [number, number];
}

type Value =
  | { readonly s: string }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly type: number }
  | { readonly ints: readonly number[] }
  | { readonly shape: readonly number[] };

interface Node {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Value>>;
}

interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly isInteger: boolean;
}

interface Graph {
  readonly inputShape: readonly number[];
  readonly nodes: readonly (Node | Constant)[];
}

/** Appends nodes; each reads the one before. */
class Builder {
  readonly nodes: (Node | Constant)[] = [];
  last = "input";

  node(name: string, op: string, more: readonly string[] = [], attributes: Node["attributes"] = {}): string {
    this.nodes.push({ name, op, inputs: [this.last, ...more], attributes: { T: { type: 1 }, ...attributes } });
    this.last = name;
    return name;
  }

  aside(name: string, op: string, ...inputs: string[]): string {
    this.nodes.push({ name, op, inputs, attributes: { T: { type: 1 } } });
    return name;
  }

  floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    this.nodes.push({ name, shape, values: Array.from(values), isInteger: false });
    return name;
  }

  tensor(name: string, { shape, data }: FloatTensor): string {
    return this.floats(name, shape, data);
  }

  integers(name: string, shape: readonly number[], values: readonly number[]): string {
    this.nodes.push({ name, shape, values, isInteger: true });
    return name;
  }
}

function graphOf(sample: Sample, options: GraphDefOptions): Graph {
  const { normalization = "fused", isOpen = false, hasFront = false } = options;
  const b = new Builder();
  if (hasFront) {
    b.node("front/mul", "Mul", [b.floats("front/two", [], [2])]);
    b.node("front/sub", "Sub", [b.floats("front/one", [], [1])]);
  }
  let isPooled = false;
  for (const [i, row] of sample.rows.entries()) {
    if (row.kind === "classifier") {
      if (options.poolWindow === undefined) pool(b, "Mean", "net/mean");
      else windowPool(b, options.poolWindow);
      isPooled = true;
    }
    convolution(b, row, `net/op${i}`);
    if (row.norm !== undefined && normalization === "fused") fused(b, row, `net/op${i}`, sample.epsilon);
    if (row.norm !== undefined && normalization === "written out") writtenOut(b, row, `net/op${i}`, sample.epsilon);
    if (row.kind === "classifier") continue;
    activation(b, { ...sample, ...row }, `net/op${i}/act`);
  }
  const { pooling = null } = sample.options;
  if (isPooled) {
    b.node("net/squeeze", "Squeeze", [], { squeeze_dims: { ints: [1, 2] } });
    b.node("net/softmax", "Softmax");
  } else if (pooling !== null) {
    pool(b, pooling === "avg" ? "Mean" : "Max", "net/pooled");
  }
  const [height = 0, width = 0, channels = 0] = sample.model.inputShape;
  const nodes = b.nodes.filter(({ name }) => name !== options.omit);
  return { inputShape: isOpen ? [-1, -1, -1, channels] : [-1, height, width, channels], nodes };
}

function windowPool(b: Builder, [height, width]: readonly [number, number]): void {
  b.node("net/window", "AvgPool", [], {
    ksize: { ints: [1, height, width, 1] },
    strides: { ints: [1, 1, 1, 1] },
    padding: { s: "VALID" },
  });
}

function pool(b: Builder, op: "Mean" | "Max", name: string): void {
  b.node(name, op, [b.integers(`${name}/axes`, [2], [1, 2])], { keep_dims: { b: true }, Tidx: { type: 3 } });
}

function convolution(b: Builder, row: Row, name: string): void {
  if (typeof row.padding !== "string") {
    const [[top, bottom], [left, right]] = row.padding;
    const pads = b.integers(`${name}/pads`, [4, 2], [0, 0, top, bottom, left, right, 0, 0]);
    b.node(`${name}/pad`, "Pad", [pads], { Tpaddings: { type: 3 } });
  }
  const kernel = b.tensor(`${name}/w`, row.kernel);
  b.node(name, row.kind === "depthwise" ? "DepthwiseConv2dNative" : "Conv2D", [kernel], {
    strides: { ints: [1, row.stride, row.stride, 1] },
    dilations: { ints: [1, row.dilation, row.dilation, 1] },
    padding: { s: typeof row.padding === "string" ? row.padding.toUpperCase() : "VALID" },
    data_format: { s: "NHWC" },
  });
  if (row.bias !== undefined) b.node(`${name}/BiasAdd`, "BiasAdd", [b.tensor(`${name}/b`, row.bias)]);
}

function vectors(b: Builder, { norm }: Row, name: string): readonly [string, string, string, string] {
  const { gamma, beta, moving_mean, moving_variance } = norm!;
  return [
    b.tensor(`${name}/g`, gamma),
    b.tensor(`${name}/h`, beta),
    b.tensor(`${name}/m`, moving_mean),
    b.tensor(`${name}/v`, moving_variance),
  ];
}

function fused(b: Builder, row: Row, name: string, epsilon: number): void {
  b.node(`${name}/bn`, "FusedBatchNormV3", vectors(b, row, name), {
    epsilon: { f: epsilon },
    is_training: { b: false },
  });
}

function writtenOut(b: Builder, row: Row, name: string, epsilon: number): void {
  const [gamma, beta, mean, variance] = vectors(b, row, name);
  const sum = b.aside(`${name}/add`, "AddV2", variance, b.floats(`${name}/e`, [], [epsilon]));
  const scale = b.aside(`${name}/mul`, "Mul", b.aside(`${name}/Rsqrt`, "Rsqrt", sum), gamma);
  b.node(`${name}/mul_1`, "Mul", [scale]);
  const shift = b.aside(`${name}/sub`, "Sub", beta, b.aside(`${name}/mul_2`, "Mul", mean, scale));
  b.node(`${name}/add_1`, "AddV2", [shift]);
}

function activation(b: Builder, { activation: kind, slope }: Pick<Sample, "activation" | "slope">, name: string): void {
  if (kind === "relu") b.node(name, "Relu");
  if (kind === "relu6") b.node(name, "Relu6");
  if (kind === "leakyRelu") b.node(name, "LeakyRelu", [], { alpha: { f: slope } });
}

/** As `freeze_graph` writes it. */
export function frozenGraph(sample: Sample, options: GraphDefOptions = {}): Uint8Array {
  const { inputShape, nodes } = graphOf(sample, options);
  const fields = nodes.map((node): Field => {
    if ("values" in node) return (node.isInteger ? tfInts : tfConst)(node.name, node.shape, node.values);
    const attributes = Object.entries(node.attributes).map(([key, value]) => [key, attributeFields(value)] as const);
    return tfNode(node.name, node.op, node.inputs, Object.fromEntries(attributes));
  });
  return encode([placeholder(...inputShape), ...fields]);
}

function attributeFields(value: Value): readonly Field[] {
  if ("s" in value) return attr.s(value.s);
  if ("f" in value) return attr.f(value.f);
  if ("b" in value) return attr.b(value.b);
  if ("type" in value) return attr.type(value.type);
  return "ints" in value ? attr.ints(...value.ints) : attr.shape(...value.shape);
}

/** As `tensorflowjs_converter` writes it: the same nodes in protobuf's JSON, constants in a shard. */
export function tfjsGraphModel(
  sample: Sample,
  options: GraphDefOptions = {},
  encodeWeight: (values: Float32Array) => EncodedWeight = (values) => ({ bytes: bytesOf(values) }),
): readonly File[] {
  const { inputShape, nodes } = graphOf(sample, options);
  const input = { name: "input", op: "Placeholder", attr: { shape: json({ shape: inputShape }) } };
  const constants = nodes.flatMap((node) => ("values" in node ? [node] : []));
  const node = [
    input,
    ...nodes.map((one) => {
      if ("values" in one) return { name: one.name, op: "Const", attr: { dtype: { type: "DT_FLOAT" } } };
      const attributes = Object.entries(one.attributes).map(([key, value]) => [key, json(value)]);
      return { name: one.name, op: one.op, input: one.inputs, attr: Object.fromEntries(attributes) };
    }),
  ];
  const topology = { node, library: {}, versions: { producer: 808 } };
  return tfjsFiles({ format: "graph-model", modelTopology: topology }, constants, encodeWeight);
}

function json(value: Value): unknown {
  if ("s" in value) return { s: btoa(value.s) };
  if ("f" in value) return { f: value.f };
  if ("b" in value) return { b: value.b };
  if ("type" in value) return { type: value.type === 3 ? "DT_INT32" : "DT_FLOAT" };
  if ("ints" in value) return { list: { i: value.ints.map(String) } };
  return { shape: { dim: value.shape.map((side) => ({ size: String(side) })) } };
}
