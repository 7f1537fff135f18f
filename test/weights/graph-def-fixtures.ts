/** GraphDefs for tests, written field by field. */

import { type Field, littleEndian } from "./protobuf-fixtures.ts";

/** Values of TensorFlow's AttrValue, by the numbers of its fields. */
export const attr = {
  s: (text: string): Field[] => [[2, { text }]],
  i: (int: number): Field[] => [[3, { int }]],
  f: (float: number): Field[] => [[4, { float }]],
  b: (value: boolean): Field[] => [[5, { int: value ? 1 : 0 }]],
  type: (int: number): Field[] => [[6, { int }]],
  shape: (...sides: number[]): Field[] => [[7, { message: shape(sides) }]],
  tensor: (fields: readonly Field[]): Field[] => [[8, { message: fields }]],
  ints: (...ints: number[]): Field[] => [[1, { message: [[3, { ints }]] }]],
  strings: (...texts: string[]): Field[] => [[1, { message: texts.map((text): Field => [2, { text }]) }]],
  shapes: (...sides: number[]): Field[] => [[1, { message: [[7, { message: shape(sides) }]] }]],
};

export type Attributes = Readonly<Record<string, readonly Field[]>>;

export function shape(sides: readonly number[]): Field[] {
  return sides.map((side): Field => [2, { message: [[1, { int: side }]] }]);
}

export function tfNode(name: string, op: string, inputs: readonly string[], attributes: Attributes = {}): Field {
  return [
    1,
    {
      message: [
        [1, { text: name }],
        [2, { text: op }],
        ...inputs.map((text): Field => [3, { text }]),
        ...Object.entries(attributes).map(
          ([key, value]): Field => [
            5,
            {
              message: [
                [1, { text: key }],
                [2, { message: value }],
              ],
            },
          ],
        ),
      ],
    },
  ];
}

/** Float32 constant as `tensor_content`. */
export function tfConst(name: string, sides: readonly number[], numbers: readonly number[]): Field {
  return tfConstOf(name, 1, sides, [4, { bytes: littleEndian(numbers) }]);
}

export function tfInts(name: string, sides: readonly number[], numbers: readonly number[]): Field {
  return tfConstOf(name, 3, sides, [7, { ints: numbers }]);
}

/** @param data a field of TensorProto */
export function tfConstOf(name: string, type: number, sides: readonly number[], ...data: readonly Field[]): Field {
  const tensor = attr.tensor([[1, { int: type }], [2, { message: shape(sides) }], ...data]);
  return tfNode(name, "Const", [], { value: tensor, dtype: attr.type(type) });
}

export function placeholder(...sides: number[]): Field {
  return tfNode("input", "Placeholder", [], { shape: attr.shape(...sides), dtype: attr.type(1) });
}

export const SAME_CONV: Attributes = { strides: attr.ints(1, 2, 2, 1), padding: attr.s("SAME") };

/** A whole network in little: conv, written-out batch norm, ReLU6, depthwise, fused batch norm, pool, 1 × 1, softmax. */
export function smallGraphDef(): Field[] {
  const ramp = (count: number) => Array.from({ length: count }, (_, i) => (i - count / 2) / count);
  return [
    placeholder(-1, 8, 8, 3),
    tfConst("w", [3, 3, 3, 4], ramp(108)),
    tfNode("w/read", "Identity", ["w"]),
    tfNode("conv", "Conv2D", ["input", "w/read"], SAME_CONV),
    tfConst("variance", [4], [1, 2, 3, 4]),
    tfConstOf("epsilon", 1, [], [5, { floats: [0.001] }]),
    tfConst("gamma", [4], [1, 1, 1, 2]),
    tfConst("mean", [4], [0, 0.5, 0, 0]),
    tfConst("beta", [4], [0, 0, 0.25, 0]),
    tfNode("bn/add", "Add", ["variance", "epsilon"]),
    tfNode("bn/rsqrt", "Rsqrt", ["bn/add"]),
    tfNode("bn/mul", "Mul", ["bn/rsqrt", "gamma"]),
    tfNode("bn/mul_1", "Mul", ["conv", "bn/mul"]),
    tfNode("bn/mul_2", "Mul", ["mean", "bn/mul"]),
    tfNode("bn/sub", "Sub", ["beta", "bn/mul_2"]),
    tfNode("bn/add_1", "AddV2", ["bn/mul_1", "bn/sub:0"]),
    tfNode("relu", "Relu6", ["bn/add_1"]),
    tfConst("dw", [3, 3, 4, 1], ramp(36)),
    tfNode("depthwise", "DepthwiseConv2dNative", ["relu", "dw"], SAME_CONV),
    tfNode("fused", "FusedBatchNormV3", ["depthwise", "gamma", "beta", "mean", "variance"], {
      epsilon: attr.f(0.001),
      is_training: attr.b(false),
    }),
    tfNode("pool", "AvgPool", ["fused"], {
      ksize: attr.ints(1, 2, 2, 1),
      strides: attr.ints(1, 1, 1, 1),
      padding: attr.s("VALID"),
    }),
    tfNode("dropout", "Identity", ["pool", "^relu"]),
    tfConst("logits/w", [1, 1, 4, 2], ramp(8)),
    tfNode("logits", "Conv2D", ["dropout", "logits/w"], { strides: attr.ints(1, 1, 1, 1), padding: attr.s("SAME") }),
    tfConst("logits/b", [2], [0.5, -0.5]),
    tfNode("bias", "BiasAdd", ["logits", "logits/b"]),
    tfNode("squeeze", "Squeeze", ["bias"], { squeeze_dims: attr.ints(1, 2) }),
    tfNode("softmax", "Softmax", ["squeeze"]),
    [4, { message: [[1, { int: 24 }]] }],
  ];
}
