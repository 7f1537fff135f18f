/** Any network of ours as ONNX with channels first, each layer as an exporter would write it. */

import type { FloatTensor } from "../../src/core/tensor.ts";
import { permute } from "../../src/formats/transpose.ts";
import type { Network } from "../../src/layers/network.ts";
import type { LayerNode } from "../../src/layers/node.ts";
import { attr, floats, int64s, onnxModel, onnxNode } from "./onnx.ts";
import type { Field } from "./protobuf.ts";

type Attributes = Parameters<typeof onnxNode>[3];

/** @param isSpelled whether hard-swish and hard-sigmoid are written out as arithmetic */
export function networkAsOnnx(model: Network, isSpelled = false): Uint8Array {
  const nodes: Field[] = [];
  const initializers: Field[] = [];
  /** The value of each layer: its last node. */
  const values = new Map([["input", "input"]]);
  /** Of a row, the image that was flattened. */
  const flattened = new Map<string, readonly number[]>();
  const shapeOf = (name: string) => model.shapes.get(name) ?? [];
  const constant = (name: string, shape: readonly number[], data: ArrayLike<number>) => {
    initializers.push(floats(name, shape, Array.from(data)));
    return name;
  };
  const node = (op: string, inputs: readonly string[], output: string, attributes: Attributes = {}) => {
    nodes.push(onnxNode(op, inputs, [output], attributes, { name: output }));
    return output;
  };
  constant("three", [], [3]);
  constant("six", [], [6]);
  constant("zero", [], [0]);

  for (const layer of model.layers) {
    const { name } = layer;
    const reads = layer.inputs.map((input) => values.get(input)!);
    const [x = ""] = reads;
    const parameter = (part: string) => model.parameters.get(`${name}/${part}`);
    const vector = (part: string, absent: number, count: number) => {
      const value = parameter(part);
      return constant(`${name}/${part}`, [count], value?.data ?? Array(count).fill(absent));
    };
    const bias = () => (parameter("bias") === undefined ? [] : [vector("bias", 0, 0 + parameter("bias")!.shape[0]!)]);
    const [source = ""] = layer.inputs;
    const from = flattened.get(source);
    if (from !== undefined) flattened.set(name, from);
    switch (layer.type) {
      case "conv2d":
      case "depthwiseConv2d": {
        const isDepthwise = layer.type === "depthwiseConv2d";
        const { data, shape } = parameter(isDepthwise ? "depthwise_kernel" : "kernel")!;
        const [kh = 1, kw = 1, a = 1, b = 1] = shape;
        const order = isDepthwise ? [2, 3, 0, 1] : [3, 2, 0, 1];
        const sides = isDepthwise ? [a * b, 1, kh, kw] : [b, a, kh, kw];
        const kernel = constant(`${name}/kernel`, sides, permute(data, shape, order));
        node("Conv", [x, kernel, ...bias()], name, {
          ...windowOf(layer),
          ...(isDepthwise ? { group: attr.i(a) } : {}),
        });
        break;
      }
      case "pointwiseConv2d": {
        const { data, shape } = parameter("kernel")!;
        const kernel = constant(`${name}/kernel`, [shape[3]!, shape[2]!, 1, 1], permute(data, shape, [3, 2, 0, 1]));
        node("Conv", [x, kernel, ...bias()], name);
        break;
      }
      case "dense": {
        const kernel = rows(parameter("kernel")!, from);
        flattened.delete(name);
        node("Gemm", [x, constant(`${name}/kernel`, kernel.shape, kernel.data), ...bias()], name);
        break;
      }
      case "batchNorm": {
        const count = shapeOf(name).at(-1)!;
        const parts = [vector("gamma", 1, count), vector("beta", 0, count)];
        parts.push(vector("moving_mean", 0, count), vector("moving_variance", 1, count));
        node("BatchNormalization", [x, ...parts], name, { epsilon: attr.f(layer.attributes.epsilon) });
        break;
      }
      case "activation":
        activation(layer, x);
        break;
      case "softmax":
        if (shapeOf(name).length === 1) node("Softmax", [x], name, { axis: attr.i(-1) });
        else {
          node("Transpose", [x], `${name}/last`, { perm: attr.ints(0, 2, 3, 1) });
          node("Softmax", [`${name}/last`], `${name}/rows`, { axis: attr.i(3) });
          node("Transpose", [`${name}/rows`], name, { perm: attr.ints(0, 3, 1, 2) });
        }
        break;
      case "globalAveragePool":
      case "globalMaxPool": {
        const op = layer.type === "globalMaxPool" ? "GlobalMaxPool" : "GlobalAveragePool";
        if (layer.attributes.keepDims) node(op, [x], name);
        else node("Flatten", [node(op, [x], `${name}/pool`)], name);
        break;
      }
      case "averagePool":
      case "maxPool": {
        const op = layer.type === "maxPool" ? "MaxPool" : "AveragePool";
        node(op, [x], name, { kernel_shape: attr.ints(...layer.attributes.kernel), ...windowOf(layer) });
        break;
      }
      case "add":
      case "multiply":
        node(layer.type === "add" ? "Add" : "Mul", reads, name);
        break;
      case "flatten": {
        const before = shapeOf(source);
        if (before.length === 3) flattened.set(name, before);
        const sides = int64s(`${name}/sides`, 0, -1);
        initializers.push(sides);
        node("Reshape", [x, `${name}/sides`], name);
        break;
      }
      case "dropout":
        node("Dropout", [x], name);
        break;
      case "reshape":
        throw new Error("not written: a reshape of ours counts its sides with the channels last");
    }
    values.set(name, name);
  }
  function activation(layer: Extract<LayerNode, { type: "activation" }>, x: string): void {
    const { name, attributes } = layer;
    const gate = (end: string) => {
      node("Add", [x, "three"], `${name}/shifted`);
      node("Clip", [`${name}/shifted`, "zero", "six"], `${name}/bounded`);
      return node("Div", [`${name}/bounded`, "six"], end);
    };
    switch (attributes.function) {
      case "linear":
        node("Identity", [x], name);
        break;
      case "relu":
        node("Relu", [x], name);
        break;
      case "relu6":
        node("Clip", [x, "zero", "six"], name);
        break;
      case "leakyRelu":
        node("LeakyRelu", [x], name, { alpha: attr.f(attributes.slope) });
        break;
      case "hardSigmoid":
        if (isSpelled) gate(name);
        else node("HardSigmoid", [x], name, { alpha: attr.f(1 / 6) });
        break;
      case "hardSwish":
        if (isSpelled) node("Mul", [x, gate(`${name}/gate`)], name);
        else node("HardSwish", [x], name);
        break;
    }
  }

  const [height = 1, width = 1, channels = 1] = model.inputShape;
  return onnxModel({
    nodes,
    initializers,
    inputs: { input: ["batch", channels, height, width] },
    outputs: Object.values(model.outputs),
  });
}

type Windowed = Extract<LayerNode, { type: "conv2d" | "depthwiseConv2d" | "averagePool" | "maxPool" }>;

function windowOf({ attributes: { stride, dilation, padding } }: Windowed): Attributes {
  const [[top, bottom], [left, right]] =
    typeof padding === "string"
      ? ([
          [0, 0],
          [0, 0],
        ] as const)
      : padding;
  const pads =
    padding === "same"
      ? { auto_pad: attr.s("SAME_UPPER") }
      : padding === "valid"
        ? { auto_pad: attr.s("VALID") }
        : { pads: attr.ints(top, left, bottom, right) };
  // Pools of older versions have none.
  const isDilated = dilation.some((step) => step !== 1);
  return { strides: attr.ints(...stride), ...(isDilated && { dilations: attr.ints(...dilation) }), ...pads };
}

/** Rows in the order of a flattened image with its channels first. */
function rows({ data, shape }: FloatTensor, from: readonly number[] | undefined): Pick<FloatTensor, "data" | "shape"> {
  if (from === undefined) return { data, shape };
  return { data: permute(data, [...from, shape[1]!], [2, 0, 1, 3]), shape };
}
