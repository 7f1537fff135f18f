/** ONNX models for tests, written field by field. */

import { encode, type Field, littleEndian } from "./protobuf-fixtures.ts";

export interface OnnxParts {
  readonly nodes?: readonly Field[];
  readonly initializers?: readonly Field[];
  /** Name and sides; a text is an open side. */
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs?: readonly string[];
  /** Fields of ModelProto besides the graph. */
  readonly model?: readonly Field[];
}

export function onnxModel({ nodes = [], initializers = [], inputs = {}, outputs = ["y"], model = [] }: OnnxParts) {
  const graph: Field[] = [
    ...nodes,
    [2, { text: "graph" }],
    ...initializers,
    ...Object.entries(inputs).map(([name, sides]): Field => [11, { message: valueInfo(name, sides) }]),
    ...outputs.map((name): Field => [12, { message: valueInfo(name) }]),
  ];
  return encode([[1, { int: 8 }], ...model, [7, { message: graph }], [8, { message: [[2, { int: 13 }]] }]]);
}

function valueInfo(name: string, sides?: readonly (number | string)[]): Field[] {
  if (sides === undefined) return [[1, { text: name }]];
  const dims = sides.map(
    (side): Field => [1, { message: [typeof side === "number" ? [1, { int: side }] : [2, { text: side }]] }],
  );
  const tensor: Field[] = [
    [1, { int: 1 }],
    [2, { message: dims }],
  ];
  return [
    [1, { text: name }],
    [2, { message: [[1, { message: tensor }]] }],
  ];
}

/** Fields of AttributeProto that hold a value. */
export const attr = {
  f: (float: number): Field[] => [[2, { float }]],
  i: (int: number): Field[] => [[3, { int }]],
  s: (text: string): Field[] => [[4, { text }]],
  t: (tensor: readonly Field[]): Field[] => [[5, { message: tensor }]],
  floats: (...floats: number[]): Field[] => [[7, { floats }]],
  /** One by one, as exporters write them. */
  ints: (...ints: number[]): Field[] => ints.map((int): Field => [8, { int }]),
};

export type Attributes = Readonly<Record<string, readonly Field[]>>;

export function onnxNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
  { name = "", domain = "" } = {},
): Field {
  const message: Field[] = [
    ...inputs.map((text): Field => [1, { text }]),
    ...outputs.map((text): Field => [2, { text }]),
    [3, { text: name }],
    [4, { text: op }],
    ...Object.entries(attributes).map(([key, value]): Field => [5, { message: [[1, { text: key }], ...value] }]),
    ...(domain === "" ? [] : [[7, { text: domain }] as Field]),
  ];
  return [1, { message }];
}

/** Fields of TensorProto: sides, type by its number, and the data. */
export function tensor(name: string, type: number, sides: readonly number[], ...data: readonly Field[]): Field[] {
  return [...sides.map((side): Field => [1, { int: side }]), [2, { int: type }], ...data, [8, { text: name }]];
}

export function initializer(name: string, type: number, sides: readonly number[], ...data: readonly Field[]): Field {
  return [5, { message: tensor(name, type, sides, ...data) }];
}

/** Float32 as raw data. */
export function floats(name: string, sides: readonly number[], numbers: readonly number[]): Field {
  return initializer(name, 1, sides, [9, { bytes: littleEndian(numbers) }]);
}

export function int64s(name: string, ...numbers: number[]): Field {
  return initializer(name, 7, [numbers.length], [7, { ints: numbers }]);
}

export function bytes(name: string, type: 2 | 3, sides: readonly number[], ...numbers: number[]): Field {
  return initializer(name, type, sides, [9, { bytes: Uint8Array.from(numbers) }]);
}

/** A whole network in little: conv, batch norm, Clip, depthwise with bias, pool, Flatten, Gemm, Softmax. */
export function smallOnnx(): OnnxParts {
  const ramp = (count: number) => Array.from({ length: count }, (_, i) => (i - count / 2) / count);
  return {
    inputs: { x: ["batch", 3, 8, 8] },
    outputs: ["probabilities"],
    model: [
      [2, { text: "producer" }],
      [3, { text: "1.2" }],
      [5, { int: 4 }],
      [
        14,
        {
          message: [
            [1, { text: "author" }],
            [2, { text: "somebody" }],
          ],
        },
      ],
    ],
    initializers: [
      floats("w", [4, 3, 3, 3], ramp(108)),
      ...["gamma", "beta", "mean", "variance"].map((name) => floats(name, [4], [1, 2, 3, 4])),
      floats("zero", [], [0]),
      initializer("six", 1, [], [4, { floats: [6] }]),
      floats("dw", [4, 1, 3, 3], ramp(36)),
      floats("dwb", [4], [1, 0, 0, 1]),
      floats("fc", [2, 4], ramp(8)),
      floats("fcb", [2], [0.5, -0.5]),
    ],
    nodes: [
      onnxNode(
        "Conv",
        ["x", "w"],
        ["c"],
        { kernel_shape: attr.ints(3, 3), strides: attr.ints(2, 2), pads: attr.ints(0, 0, 1, 1) },
        { name: "conv" },
      ),
      onnxNode(
        "BatchNormalization",
        ["c", "gamma", "beta", "mean", "variance"],
        ["n"],
        { epsilon: attr.f(0.001) },
        { name: "bn" },
      ),
      onnxNode("Clip", ["n", "zero", "six"], ["r"], {}, { name: "relu6" }),
      onnxNode("Conv", ["r", "dw", "dwb"], ["d"], { group: attr.i(4), pads: attr.ints(1, 1, 1, 1) }, { name: "dw" }),
      onnxNode("Relu", ["d"], ["a"], {}, { name: "relu" }),
      onnxNode("GlobalAveragePool", ["a"], ["p"], {}, { name: "pool" }),
      onnxNode("Flatten", ["p"], ["f"], { axis: attr.i(1) }, { name: "flatten" }),
      onnxNode("Gemm", ["f", "fc", "fcb"], ["g"], { transB: attr.i(1) }, { name: "gemm" }),
      onnxNode("Softmax", ["g"], ["probabilities"], {}, { name: "softmax" }),
    ],
  };
}
