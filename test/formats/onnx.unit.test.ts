/** ONNX models: operators, constants in and beside the file, layouts, quantization, what is refused. */

import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { encodeFloat16 } from "../../src/formats/float16.ts";
import type { GraphOperation, ModelGraph } from "../../src/formats/graph.ts";
import { read } from "../../src/formats/onnx/read.ts";
import { graphOf, nodeNamed, opened, operationsOf, valuesOf } from "../fixtures/opened-files.ts";
import {
  type Attributes,
  attr,
  bytes,
  floats,
  initializer,
  int64s,
  type OnnxParts,
  onnxModel,
  onnxNode,
  smallOnnx,
  tensor,
} from "../writers/onnx.ts";
import { encode, type Field, littleEndian } from "../writers/protobuf.ts";

const context = { maxBytes: 1e6 };

async function load(parts: OnnxParts, beside: Readonly<Record<string, Uint8Array>> = {}): Promise<ModelGraph> {
  return graphOf(await read(opened(onnxModel(parts), beside), context));
}

async function refusal(parts: OnnxParts, beside: Readonly<Record<string, Uint8Array>> = {}): Promise<DepthwiseError> {
  const error = await load(parts, beside).then(
    () => new Error("nothing was refused"),
    (cause: unknown) => cause,
  );
  if (!(error instanceof DepthwiseError)) throw error;
  return error;
}

/** The parts of a model of one node over a picture of 8 × 8. */
function partsWith(op: string, inputs: readonly string[], attributes: Attributes, ...initializers: Field[]): OnnxParts {
  const nodes = [onnxNode(op, ["x", ...inputs], ["y"], attributes, { name: "node" })];
  return { inputs: { x: [1, 3, 8, 8] }, nodes, initializers };
}

async function operation(op: string, inputs: readonly string[], attributes: Attributes, ...initializers: Field[]) {
  return nodeNamed(await load(partsWith(op, inputs, attributes, ...initializers)), "node").operation;
}

const kernel = floats("k", [2, 3, 3, 3], Array(54).fill(0.5));
const matrix = floats("m", [2, 2], [1, 2, 3, 4]);
const vectors = ["a", "b", "c", "d"].map((name) => floats(name, [3], [1, 2, 3]));

it("a softmax without an axis is over the last from opset 13 on, over the channels before", async () => {
  const axisIn = async (opset: number) =>
    nodeNamed(await load({ ...partsWith("Softmax", [], {}), opset }), "node").operation;
  expect(await axisIn(12)).toEqual({ type: "softmax", axis: 1 });
  expect(await axisIn(13)).toEqual({ type: "softmax", axis: -1 });
});

describe("a small network", () => {
  it("becomes nodes in the order of the file, constants apart", async () => {
    const file = await read(opened(onnxModel(smallOnnx())), context);
    const graph = graphOf(file);
    expect(file.format).toBe("ONNX");
    expect(file.remarks).toEqual({
      producer: "producer 1.2",
      irVersion: 8,
      opset: { "ai.onnx": 13 },
      modelVersion: 4,
      metadata: { author: "somebody" },
    });
    expect(graph.inputs).toEqual([{ name: "x", shape: [8, 8, 3], isChannelsFirst: true }]);
    expect(graph.outputs).toEqual(["probabilities"]);
    expect(graph.nodes.map(({ name }) => name)).toEqual("conv bn relu6 dw relu pool flatten gemm softmax".split(" "));
    expect(nodeNamed(graph, "conv")).toEqual({
      name: "conv",
      operation: {
        type: "convolution",
        layout: "OIHW",
        strides: [2, 2],
        dilations: [1, 1],
        padding: [
          [0, 1],
          [0, 1],
        ],
        groups: 1,
      },
      inputs: ["x", "w"],
      outputs: ["c"],
    });
    expect(nodeNamed(graph, "bn").operation).toEqual({ type: "batchNorm", epsilon: Math.fround(0.001) });
    expect(nodeNamed(graph, "relu6")).toMatchObject({ operation: { function: "relu6" } });
    expect(nodeNamed(graph, "dw")).toMatchObject({ operation: { groups: 4 }, inputs: ["r", "dw", "dwb"] });
    expect(nodeNamed(graph, "gemm").operation).toEqual({ type: "dense", transposed: true });
    // The bounds of Clip went into the operation.
    expect(graph.constants.has("six")).toBe(false);
    expect(valuesOf(graph, "fcb")).toEqual([0.5, -0.5]);
  });

  it("is sorted if the file is not, and nodes without a name get one", async () => {
    const { nodes = [], ...parts } = smallOnnx();
    const anonymous = onnxNode("Identity", ["probabilities"], ["y"]);
    const again = onnxNode("Relu", ["y"], ["z"], {}, { name: "conv" });
    const graph = await load({ ...parts, nodes: [again, anonymous, ...[...nodes].reverse()], outputs: ["z"] });
    expect(graph.nodes.map(({ name }) => name)).toEqual(
      "c bn relu6 dw relu pool flatten gemm softmax y conv".split(" "),
    );
  });

  it("takes weights that older files list among the inputs for what they are", async () => {
    const parts = smallOnnx();
    const graph = await load({ ...parts, inputs: { ...parts.inputs, w: [4, 3, 3, 3] } });
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("drops the computation of a shape that nothing reads any more", async () => {
    const graph = await load({
      inputs: { x: ["n", 3, 8, 8] },
      nodes: [
        onnxNode("Shape", ["x"], ["s"]),
        onnxNode("Constant", [], ["zero"], { value: attr.t(tensor("", 7, [], [7, { ints: [0] }])) }),
        onnxNode("Gather", ["s", "zero"], ["n"]),
        onnxNode("Reshape", ["x", "n"], ["y"]),
      ],
    });
    expect(operationsOf(graph)).toEqual([{ type: "reshape" }]);
  });
});

const ONES = { kernel_shape: attr.ints(3, 3), strides: attr.ints(1, 1) };

describe("operators", () => {
  it.each<readonly [string, string, readonly string[], Attributes, object]>([
    [
      "Conv, auto_pad SAME_UPPER",
      "Conv",
      ["k"],
      { auto_pad: attr.s("SAME_UPPER"), strides: attr.ints(2, 2) },
      { padding: "same", strides: [2, 2] },
    ],
    [
      "Conv, auto_pad VALID",
      "Conv",
      ["k"],
      { auto_pad: attr.s("VALID"), dilations: attr.ints(2, 3) },
      { padding: "valid", dilations: [2, 3] },
    ],
    [
      "Conv, no attributes",
      "Conv",
      ["k"],
      {},
      {
        padding: [
          [0, 0],
          [0, 0],
        ],
        strides: [1, 1],
        groups: 1,
      },
    ],
    [
      "Conv, pads as top, left, bottom, right",
      "Conv",
      ["k"],
      { pads: attr.ints(1, 2, 3, 4), auto_pad: attr.s("NOTSET") },
      {
        padding: [
          [1, 3],
          [2, 4],
        ],
      },
    ],
    [
      "Conv, SAME_LOWER where that is the same",
      "Conv",
      ["k"],
      { ...ONES, auto_pad: attr.s("SAME_LOWER") },
      { padding: "same" },
    ],
    [
      "Conv, SAME_LOWER: the odd pixel in front",
      "Conv",
      ["k"],
      { strides: attr.ints(2, 2), auto_pad: attr.s("SAME_LOWER") },
      {
        padding: [
          [1, 0],
          [1, 0],
        ],
      },
    ],
    ["Conv over a line", "Conv", ["line"], {}, { type: "other", name: "Conv with a kernel of 3 sides" }],
    ["Conv whose kernel is computed", "Conv", ["x"], {}, { type: "other", name: "Conv whose kernel is computed" }],
    ["BatchNormalization", "BatchNormalization", ["a", "b", "c", "d"], {}, { type: "batchNorm", epsilon: 1e-5 }],
    [
      "BatchNormalization of the batch",
      "BatchNormalization",
      ["a", "b", "c", "d"],
      { training_mode: attr.i(1) },
      { type: "other", name: "BatchNormalization in training mode" },
    ],
    ["Relu", "Relu", [], {}, { type: "activation", function: "relu" }],
    ["LeakyRelu", "LeakyRelu", [], { alpha: attr.f(0.5) }, { function: "leakyRelu", slope: 0.5 }],
    ["LeakyRelu, default", "LeakyRelu", [], {}, { function: "leakyRelu", slope: Math.fround(0.01) }],
    ["PRelu", "PRelu", ["a"], {}, { type: "other", name: "PRelu" }],
    ["Gemm", "Gemm", ["m", "a"], {}, { type: "dense", transposed: false }],
    [
      "Gemm without a bias, any beta",
      "Gemm",
      ["m"],
      { transB: attr.i(1), beta: attr.f(0) },
      { type: "dense", transposed: true },
    ],
    ["Gemm with alpha", "Gemm", ["m", "a"], { alpha: attr.f(0.5) }, { type: "other" }],
    ["Gemm with beta", "Gemm", ["m", "a"], { beta: attr.f(0.5) }, { type: "other" }],
    ["Gemm with transA", "Gemm", ["m", "a"], { transA: attr.i(1) }, { type: "other" }],
    ["MatMul by a constant", "MatMul", ["m"], {}, { type: "dense", transposed: false }],
    ["MatMul of values", "MatMul", ["x"], {}, { type: "other", name: "MatMul whose kernel is computed" }],
    ["Add", "Add", ["a"], {}, { type: "add" }],
    ["Sub", "Sub", ["a"], {}, { type: "subtract" }],
    ["Mul", "Mul", ["a"], {}, { type: "multiply" }],
    ["Div", "Div", ["a"], {}, { type: "divide" }],
    ["Sum of 2", "Sum", ["a"], {}, { type: "add" }],
    ["Sum of 1", "Sum", [], {}, { type: "identity" }],
    ["Sum of 3, its last", "Sum", ["a", "b"], {}, { type: "add" }],
    ["Sum of too many", "Sum", Array(64).fill("a"), {}, { type: "other", name: "Sum" }],
    ["Identity", "Identity", [], {}, { type: "identity" }],
    ["Dropout", "Dropout", [], {}, { type: "identity" }],
    ["Cast", "Cast", [], { to: attr.i(1) }, { type: "identity" }],
    ["GlobalAveragePool", "GlobalAveragePool", [], {}, { type: "globalPool", kind: "average" }],
    ["GlobalMaxPool", "GlobalMaxPool", [], {}, { type: "globalPool", kind: "max" }],
    [
      "AveragePool of the whole image",
      "AveragePool",
      [],
      { kernel_shape: attr.ints(8, 8), ceil_mode: attr.i(1) },
      { type: "globalPool", kind: "average" },
    ],
    [
      "AveragePool",
      "AveragePool",
      [],
      { kernel_shape: attr.ints(7, 7) },
      { type: "pool", kernel: [7, 7], strides: [1, 1] },
    ],
    [
      "AveragePool that rounds up",
      "AveragePool",
      [],
      { kernel_shape: attr.ints(3, 3), ceil_mode: attr.i(1) },
      { type: "other" },
    ],
    [
      "AveragePool that counts pads",
      "AveragePool",
      [],
      { kernel_shape: attr.ints(3, 3), pads: attr.ints(1, 1, 1, 1), count_include_pad: attr.i(1) },
      { type: "other" },
    ],
    [
      "MaxPool",
      "MaxPool",
      [],
      { kernel_shape: attr.ints(3, 3), pads: attr.ints(1, 1, 1, 1), strides: attr.ints(2, 2) },
      {
        type: "pool",
        kind: "max",
        padding: [
          [1, 1],
          [1, 1],
        ],
      },
    ],
    [
      "MaxPool, dilated",
      "MaxPool",
      [],
      { kernel_shape: attr.ints(3, 3), dilations: attr.ints(2, 2) },
      { type: "other" },
    ],
    ["ReduceMean by attribute", "ReduceMean", [], { axes: attr.ints(2, 3) }, { type: "globalPool", kind: "average" }],
    ["ReduceMean by input, from the end", "ReduceMean", ["last"], {}, { type: "globalPool", kind: "average" }],
    [
      "ReduceMean over other axes",
      "ReduceMean",
      [],
      { axes: attr.ints(1, 2) },
      { type: "other", name: "ReduceMean with axes=1,2" },
    ],
    ["ReduceMean over all", "ReduceMean", [], {}, { type: "other", name: "ReduceMean" }],
    ["Flatten", "Flatten", [], {}, { type: "reshape", form: { kind: "flatten" } }],
    [
      "Flatten of the batch as well",
      "Flatten",
      [],
      { axis: attr.i(0) },
      { type: "other", name: "Flatten with axis=0" },
    ],
    ["Reshape", "Reshape", ["last"], {}, { type: "reshape", form: { kind: "sides", sides: [-1, -2] } }],
    ["Reshape to a shape that is computed", "Reshape", ["x"], {}, { type: "reshape" }],
    ["Squeeze", "Squeeze", [], {}, { type: "reshape", form: { kind: "squeeze", axes: [] } }],
    ["Unsqueeze", "Unsqueeze", ["last"], {}, { type: "reshape", form: { kind: "unsqueeze", axes: [-1, -2] } }],
    [
      "Transpose",
      "Transpose",
      [],
      { perm: attr.ints(0, 2, 3, 1) },
      { type: "reshape", form: { kind: "transpose", order: [0, 2, 3, 1] } },
    ],
    ["Softmax", "Softmax", [], {}, { type: "softmax", axis: -1 }],
    ["Softmax over an axis", "Softmax", [], { axis: attr.i(1) }, { type: "softmax", axis: 1 }],
    ["HardSwish", "HardSwish", [], {}, { type: "activation", function: "hardSwish" }],
    [
      "HardSigmoid of a sixth",
      "HardSigmoid",
      [],
      { alpha: attr.f(1 / 6) },
      { type: "activation", function: "hardSigmoid" },
    ],
    ["HardSigmoid of a fifth", "HardSigmoid", [], {}, { type: "other", name: "HardSigmoid with alpha=0.2" }],
    ["anything else", "Sigmoid", [], {}, { type: "other", name: "Sigmoid" }],
  ])("%s", async (_, op, inputs, attributes, expected) => {
    const line = floats("line", [2, 3, 3], Array(18).fill(1));
    expect(
      await operation(op, inputs, attributes, kernel, matrix, line, int64s("last", -1, -2), ...vectors),
    ).toMatchObject(expected);
  });

  it("Clip: ReLU6, ReLU, nothing, or other, with bounds as attributes or as inputs", async () => {
    const bound = (name: string, value: number) => floats(name, [], [value]);
    const clip = (inputs: readonly string[], attributes: Attributes = {}) =>
      operation(
        "Clip",
        inputs,
        attributes,
        bound("0", 0),
        bound("6", 6),
        bound("1", 1),
        bound("max", 3.4028234663852886e38),
        bound("min", -Infinity),
      );
    const relu = { type: "activation", function: "relu" };
    const relu6 = { type: "activation", function: "relu6" };
    expect(await clip(["0", "6"])).toEqual(relu6);
    expect(await clip([], { min: attr.f(0), max: attr.f(6) })).toEqual(relu6);
    expect(await clip(["0"])).toEqual(relu);
    expect(await clip(["0", "max"])).toEqual(relu);
    expect(await clip([], { min: attr.f(0) })).toEqual(relu);
    expect(await clip([])).toEqual({ type: "identity" });
    expect(await clip(["min", "max"])).toEqual({ type: "identity" });
    expect(await clip(["", "6"])).toEqual({ type: "other", name: "Clip with max=6" });
    expect(await clip(["1", "6"])).toEqual({ type: "other", name: "Clip with min=1 and max=6" });
    expect(await clip(["x", "6"])).toEqual({ type: "other", name: "Clip" });
  });

  it("Pad: zeros around the image, by attribute or by input, of all axes or of named ones", async () => {
    const padding = [
      [0, 1],
      [2, 3],
    ];
    const pads = [0, 0, 0, 2, 0, 0, 1, 3];
    const zero = floats("zero", [], [0]);
    expect(await operation("Pad", [], { pads: attr.ints(...pads) })).toEqual({ type: "pad", padding, layout: "NCHW" });
    expect(await operation("Pad", ["p", "zero"], {}, int64s("p", ...pads), zero)).toEqual({
      type: "pad",
      padding,
      layout: "NCHW",
    });
    const named = [int64s("p", 0, 2, 1, 3), int64s("axes", 2, -1)];
    expect(await operation("Pad", ["p", "", "axes"], {}, ...named)).toEqual({ type: "pad", padding, layout: "NCHW" });
    const other = { type: "other", name: "Pad" };
    expect(await operation("Pad", [], { pads: attr.ints(...pads), value: attr.f(1) })).toEqual(other);
    expect(await operation("Pad", [], { pads: attr.ints(...pads), mode: attr.s("edge") })).toEqual({
      type: "other",
      name: "Pad with mode=edge",
    });
    expect(await operation("Pad", [], { pads: attr.ints(0, 1, 0, 0, 0, 0, 0, 0) })).toEqual(other);
    expect(await operation("Pad", [], { pads: attr.ints(0, 0, -1, 0, 0, 0, 0, 0) })).toEqual(other);
    expect(await operation("Pad", ["x"], {})).toEqual(other);
  });

  it("other vendors' operators keep their domain", async () => {
    const nodes = [onnxNode("FusedConv", ["x"], ["y"], {}, { domain: "com.microsoft" })];
    expect(operationsOf(await load({ inputs: { x: [1, 3, 8, 8] }, nodes }))).toEqual([
      { type: "other", name: "com.microsoft.FusedConv" },
    ]);
  });

  it("outputs that are left out, and nodes whose first result is", async () => {
    const drop = onnxNode("Dropout", ["x"], ["d", ""], {}, { name: "drop" });
    const odd = onnxNode("Dropout", ["d"], ["", "mask"], {}, { name: "odd" });
    const graph = await load({ inputs: { x: [1, 3, 8, 8] }, nodes: [drop, odd], outputs: ["mask"] });
    expect(nodeNamed(graph, "drop").outputs).toEqual(["d"]);
    expect(nodeNamed(graph, "odd")).toMatchObject({ operation: { type: "other", name: "Dropout" }, outputs: ["mask"] });
  });
});

describe("layouts", () => {
  const conv = onnxNode("Conv", ["t", "k"], ["y"], {}, { name: "conv" });
  const first = { perm: attr.ints(0, 3, 1, 2) };

  it("an input that is transposed in front has its channels last, also behind arithmetic", async () => {
    const graph = await load({
      inputs: { x: ["n", 8, 6, 3] },
      initializers: [kernel, ...vectors],
      nodes: [onnxNode("Sub", ["x", "a"], ["s"]), onnxNode("Transpose", ["s"], ["t"], first), conv],
    });
    expect(graph.inputs).toEqual([{ name: "x", shape: [8, 6, 3] }]);
    expect(operationsOf(graph).map(({ type }) => type)).toEqual(["subtract", "reshape", "convolution"]);
  });

  it("sizes are followed through the transposition", async () => {
    const nodes = [
      onnxNode("Transpose", ["x"], ["t"], first),
      onnxNode("AveragePool", ["t"], ["p"], { kernel_shape: attr.ints(8, 6) }, { name: "pool" }),
      onnxNode("Transpose", ["p"], ["q"], { perm: attr.ints(0, 2, 3, 1) }),
      onnxNode("ReduceMean", ["q"], ["y"], { axes: attr.ints(1, 2) }, { name: "mean" }),
    ];
    const graph = await load({ inputs: { x: [1, 8, 6, 3] }, nodes });
    expect(nodeNamed(graph, "pool").operation).toEqual({ type: "globalPool", kind: "average", keepDims: true });
    // Channels last again: the image is axes 1 and 2.
    expect(nodeNamed(graph, "mean").operation).toEqual({
      type: "globalPool",
      kind: "average",
      keepDims: true,
      layout: "NHWC",
    });
  });

  it("pads of an image with channels last lie in the middle", async () => {
    const nodes = [
      onnxNode("Pad", ["x"], ["p"], { pads: attr.ints(0, 0, 2, 0, 0, 1, 3, 0) }, { name: "pad" }),
      onnxNode("Transpose", ["p"], ["y"], first),
    ];
    const graph = await load({ inputs: { x: [1, 8, 8, 3] }, nodes });
    expect(nodeNamed(graph, "pad").operation).toEqual({
      type: "pad",
      padding: [
        [0, 1],
        [2, 3],
      ],
      layout: "NHWC",
    });
  });

  it("the consumer decides against the sides; without one the side of 1 or 3 is the channels", async () => {
    const input = async (sides: readonly (number | string)[], op: string, inputs: readonly string[] = []) =>
      (await load({ inputs: { x: sides }, initializers: [kernel], nodes: [onnxNode(op, ["x", ...inputs], ["y"])] }))
        .inputs[0]?.shape;
    expect(await input([1, 8, 8, 3], "Conv", ["k"])).toEqual([8, 3, 8]);
    expect(await input([1, 8, 6, 3], "Softsign")).toEqual([8, 6, 3]);
    expect(await input([1, 3, 8, 6], "Softsign")).toEqual([8, 6, 3]);
    expect(await input([1, 3, 8, 3], "Softsign")).toEqual([8, 3, 3]);
    expect(await input(["n", 3, "h", "w"], "Conv", ["k"])).toEqual([undefined, undefined, 3]);
    expect(await input(["n", 256], "Softsign")).toEqual([256]);
    expect(await input([8], "Softsign")).toBeUndefined();
  });

  it("kernels that are transposed or reshaped in the graph are constants in the new order", async () => {
    const graph = await load({
      inputs: { x: [1, 2] },
      initializers: [floats("flat", [6], [1, 2, 3, 4, 5, 6]), int64s("sides", 3, -1), int64s("same", 0, 2)],
      nodes: [
        onnxNode("Reshape", ["flat", "sides"], ["m"]),
        onnxNode("Reshape", ["m", "same"], ["m2"]),
        onnxNode("Transpose", ["m2"], ["t"]),
        onnxNode("MatMul", ["x", "t"], ["y"]),
      ],
    });
    expect(graph.nodes).toHaveLength(1);
    expect(graph.constants.get("t")?.shape).toEqual([2, 3]);
    expect(valuesOf(graph, "t")).toEqual([1, 3, 5, 2, 4, 6]);
  });
});

describe("constants", () => {
  const values = async (type: number, ...data: Field[]) =>
    valuesOf(
      await load({
        inputs: { x: [1, 2] },
        initializers: [initializer("c", type, [2], ...data)],
        nodes: [onnxNode("Add", ["x", "c"], ["y"])],
      }),
      "c",
    );
  const raw = (array: ArrayBufferView): Field => [9, { bytes: new Uint8Array(array.buffer) }];

  it("every type, as raw data and in its list", async () => {
    expect(await values(1, raw(Float32Array.of(1.5, -2)))).toEqual([1.5, -2]);
    expect(await values(1, [4, { floats: [1.5, -2] }])).toEqual([1.5, -2]);
    expect(await values(11, raw(Float64Array.of(1.5, -2)))).toEqual([1.5, -2]);
    expect(await values(11, [10, { doubles: [1.5, -2] }])).toEqual([1.5, -2]);
    expect(await values(10, raw(encodeFloat16(Float32Array.of(1.5, -2))))).toEqual([1.5, -2]);
    expect(await values(10, [5, { ints: [0x3e00, 0xc000] }])).toEqual([1.5, -2]);
    expect(await values(16, raw(Uint16Array.of(0x3fc0, 0xc000)))).toEqual([1.5, -2]);
    expect(await values(16, [5, { ints: [0x3fc0, 0xc000] }])).toEqual([1.5, -2]);
    expect(await values(3, raw(Int8Array.of(7, -2)))).toEqual([7, -2]);
    expect(await values(2, [5, { ints: [7, 200] }])).toEqual([7, 200]);
    expect(await values(6, [5, { ints: [7, -2] }])).toEqual([7, -2]);
    expect(await values(7, raw(BigInt64Array.of(7n, -2n)))).toEqual([7, -2]);
    expect(await values(7, [7, { ints: [7, -2] }])).toEqual([7, -2]);
  });

  it("Constant nodes: a tensor, a number, a list of numbers", async () => {
    const constant = async (attributes: Attributes) =>
      valuesOf(
        await load({
          inputs: { x: [1, 2] },
          nodes: [onnxNode("Constant", [], ["c"], attributes), onnxNode("Add", ["x", "c"], ["y"])],
        }),
        "c",
      );
    expect(await constant({ value: attr.t(tensor("", 1, [2], [4, { floats: [1.5, 2] }])) })).toEqual([1.5, 2]);
    expect(await constant({ value_float: attr.f(0.5) })).toEqual([0.5]);
    expect(await constant({ value_int: attr.i(3) })).toEqual([3]);
    expect(await constant({ value_int: [] })).toEqual([0]);
    expect(await constant({ value_floats: attr.floats(0.5, 1) })).toEqual([0.5, 1]);
    expect(await constant({ value_ints: attr.ints(3, 4) })).toEqual([3, 4]);
    const text = await load({
      inputs: { x: [1, 2] },
      nodes: [onnxNode("Constant", [], ["c"], { value_string: attr.s("a") }), onnxNode("Add", ["x", "c"], ["y"])],
    });
    expect(nodeNamed(text, "c").operation).toEqual({ type: "other", name: "Constant" });
  });

  const external = (entries: Readonly<Record<string, string>>): OnnxParts => ({
    inputs: { x: [1, 2] },
    initializers: [
      initializer(
        "c",
        1,
        [2],
        [14, { int: 1 }],
        ...Object.entries(entries).map(
          ([key, value]): Field => [
            13,
            {
              message: [
                [1, { text: key }],
                [2, { text: value }],
              ],
            },
          ],
        ),
      ),
    ],
    nodes: [onnxNode("Add", ["x", "c"], ["y"])],
  });
  const data = { "weights.bin": littleEndian([9, 1.5, -2, 9]) };

  it("data in a file beside the model, all of it or a part", async () => {
    const part = await load(external({ location: "weights.bin", offset: "4", length: "8" }), data);
    expect(valuesOf(part, "c")).toEqual([1.5, -2]);
    const rest = await load(external({ location: "weights.bin", offset: "8" }), data);
    expect(valuesOf(rest, "c")).toEqual([-2, 9]);
    const whole = await load(external({ location: "sub/c" }), { "sub/c": littleEndian([1, 2]) });
    expect(valuesOf(whole, "c")).toEqual([1, 2]);
  });

  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    ["no place", {}, "FILE_CORRUPT"],
    ["a place above the model's", { location: "../weights.bin" }, "FILE_CORRUPT"],
    ["a place above, with backslashes", { location: "a\\..\\..\\weights.bin" }, "FILE_CORRUPT"],
    ["an absolute place", { location: "/weights.bin" }, "FILE_CORRUPT"],
    ["an address", { location: "https://example.org/weights.bin" }, "FILE_CORRUPT"],
    ["a drive", { location: "c:weights.bin" }, "FILE_CORRUPT"],
    ["a length beyond the end", { location: "weights.bin", offset: "12", length: "8" }, "FILE_TRUNCATED"],
    ["an offset beyond the end", { location: "weights.bin", offset: "99" }, "FILE_TRUNCATED"],
    ["an offset that is no number", { location: "weights.bin", offset: "-4" }, "FILE_TRUNCATED"],
    ["a length that does not fit the shape", { location: "weights.bin", length: "4" }, "FILE_CORRUPT"],
  ])("refuses external data with %s", async (_, entries, code) => {
    expect((await refusal(external(entries), data)).code).toBe(code);
  });

  it("refuses what does not fit the shape, or maxBytes", async () => {
    const wrong = (...tensorOf: Parameters<typeof initializer>) =>
      refusal({ inputs: { x: [1, 2] }, initializers: [initializer(...tensorOf)], outputs: ["x"] });
    expect((await wrong("c", 1, [3], [9, { bytes: littleEndian([1, 2]) }])).message).toContain(
      "expected 12 bytes for F32 [3], found 8",
    );
    expect((await wrong("c", 1, [3], [4, { float: 1 }])).message).toContain("expected 3 numbers for F32 [3], found 1");
    expect((await wrong("c", 1, [1 << 30])).code).toBe("FILE_TOO_LARGE");
    expect((await wrong("c", 1, [-1])).code).toBe("FILE_CORRUPT");
    const twice = [floats("c", [1], [1]), floats("c", [1], [2])];
    expect((await refusal({ initializers: twice, outputs: ["c"] })).message).toContain('two tensors are named "c"');
  });
});

describe("quantization", () => {
  const scale = floats("scale", [], [0.5]);
  const zero = bytes("zero", 2, [], 128);
  const graphWith = (...initializers: Field[]): Promise<ModelGraph> =>
    load({
      inputs: { x: [1, 3] },
      initializers,
      nodes: [
        onnxNode("DequantizeLinear", ["q", "scale", "zero"], ["w"], { axis: attr.i(0) }, { name: "dequantize" }),
        onnxNode("Mul", ["x", "w"], ["y"]),
      ],
    });

  it("constants with one scale become their values", async () => {
    const graph = await graphWith(bytes("q", 2, [3], 128, 130, 0), scale, zero);
    expect(valuesOf(graph, "w")).toEqual([0, 1, -64]);
    expect(graph.quantization?.get("w")).toEqual({ dtype: "uint8", scale: [0.5], zeroPoint: [128] });
  });

  it("constants with a scale for each place of an axis", async () => {
    const scales = floats("scale", [2], [0.5, 2]);
    const graph = await graphWith(bytes("q", 3, [2, 2], 1, 2, 3, 4), scales, bytes("zero", 3, [2], 0, 1));
    expect(valuesOf(graph, "w")).toEqual([0.5, 1, 4, 6]);
    expect(graph.quantization?.get("w")).toEqual({ dtype: "int8", scale: [0.5, 2], zeroPoint: [0, 1], axis: 0 });
  });

  it("without a zero point: whole numbers of 32 bits, such as biases", async () => {
    const q = initializer("q", 6, [2], [5, { ints: [100, -100] }]);
    const nodes = [onnxNode("DequantizeLinear", ["q", "scale"], ["w"]), onnxNode("Mul", ["x", "w"], ["y"])];
    const graph = await load({ inputs: { x: [1, 2] }, initializers: [q, scale], nodes });
    expect(valuesOf(graph, "w")).toEqual([50, -50]);
    expect(graph.quantization?.get("w")?.dtype).toBe("int32");
  });

  it("values between the layers stay what they stand for, the scale noted", async () => {
    const nodes = [
      onnxNode("QuantizeLinear", ["x", "scale", "zero"], ["q"], {}, { name: "quantize" }),
      onnxNode("DequantizeLinear", ["q", "scale", "zero"], ["y"], {}, { name: "dequantize" }),
    ];
    const graph = await load({ inputs: { x: [1, 3, 8, 8] }, initializers: [scale, zero], nodes });
    expect(operationsOf(graph)).toEqual<GraphOperation[]>([{ type: "identity" }, { type: "identity" }]);
    expect(graph.quantization?.get("q")).toEqual({ dtype: "uint8", scale: [0.5], zeroPoint: [128] });
  });

  it("constants that the graph itself quantizes are rounded, to even, and kept in range", async () => {
    const nodes = [
      onnxNode("QuantizeLinear", ["c", "scale", "zero"], ["q"]),
      onnxNode("DequantizeLinear", ["q", "scale", "zero"], ["w"]),
      onnxNode("Mul", ["x", "w"], ["y"]),
    ];
    const c = floats("c", [6], [0.25, 0.75, -0.25, 0.3, 1000, -1000]);
    const graph = await load({ inputs: { x: [1, 6] }, initializers: [c, scale, zero], nodes });
    expect(valuesOf(graph, "w")).toEqual([0, 1, 0, 0.5, 63.5, -64]);
  });

  it("scales in blocks and computed ones stay other; wrong counts are damage", async () => {
    const q = bytes("q", 2, [2, 2], 1, 2, 3, 4);
    const blocks = await graphWith(q, floats("scale", [2, 1], [1, 2]), bytes("zero", 2, [2, 1], 0, 0));
    expect(nodeNamed(blocks, "dequantize").operation).toEqual({ type: "other", name: "DequantizeLinear" });
    const few = {
      inputs: { x: [1, 3] },
      nodes: [onnxNode("DequantizeLinear", ["q", "scale", "zero"], ["y"], { axis: attr.i(0) })],
    };
    const wrongZero = await refusal({ ...few, initializers: [q, floats("scale", [2], [1, 2]), zero] });
    expect(wrongZero.message).toContain("2 numbers, as many as scales, found 1");
    const wrongScale = await refusal({
      ...few,
      initializers: [q, floats("scale", [3], [1, 2, 3]), bytes("zero", 2, [3], 0, 0, 0)],
    });
    expect(wrongScale.message).toContain("expected 2 numbers, found 3");
  });
});

describe("refusals", () => {
  const x = { x: [1, 3, 8, 8] };

  it.each<readonly [string, string, OnnxParts]>([
    ["no outputs", "at least one output", { inputs: x, outputs: [] }],
    [
      "a value that nothing makes",
      '"ghost", which by "node" is read, is made by no node',
      partsWith("Add", ["ghost"], {}),
    ],
    ["a result that nothing makes", '"y", which as a result is read', { inputs: x }],
    [
      "a value made twice",
      'the value "y" is made twice',
      { inputs: x, nodes: [onnxNode("Relu", ["x"], ["y"]), onnxNode("Relu", ["x"], ["y"])] },
    ],
    ["an input that is made", 'the value "x" is made twice', { inputs: x, nodes: [onnxNode("Relu", ["x"], ["x"])] }],
    [
      "a cycle",
      "its own result",
      { inputs: x, nodes: [onnxNode("Add", ["x", "b"], ["y"]), onnxNode("Relu", ["y"], ["b"])] },
    ],
    ["too few inputs", 'inputs of node "node" (Conv): expected at least 2, found 1', partsWith("Conv", [], {})],
    [
      "strides of 0",
      'strides of node "node" (Conv): expected two sides of at least 1, found 0, 1',
      partsWith("Conv", ["k"], { strides: attr.ints(0, 1) }, kernel),
    ],
    ["pads of another rank", "four sides of at least 0", partsWith("Conv", ["k"], { pads: attr.ints(1, 1) }, kernel)],
    ["negative pads", "four sides of at least 0", partsWith("Conv", ["k"], { pads: attr.ints(0, 0, -1, 0) }, kernel)],
    ["no such auto_pad", "SAME_UPPER or SAME_LOWER", partsWith("Conv", ["k"], { auto_pad: attr.s("SAME") }, kernel)],
    ["no groups", "group of node", partsWith("Conv", ["k"], { group: attr.i(0) }, kernel)],
  ])("%s", async (_, phrase, parts) => {
    const error = await refusal(parts);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toContain(phrase);
  });

  it("SAME_LOWER over an image of any size", async () => {
    const parts = partsWith("Conv", ["k"], { strides: attr.ints(2, 2), auto_pad: attr.s("SAME_LOWER") }, kernel);
    const error = await refusal({ ...parts, inputs: { x: ["n", 3, "h", "w"] } });
    expect(error.code).toBe("ARCHITECTURE_UNKNOWN");
    expect(error.message).toBe(
      'model: auto_pad of node "node" (Conv): expected SAME_UPPER, explicit pads, or an input whose height and width ' +
        "are stated, found SAME_LOWER over an image of any size, whose pads depend on that size. " +
        "Export the model with a fixed input size. Nothing was loaded.",
    );
  });

  it("a model without a graph", async () => {
    const model = encode([
      [1, { int: 8 }],
      [8, { message: [[2, { int: 13 }]] }],
    ]);
    await expect(read(opened(model), context)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it("names that are keys of every object are names like others", async () => {
    const graph = await load({
      inputs: { x: [1, 2] },
      initializers: [floats("__proto__", [2], [1, 2])],
      nodes: [onnxNode("constructor", ["x", "__proto__"], ["toString"])],
      outputs: ["toString"],
    });
    expect(operationsOf(graph)).toEqual([{ type: "other", name: "constructor" }]);
    expect(valuesOf(graph, "__proto__")).toEqual([1, 2]);
  });

  it("an aborted signal", async () => {
    const signal = AbortSignal.abort();
    await expect(read(opened(onnxModel(smallOnnx())), { ...context, signal })).rejects.toBe(signal.reason);
  });
});

// A search for a free name from 1 on would look 5,000,000,000 times.
it("100,000 nodes of one name and no outputs are named in linear time", async () => {
  const node = onnxNode("Relu", ["x"], [], {}, { name: "again" });
  const last = onnxNode("Relu", ["x"], ["y"], {}, { name: "again" });
  const nodes = [...Array<Field>(100_000).fill(node), last];
  const start = performance.now();
  const file = await read(opened(onnxModel({ inputs: { x: [1, 3, 8, 8] }, nodes })), { maxBytes: 1e9 });
  expect(performance.now() - start).toBeLessThan(20_000);
  expect(graphOf(file).nodes.map(({ name }) => name)).toEqual(["y"]);
});
