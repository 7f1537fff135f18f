/** Any network of ours as a float TFLite file, each layer as the converter would write it. */

import type { FloatTensor } from "../../src/core/tensor.ts";
import { permute } from "../../src/formats/transpose.ts";
import type { Network } from "../../src/layers/network.ts";
import type { LayerNode } from "../../src/layers/node.ts";
import { bytesOf } from "../fixtures/sample-networks.ts";
import { type OperatorSpec, type Table, type TensorSpec, tflite } from "./tflite.ts";

const CODE = {
  ...{ ADD: 0, AVERAGE_POOL_2D: 1, CONV_2D: 3, DEPTHWISE_CONV_2D: 4, FULLY_CONNECTED: 9, MAX_POOL_2D: 17, MUL: 18 },
  ...{ RELU: 19, RELU6: 21, RESHAPE: 22, SOFTMAX: 25, PAD: 34, MEAN: 40, REDUCE_MAX: 82, LEAKY_RELU: 98 },
  HARD_SWISH: 117,
};

export function networkAsTflite(model: Network): Uint8Array {
  const tensors: TensorSpec[] = [{ name: "input", shape: [1, ...model.inputShape] }];
  const operators: OperatorSpec[] = [];
  const values = new Map([["input", 0]]);
  const push = (spec: TensorSpec) => tensors.push(spec) - 1;
  const floats = (shape: readonly number[], data: Float32Array) => push({ shape, data: bytesOf(data) });
  const integers = (shape: readonly number[], ...numbers: number[]) =>
    push({ shape, type: "int32", data: bytesOf(Int32Array.from(numbers)) });
  const run = (code: number, inputs: readonly number[], shape: readonly number[], options?: Table, name = "") => {
    const output = push({ name, shape: [1, ...shape] });
    operators.push({ code, inputs, outputs: [output], ...(options === undefined ? {} : { options }) });
    return output;
  };

  for (const layer of model.layers) {
    const { name } = layer;
    const reads = layer.inputs.map((input) => values.get(input)!);
    const [x = 0] = reads;
    const shape = model.shapes.get(name) ?? [];
    const before = model.shapes.get(layer.inputs[0] ?? "") ?? [];
    const parameter = (part: string) => model.parameters.get(`${name}/${part}`);
    const bias = () => {
      const value = parameter("bias");
      return value === undefined ? [] : [floats(value.shape, value.data)];
    };
    const give = (code: number, inputs: readonly number[], options?: Table) =>
      values.set(name, run(code, inputs, shape, options, `net/${name}`));
    switch (layer.type) {
      case "conv2d": {
        const [kernel, stride] = [laid(parameter("kernel")!), window(layer)];
        const { dilation } = layer.attributes;
        const options = { ...stride, 4: ["int32", dilation[1]], 5: ["int32", dilation[0]] } as const;
        give(CODE.CONV_2D, [padded(layer, x, before), floats(kernel.shape, kernel.data), ...bias()], options);
        break;
      }
      case "pointwiseConv2d": {
        const kernel = laid(parameter("kernel")!);
        const options = { 0: ["int8", 1], 1: ["int32", 1], 2: ["int32", 1] } as const;
        give(CODE.CONV_2D, [x, floats(kernel.shape, kernel.data), ...bias()], options);
        break;
      }
      case "depthwiseConv2d": {
        const { data, shape: sides } = parameter("depthwise_kernel")!;
        const [kh = 1, kw = 1, channels = 1, multiplier = 1] = sides;
        const kernel = floats([1, kh, kw, channels * multiplier], data);
        const { dilation } = layer.attributes;
        const rest = { 3: ["int32", multiplier], 5: ["int32", dilation[1]], 6: ["int32", dilation[0]] } as const;
        give(CODE.DEPTHWISE_CONV_2D, [padded(layer, x, before), kernel, ...bias()], { ...window(layer), ...rest });
        break;
      }
      case "dense": {
        const { data, shape: sides } = parameter("kernel")!;
        const kernel = floats([sides[1]!, sides[0]!], permute(data, sides, [1, 0]));
        give(CODE.FULLY_CONNECTED, [x, kernel, ...bias()], {});
        break;
      }
      case "batchNorm": {
        // Converters fold it, or leave a product and a sum.
        const { scale, shift } = factors(shape.at(-1)!, parameter, layer.attributes.epsilon);
        const scaled = run(CODE.MUL, [x, floats([scale.length], scale)], shape);
        give(CODE.ADD, [scaled, floats([shift.length], shift)]);
        break;
      }
      case "activation":
        activation(layer, x, shape, give);
        break;
      case "softmax":
        give(CODE.SOFTMAX, [x], { 0: ["float32", 1] });
        break;
      case "globalAveragePool":
      case "globalMaxPool": {
        const code = layer.type === "globalMaxPool" ? CODE.REDUCE_MAX : CODE.MEAN;
        give(code, [x, integers([2], 1, 2)], { 0: ["int8", layer.attributes.keepDims ? 1 : 0] });
        break;
      }
      case "averagePool":
      case "maxPool": {
        const [height, width] = layer.attributes.kernel;
        const options = { ...window(layer), 3: ["int32", width], 4: ["int32", height] } as const;
        give(layer.type === "maxPool" ? CODE.MAX_POOL_2D : CODE.AVERAGE_POOL_2D, [x], options);
        break;
      }
      case "add":
      case "multiply":
        give(layer.type === "add" ? CODE.ADD : CODE.MUL, reads);
        break;
      case "flatten":
      case "reshape":
        give(CODE.RESHAPE, [x, integers([shape.length + 1], -1, ...shape)]);
        break;
      case "dropout":
        values.set(name, x);
        break;
    }
  }

  function padded(
    { attributes: { padding } }: Windowed,
    x: number,
    [height = 1, width = 1, channels = 1]: readonly number[],
  ) {
    if (typeof padding === "string") return x;
    const [[top, bottom], [left, right]] = padding;
    const pads = integers([4, 2], 0, 0, top, bottom, left, right, 0, 0);
    return run(CODE.PAD, [x, pads], [height + top + bottom, width + left + right, channels]);
  }

  function activation(
    { attributes }: Extract<LayerNode, { type: "activation" }>,
    x: number,
    shape: readonly number[],
    give: (code: number, inputs: readonly number[], options?: Table) => void,
  ): void {
    const number = (value: number) => floats([], Float32Array.of(value));
    switch (attributes.function) {
      case "linear":
        give(CODE.MUL, [x, number(1)]);
        break;
      case "relu":
        give(CODE.RELU, [x]);
        break;
      case "relu6":
        give(CODE.RELU6, [x]);
        break;
      case "leakyRelu":
        give(CODE.LEAKY_RELU, [x], { 0: ["float32", attributes.slope] });
        break;
      case "hardSwish":
        give(CODE.HARD_SWISH, [x]);
        break;
      case "hardSigmoid": {
        // ReLU6 is fused into the sum.
        const bounded = run(CODE.ADD, [x, number(3)], shape, { 0: ["int8", 3] });
        give(CODE.MUL, [bounded, number(1 / 6)]);
        break;
      }
    }
  }

  const outputs = Object.values(model.outputs).map((name) => values.get(name)!);
  return tflite({ tensors, operators, outputs });
}

type Windowed = Extract<LayerNode, { type: "conv2d" | "depthwiseConv2d" | "averagePool" | "maxPool" }>;

function window({ attributes: { stride, padding } }: Windowed) {
  return { 0: ["int8", padding === "same" ? 0 : 1], 1: ["int32", stride[1]], 2: ["int32", stride[0]] } as const;
}

function laid({ data, shape }: FloatTensor) {
  const [kh = 1, kw = 1, input = 1, output = 1] = shape;
  return { data: permute(data, shape, [3, 0, 1, 2]), shape: [output, kh, kw, input] };
}

function factors(count: number, parameter: (part: string) => FloatTensor | undefined, epsilon: number) {
  const at = (part: string, c: number, absent: number) => parameter(part)?.data[c] ?? absent;
  const scale = Float32Array.from({ length: count }, (_, c) => {
    return at("gamma", c, 1) / Math.sqrt(at("moving_variance", c, 1) + epsilon);
  });
  return { scale, shift: scale.map((value, c) => at("beta", c, 0) - at("moving_mean", c, 0) * value) };
}
