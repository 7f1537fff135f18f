/** TensorFlow's frozen graphs: operations, constants, what is left out, what is refused. */

import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { encodeFloat16 } from "../../src/formats/float16.ts";
import type { ModelGraph } from "../../src/formats/graph.ts";
import { graphFromGraphDef } from "../../src/formats/tensorflow/graph-def.ts";
import type { GraphDefNode } from "../../src/formats/tensorflow/node.ts";
import { read } from "../../src/formats/tensorflow/read.ts";
import { graphOf, nodeNamed, opened, operationsOf, valuesOf } from "../fixtures/opened-files.ts";
import {
  type Attributes,
  attr,
  placeholder,
  SAME_CONV,
  smallGraphDef,
  tfConst,
  tfConstOf,
  tfInts,
  tfNode,
} from "../writers/graph-def.ts";
import { encode, type Field, littleEndian } from "../writers/protobuf.ts";

const context = { maxBytes: 1e6 };

async function load(fields: readonly Field[], maxBytes = 1e6): Promise<ModelGraph> {
  return graphOf(await read(opened(encode(fields)), { maxBytes }));
}

async function refusal(fields: readonly Field[], maxBytes = 1e6): Promise<DepthwiseError> {
  const error = await load(fields, maxBytes).then(
    () => new Error("nothing was refused"),
    (cause: unknown) => cause,
  );
  if (!(error instanceof DepthwiseError)) throw error;
  return error;
}

/** The graph of one node over a picture of 8 × 8, named "node". */
function graphWith(op: string, inputs: readonly string[], attributes: Attributes, ...constants: Field[]) {
  return load([placeholder(-1, 8, 8, 3), ...constants, tfNode("node", op, ["input", ...inputs], attributes)]);
}

const kernel = tfConst("k", [3, 3, 3, 2], Array(54).fill(0.5));
const vectors = ["a", "b", "c", "d"].map((name) => tfConst(name, [3], [1, 2, 3]));

describe("a small network", () => {
  it("becomes nodes in the order of the file, constants apart, `read` identities gone", async () => {
    const file = await read(opened(encode(smallGraphDef())), context);
    const graph = graphOf(file);
    expect(file.format).toBe("TensorFlow frozen graph");
    expect(file.remarks).toEqual({ producerVersion: 24 });
    expect(graph.inputs).toEqual([{ name: "input", shape: [8, 8, 3] }]);
    expect(graph.outputs).toEqual(["softmax"]);
    expect(operationsOf(graph).map(({ type }) => type)).toEqual(
      "convolution add rsqrt multiply multiply multiply subtract add activation convolution batchNorm globalPool identity convolution add reshape softmax".split(
        " ",
      ),
    );
    expect(nodeNamed(graph, "conv").inputs).toEqual(["input", "w"]);
    expect(nodeNamed(graph, "bn/add_1").inputs).toEqual(["bn/mul_1", "bn/sub"]);
    expect(nodeNamed(graph, "fused")).toEqual({
      name: "fused",
      operation: { type: "batchNorm", epsilon: Math.fround(0.001) },
      inputs: ["depthwise", "gamma", "beta", "mean", "variance"],
      outputs: ["fused"],
    });
    expect(nodeNamed(graph, "dropout").inputs).toEqual(["pool"]);
    expect(valuesOf(graph, "epsilon")).toEqual([Math.fround(0.001)]);
    expect(graph.constants.get("w")?.shape).toEqual([3, 3, 3, 4]);
  });

  it("is sorted if the file is not", async () => {
    const graph = await load([...smallGraphDef()].reverse());
    const place = new Map(graph.nodes.map(({ name }, i) => [name, i]));
    for (const { name, inputs } of graph.nodes) {
      for (const input of inputs)
        expect(place.get(input) ?? -1, `${input} before ${name}`).toBeLessThan(place.get(name) ?? 0);
    }
  });

  it("leaves out what training left behind, and what leads to no result", async () => {
    const graph = await load([
      ...smallGraphDef(),
      tfNode("step", "Const", [], { value: attr.tensor([[1, { int: 9 }]]) }),
      tfNode("save", "SaveV2", ["softmax", "w"]),
      tfNode("histogram", "HistogramSummary", ["softmax"]),
      tfNode("merge", "MergeSummary", ["histogram"]),
      tfNode("assign", "Assign", ["w", "w"]),
      tfNode("init", "NoOp", ["^assign"]),
      tfNode("unread", "Neg", ["w"]),
      tfNode("labels", "Placeholder", []),
    ]);
    expect(graph.outputs).toEqual(["softmax"]);
    expect(graph.inputs).toHaveLength(1);
    expect(graph.nodes).toHaveLength(17);
  });
});

describe("operations", () => {
  it.each<readonly [string, string, readonly string[], Attributes, object]>([
    ["Identity", "Identity", [], {}, { type: "identity" }],
    ["Cast", "Cast", [], { DstT: attr.type(1) }, { type: "identity" }],
    ["CheckNumerics", "CheckNumerics", [], {}, { type: "identity" }],
    [
      "Conv2D, SAME",
      "Conv2D",
      ["k"],
      SAME_CONV,
      { padding: "same", strides: [2, 2], dilations: [1, 1], layout: "HWIO" },
    ],
    [
      "Conv2D, VALID, dilated",
      "Conv2D",
      ["k"],
      { strides: attr.ints(1, 1, 2, 1), dilations: attr.ints(1, 2, 3, 1), padding: attr.s("VALID") },
      { padding: "valid", strides: [1, 2], dilations: [2, 3] },
    ],
    [
      "Conv2D, EXPLICIT",
      "Conv2D",
      ["k"],
      { ...SAME_CONV, padding: attr.s("EXPLICIT"), explicit_paddings: attr.ints(0, 0, 0, 1, 2, 3, 0, 0) },
      {
        padding: [
          [0, 1],
          [2, 3],
        ],
      },
    ],
    ["DepthwiseConv2dNative", "DepthwiseConv2dNative", ["k"], SAME_CONV, { type: "convolution", layout: "HWIM" }],
    ["MatMul", "MatMul", ["k"], {}, { type: "dense", transposed: false }],
    ["MatMul, transpose_b", "MatMul", ["k"], { transpose_b: attr.b(true) }, { type: "dense", transposed: true }],
    ["MatMul, transpose_a", "MatMul", ["k"], { transpose_a: attr.b(true) }, { type: "other", name: "MatMul" }],
    ["BiasAdd", "BiasAdd", ["a"], { data_format: attr.s("NHWC") }, { type: "add" }],
    ["Add", "Add", ["a"], {}, { type: "add" }],
    ["AddV2", "AddV2", ["a"], {}, { type: "add" }],
    ["AddN of 2", "AddN", ["a"], {}, { type: "add" }],
    ["AddN of 1", "AddN", [], {}, { type: "identity" }],
    ["AddN of 3, its last", "AddN", ["a", "b"], {}, { type: "add" }],
    ["AddN of too many", "AddN", Array(64).fill("a"), {}, { type: "other", name: "AddN" }],
    ["Sub", "Sub", ["a"], {}, { type: "subtract" }],
    ["Mul", "Mul", ["a"], {}, { type: "multiply" }],
    ["RealDiv", "RealDiv", ["a"], {}, { type: "divide" }],
    ["Rsqrt", "Rsqrt", [], {}, { type: "rsqrt" }],
    ["Relu", "Relu", [], {}, { type: "activation", function: "relu" }],
    ["Relu6", "Relu6", [], {}, { type: "activation", function: "relu6" }],
    ["LeakyRelu", "LeakyRelu", [], { alpha: attr.f(0.5) }, { function: "leakyRelu", slope: 0.5 }],
    ["LeakyRelu, default", "LeakyRelu", [], {}, { function: "leakyRelu", slope: 0.2 }],
    [
      "FusedBatchNorm",
      "FusedBatchNorm",
      ["a", "b", "c", "d"],
      { is_training: attr.b(false), epsilon: attr.f(0.5) },
      { type: "batchNorm", epsilon: 0.5 },
    ],
    [
      "FusedBatchNormV2, default",
      "FusedBatchNormV2",
      ["a", "b", "c", "d"],
      { is_training: attr.b(false) },
      { type: "batchNorm", epsilon: 0.0001 },
    ],
    [
      "FusedBatchNormV3 of the batch",
      "FusedBatchNormV3",
      ["a", "b", "c", "d"],
      {},
      { type: "other", name: "FusedBatchNormV3 in training mode" },
    ],
    ["Squeeze", "Squeeze", [], {}, { type: "reshape" }],
    ["ExpandDims", "ExpandDims", ["a"], {}, { type: "reshape" }],
    ["Reshape", "Reshape", ["a"], {}, { type: "reshape" }],
    ["Softmax", "Softmax", [], {}, { type: "softmax" }],
    ["anything else", "Selu", [], {}, { type: "other", name: "Selu" }],
    ["Dequantize of no constant", "Dequantize", ["a", "b"], {}, { type: "other", name: "Dequantize" }],
  ])("%s", async (_, op, inputs, attributes, expected) => {
    const { operation } = nodeNamed(await graphWith(op, inputs, attributes, kernel, ...vectors), "node");
    expect(operation).toMatchObject(expected);
  });

  it("Pad: only zeros, and only around the image", async () => {
    const pads = (...numbers: number[]) => tfInts("pads", [4, 2], numbers);
    const image = pads(0, 0, 0, 1, 2, 3, 0, 0);
    const operation = async (op: string, inputs: readonly string[], ...constants: Field[]) =>
      nodeNamed(await graphWith(op, inputs, {}, ...constants), "node").operation;
    const padding = [
      [0, 1],
      [2, 3],
    ];
    expect(await operation("Pad", ["pads"], image)).toEqual({ type: "pad", padding });
    expect(await operation("PadV2", ["pads", "z"], image, tfConst("z", [], [0]))).toEqual({ type: "pad", padding });
    expect(await operation("PadV2", ["pads", "z"], image, tfConst("z", [], [1]))).toMatchObject({ type: "other" });
    expect(await operation("Pad", ["pads"], pads(0, 0, 1, 1, 1, 1, 0, 2))).toMatchObject({ type: "other" });
    expect(await operation("Pad", ["pads"], tfConst("pads", [2], [0, 1]))).toMatchObject({ type: "other" });
  });

  it("AvgPool and MaxPool: of the whole image where its size is known to be the window's", async () => {
    const operation = async (op: string, side: number, padding: string, ...sides: number[]) => {
      const attributes = {
        ksize: attr.ints(1, side, side, 1),
        strides: attr.ints(1, 2, 2, 1),
        padding: attr.s(padding),
      };
      return nodeNamed(await load([placeholder(...sides), tfNode("node", op, ["input"], attributes)]), "node")
        .operation;
    };
    expect(await operation("AvgPool", 8, "VALID", -1, 8, 8, 3)).toEqual({
      type: "globalPool",
      kind: "average",
      keepDims: true,
    });
    expect(await operation("MaxPool", 8, "VALID", -1, 8, 8, 3)).toEqual({
      type: "globalPool",
      kind: "max",
      keepDims: true,
    });
    const windowed = { type: "pool", kind: "average", kernel: [8, 8], strides: [2, 2], padding: "valid" };
    expect(await operation("AvgPool", 8, "VALID", -1, -1, -1, 3)).toEqual(windowed);
    expect(await operation("AvgPool", 8, "VALID", -1, 16, 16, 3)).toEqual(windowed);
    expect(await operation("AvgPool", 8, "SAME", -1, 8, 8, 3)).toEqual({ ...windowed, padding: "same" });
  });

  it("Mean: over height and width, also counted from the end", async () => {
    const operation = async (...axes: number[]) =>
      nodeNamed(await graphWith("Mean", ["axes"], {}, tfInts("axes", [axes.length], axes)), "node").operation;
    expect(await operation(1, 2)).toEqual({ type: "globalPool", kind: "average" });
    expect(await operation(-2, -3)).toEqual({ type: "globalPool", kind: "average" });
    expect(await operation(1)).toEqual({ type: "other", name: "Mean" });
    expect(await operation(2, 3)).toEqual({ type: "other", name: "Mean" });
  });

  it("_FusedConv2D: what is fused in becomes nodes of its own, the last under the node's name", async () => {
    const fused = (...names: string[]) => ({
      ...SAME_CONV,
      fused_ops: attr.strings(...names),
      leakyrelu_alpha: attr.f(0.5),
    });
    const graph = await graphWith("_FusedConv2D", ["k", "a"], fused("BiasAdd", "Relu6"), kernel, ...vectors);
    expect(graph.nodes.map(({ name, inputs, outputs }) => [name, inputs, outputs])).toEqual([
      ["node/convolution", ["input", "k"], ["node/convolution"]],
      ["node/add", ["node/convolution", "a"], ["node/add"]],
      ["node", ["node/add"], ["node"]],
    ]);
    expect(graph.nodes[2]?.operation).toEqual({ type: "activation", function: "relu6" });

    const norm = await graphWith(
      "_FusedConv2D",
      ["k", "a", "b", "c", "d"],
      fused("FusedBatchNorm", "LeakyRelu"),
      kernel,
      ...vectors,
    );
    expect(operationsOf(norm)).toMatchObject([
      { type: "convolution" },
      { type: "batchNorm", epsilon: 0.0001 },
      { type: "activation", function: "leakyRelu", slope: 0.5 },
    ]);
    const depthwise = await graphWith(
      "FusedDepthwiseConv2dNative",
      ["k", "a"],
      fused("BiasAdd", "Relu"),
      kernel,
      ...vectors,
    );
    expect(operationsOf(depthwise).map(({ type }) => type)).toEqual(["convolution", "add", "activation"]);
    const elu = await graphWith("_FusedConv2D", ["k", "a"], fused("Elu"), kernel, ...vectors);
    expect(nodeNamed(elu, "node")).toMatchObject({ operation: { type: "other", name: "Elu" } });
    const dense = await graphWith("_FusedMatMul", ["k", "a"], fused("BiasAdd"), kernel, ...vectors);
    expect(operationsOf(dense).map(({ type }) => type)).toEqual(["dense", "add"]);
  });

  it("a step's name never collides with a node of the file", async () => {
    const graph = await load([
      placeholder(-1, 8, 8, 3),
      kernel,
      tfNode("node/convolution", "Relu", ["input"]),
      tfNode("node", "_FusedConv2D", ["node/convolution", "k"], { ...SAME_CONV, fused_ops: attr.strings("Relu") }),
    ]);
    expect(graph.nodes.map(({ name }) => name)).toEqual(["node/convolution", "node/convolution_1", "node"]);
  });

  it("keeps further outputs apart", async () => {
    const graph = await load([
      placeholder(-1, 8, 8, 3),
      tfNode("split", "Split", ["input"]),
      tfNode("sum", "Add", ["split:0", "split:1"]),
    ]);
    expect(nodeNamed(graph, "split").outputs).toEqual(["split", "split:1"]);
    expect(nodeNamed(graph, "sum").inputs).toEqual(["split", "split:1"]);
  });

  it("constants behind Reshape and Transpose are constants in the new order", async () => {
    const graph = await load([
      placeholder(-1, 3),
      tfConst("m", [2, 3], [1, 2, 3, 4, 5, 6]),
      tfInts("order", [2], [1, 0]),
      tfNode("turned", "Transpose", ["m", "order"]),
      tfInts("sides", [2], [3, -1]),
      tfNode("shaped", "Reshape", ["turned", "sides"]),
      tfNode("y", "MatMul", ["input", "shaped"]),
    ]);
    expect(graph.nodes).toHaveLength(1);
    expect(graph.constants.get("shaped")?.shape).toEqual([3, 2]);
    expect(valuesOf(graph, "shaped")).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe("inputs and results", () => {
  it("states the input's shape without the batch, from either attribute, sides that are open undefined", async () => {
    const inputs = async (attributes: Attributes) =>
      (await load([tfNode("input", "Placeholder", [], attributes), tfNode("y", "Relu", ["input"])])).inputs;
    expect(await inputs({ shape: attr.shape(1, -1, 24, 3) })).toEqual([{ name: "input", shape: [undefined, 24, 3] }]);
    expect(await inputs({ _output_shapes: attr.shapes(1, 8, 8, 3) })).toEqual([{ name: "input", shape: [8, 8, 3] }]);
    expect(await inputs({ shape: attr.shape(-1, 256) })).toEqual([{ name: "input", shape: [256] }]);
    expect(await inputs({ shape: attr.shape(8, 8, 3) })).toEqual([{ name: "input", shape: [8, 8, 3] }]);
    expect(await inputs({})).toEqual([{ name: "input" }]);
    expect(await inputs({ shape: [[7, { message: [[3, { int: 1 }]] }]] })).toEqual([{ name: "input" }]);
  });

  it("takes results that are asked for, with or without `:0`", () => {
    const node = (name: string, op: string, ...inputs: string[]): GraphDefNode => ({
      name,
      op,
      inputs,
      attributes: new Map(),
    });
    const nodes = [node("x", "Placeholder"), node("y", "Relu", "x"), node("z", "Relu6", "y")];
    const graph = graphFromGraphDef(nodes, new Map(), { name: "model", outputs: ["y:0"] });
    expect(graph.outputs).toEqual(["y"]);
    expect(graph.nodes.map(({ name }) => name)).toEqual(["y"]);
    const wrong = () => graphFromGraphDef(nodes, new Map(), { name: "model", outputs: ["w"] });
    expect(wrong).toThrow('model: "w", which as a result is read, is made by no node.');
  });

  it("reads a constant that steers many nodes once", () => {
    let reads = 0;
    const read = () => {
      reads++;
      return Float32Array.of(1, 2);
    };
    const nodes: GraphDefNode[] = [
      { name: "x", op: "Placeholder", inputs: [], attributes: new Map() },
      { name: "axes", op: "Const", inputs: [], attributes: new Map() },
      ...Array.from({ length: 50 }, (_, i) => ({
        name: `n${i}`,
        op: "Mean",
        inputs: [i === 0 ? "x" : `n${i - 1}`, "axes"],
        attributes: new Map(),
      })),
    ];
    const constants = new Map([["axes", { name: "axes", shape: [2], read }]]);
    expect(graphFromGraphDef(nodes, constants, { name: "model" }).nodes).toHaveLength(50);
    expect(reads).toBe(1);
  });

  it("takes what depends on no input if nothing does", async () => {
    const graph = await load([tfConst("a", [1], [4]), tfNode("root", "Rsqrt", ["a"])]);
    expect(graph.outputs).toEqual(["root"]);
  });
});

describe("constants", () => {
  /** The values of a constant that a node reads. */
  const values = async (type: number, sides: readonly number[], ...data: Field[]) =>
    valuesOf(
      await load([placeholder(-1, 2), tfConstOf("c", type, sides, ...data), tfNode("y", "Mul", ["input", "c"])]),
      "c",
    );
  const raw = (array: ArrayBufferView): Field => [4, { bytes: new Uint8Array(array.buffer) }];

  it("float, double, half, bfloat16 and whole numbers, as bytes", async () => {
    expect(await values(1, [2], raw(Float32Array.of(1.5, -2)))).toEqual([1.5, -2]);
    expect(await values(2, [2], raw(Float64Array.of(1.5, -2)))).toEqual([1.5, -2]);
    expect(await values(19, [2], raw(encodeFloat16(Float32Array.of(1.5, -2))))).toEqual([1.5, -2]);
    expect(await values(14, [2], raw(Uint16Array.of(0x3fc0, 0xc000)))).toEqual([1.5, -2]);
    expect(await values(3, [2], raw(Int32Array.of(7, -2)))).toEqual([7, -2]);
    expect(await values(9, [2], raw(BigInt64Array.of(7n, -2n)))).toEqual([7, -2]);
    expect(await values(6, [2], raw(Int8Array.of(7, -2)))).toEqual([7, -2]);
    expect(await values(4, [2], raw(Uint8Array.of(7, 254)))).toEqual([7, 254]);
    for (const type of [11, 12, 13]) {
      const bytes = type === 13 ? Int32Array.of(7, 9) : Uint8Array.of(7, 9);
      expect(await values(type, [2], raw(bytes))).toEqual([7, 9]);
    }
  });

  it("the same as lists, each in its own field", async () => {
    expect(await values(1, [2], [5, { floats: [1.5, -2] }])).toEqual([1.5, -2]);
    expect(await values(1, [2], [5, { float: 1.5 }], [5, { float: -2 }])).toEqual([1.5, -2]);
    expect(await values(2, [2], [6, { doubles: [1.5, -2] }])).toEqual([1.5, -2]);
    expect(await values(19, [2], [13, { ints: [0x3e00, 0xc000] }])).toEqual([1.5, -2]);
    expect(await values(14, [2], [13, { ints: [0x3fc0, 0xc000] }])).toEqual([1.5, -2]);
    expect(await values(3, [2], [7, { ints: [7, -2] }])).toEqual([7, -2]);
    expect(await values(9, [2], [10, { ints: [7, -2] }])).toEqual([7, -2]);
    expect(await values(12, [2], [7, { ints: [7, 200] }])).toEqual([7, 200]);
  });

  it("repeats the last number of a list that is too short; none are zeros", async () => {
    expect(await values(1, [2, 2], [5, { float: 0.5 }])).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(await values(3, [4], [7, { ints: [1, 2] }])).toEqual([1, 2, 2, 2]);
    expect(await values(19, [3], [13, { ints: [0x3e00] }])).toEqual([1.5, 1.5, 1.5]);
    expect(await values(1, [2])).toEqual([0, 0]);
  });

  it("refuses a number that stands for more values than maxBytes, before it takes the memory", async () => {
    const splat = (...sides: number[]) => [
      placeholder(-1, 2),
      tfConstOf("c", 1, sides, [5, { float: 1 }]),
      tfNode("y", "Mul", ["input", "c"]),
    ];
    expect((await refusal(splat(1 << 30, 64))).code).toBe("FILE_TOO_LARGE");
    expect((await refusal(splat(2 ** 31, 2 ** 31, 2 ** 31))).code).toBe("FILE_CORRUPT");
    expect((await refusal(splat(0, 2 ** 31, 2 ** 31, 2 ** 31))).code).toBe("FILE_CORRUPT");
    expect((await refusal(splat(-1))).code).toBe("FILE_CORRUPT");
    expect((await refusal(splat(...Array(40).fill(1)))).code).toBe("FILE_CORRUPT");
    // Each within bounds, not all of them together.
    const many = Array.from({ length: 20 }, (_, i) => tfConstOf(`c${i}`, 1, [10_000], [5, { float: 1 }]));
    expect(
      (
        await refusal(
          [
            ...many,
            tfNode(
              "y",
              "AddN",
              many.map((_, i) => `c${i}`),
            ),
          ],
          500_000,
        )
      ).code,
    ).toBe("FILE_TOO_LARGE");
  });

  it("refuses data that does not fit the shape", async () => {
    const wrong = (...data: Field[]) => refusal([tfConstOf("c", 1, [3], ...data), tfNode("y", "Rsqrt", ["c"])]);
    expect((await wrong([4, { bytes: littleEndian([1, 2]) }])).message).toBe(
      'model: tensor "c": expected 12 bytes for F32 [3], found 8. The file is damaged or incomplete; fetch it again. Nothing was loaded.',
    );
    expect((await wrong([5, { floats: [1, 2, 3, 4] }])).message).toContain("expected 3 numbers for F32 [3], found 4");
    expect((await refusal([tfNode("c", "Const", []), tfNode("y", "Rsqrt", ["c"])])).message).toContain(
      "a tensor as its value",
    );
  });

  it("leaves text to the node that holds it", async () => {
    const text = tfConstOf("c", 7, [], [8, { text: "label" }]);
    const graph = await load([placeholder(-1, 2), text, tfNode("y", "Decode", ["input", "c"])]);
    expect(nodeNamed(graph, "c").operation).toEqual({ type: "other", name: "Const" });
  });
});

describe("quantized weights", () => {
  const quantized = (type: number, mode: string | undefined, min: number, max: number) => [
    placeholder(-1, 4),
    tfConstOf("q", type, [4], [4, { bytes: Uint8Array.of(0, 1, 128, 255) }]),
    tfConst("min", [], [min]),
    tfConst("max", [1], [max]),
    tfNode("w", "Dequantize", ["q", "min", "max"], { T: attr.type(type), ...(mode ? { mode: attr.s(mode) } : {}) }),
    tfNode("y", "Mul", ["input", "w"]),
  ];
  const close = (actual: readonly number[], expected: readonly number[]) =>
    expected.forEach((value, i) => {
      expect(actual[i]).toBeCloseTo(value, 6);
    });

  it("MIN_COMBINED: the range from end to end", async () => {
    const graph = await load(quantized(12, undefined, -1, 1.55));
    close(valuesOf(graph, "w"), [-1, -0.99, 0.28, 1.55]);
    expect(graph.nodes.map(({ name }) => name)).toEqual(["y"]);
    expect(graph.quantization?.get("w")).toMatchObject({ dtype: "uint8" });
  });

  it("MIN_FIRST: zero is a step", async () => {
    // scale 0.01; the least value is rounded to 100 steps.
    close(valuesOf(await load(quantized(12, "MIN_FIRST", -1.004, 1.546)), "w"), [-1, -0.99, 0.28, 1.55]);
  });

  it("qint8: counted from -128", async () => {
    close(valuesOf(await load(quantized(11, "MIN_COMBINED", -1, 1.55)), "w"), [0.28, 0.29, -1, 0.27]);
  });

  it("an empty range is its one value; other modes stay other", async () => {
    expect(valuesOf(await load(quantized(12, "MIN_FIRST", 0.5, 0.5)), "w")).toEqual([0.5, 0.5, 0.5, 0.5]);
    const scaled = await load(quantized(12, "SCALED", -1, 1));
    expect(nodeNamed(scaled, "w").operation).toEqual({ type: "other", name: "Dequantize" });
  });

  it("FakeQuantWithMinMaxVars: the same numbers, the range noted", async () => {
    const graph = await graphWith(
      "FakeQuantWithMinMaxVars",
      ["low", "high"],
      {},
      tfConst("low", [], [0]),
      tfConst("high", [], [6]),
    );
    expect(nodeNamed(graph, "node")).toMatchObject({ operation: { type: "identity" }, inputs: ["input"] });
    expect(graph.quantization?.get("node")).toEqual({ dtype: "uint8", scale: [6 / 255], zeroPoint: [0] });
  });
});

describe("refusals", () => {
  const x = placeholder(-1, 8, 8, 3);

  it("channels first", async () => {
    const error = await refusal([
      x,
      kernel,
      tfNode("conv1", "Conv2D", ["input", "k"], { ...SAME_CONV, data_format: attr.s("NCHW") }),
    ]);
    expect(error.code).toBe("ARCHITECTURE_UNKNOWN");
    expect(error.message).toBe(
      'model: data_format of node "conv1" (Conv2D): expected NHWC, channels last, found "NCHW". ' +
        "Freeze the graph with channels last, as TensorFlow runs it on a CPU. Nothing was loaded.",
    );
  });

  it("loops, by name; any other cycle as damage", async () => {
    const loop = await refusal([
      x,
      tfNode("m", "Merge", ["input", "n"]),
      tfNode("n", "NextIteration", ["m"]),
      tfNode("y", "Relu", ["m"]),
    ]);
    expect(loop.code).toBe("ARCHITECTURE_UNKNOWN");
    expect(loop.message).toContain("a network with loops");
    const cycle = await refusal([
      x,
      tfNode("a", "Add", ["input", "b"]),
      tfNode("b", "Relu", ["a"]),
      tfNode("y", "Relu", ["b"]),
    ]);
    expect(cycle.code).toBe("FILE_CORRUPT");
    expect(cycle.message).toContain("reads, through others, its own result");
    expect((await refusal([x, tfNode("a", "Add", ["a", "input"]), tfNode("y", "Relu", ["a"])])).code).toBe(
      "FILE_CORRUPT",
    );
  });

  it.each<readonly [string, string, readonly Field[]]>([
    ["a name twice", 'two nodes are named "y"', [tfNode("y", "Relu", ["input"]), tfNode("y", "Relu", ["input"])]],
    ["a value that nothing makes", '"ghost", which by "y" is read', [tfNode("y", "Add", ["input", "ghost"])]],
    [
      "too few inputs",
      'inputs of node "y" (Conv2D): expected at least 2, found 1',
      [tfNode("y", "Conv2D", ["input"], SAME_CONV)],
    ],
    [
      "strides of another rank",
      "strides of node",
      [kernel, tfNode("y", "Conv2D", ["input", "k"], { ...SAME_CONV, strides: attr.ints(1, 2) })],
    ],
    [
      "strides over the batch",
      "strides of node",
      [kernel, tfNode("y", "Conv2D", ["input", "k"], { ...SAME_CONV, strides: attr.ints(2, 1, 1, 1) })],
    ],
    [
      "strides of 0",
      "strides of node",
      [kernel, tfNode("y", "Conv2D", ["input", "k"], { ...SAME_CONV, strides: attr.ints(1, 0, 1, 1) })],
    ],
    [
      "no padding",
      "padding of node",
      [kernel, tfNode("y", "Conv2D", ["input", "k"], { strides: attr.ints(1, 1, 1, 1) })],
    ],
    [
      "explicit pads of channels",
      "explicit pads that are none",
      [
        kernel,
        tfNode("y", "Conv2D", ["input", "k"], {
          ...SAME_CONV,
          padding: attr.s("EXPLICIT"),
          explicit_paddings: attr.ints(0, 0, 0, 0, 0, 0, 0, 1),
        }),
      ],
    ],
    [
      "fused operations without operands",
      "an operand for each of fused_ops",
      [kernel, tfNode("y", "_FusedConv2D", ["input", "k"], { ...SAME_CONV, fused_ops: attr.strings("BiasAdd") })],
    ],
    [
      "a heap of fused operations",
      "at most 8",
      [
        kernel,
        tfNode("y", "_FusedConv2D", ["input", "k"], {
          ...SAME_CONV,
          fused_ops: attr.strings(...Array(9).fill("Relu")),
        }),
      ],
    ],
  ])("%s", async (_, phrase, fields) => {
    const error = await refusal([x, ...fields]);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toContain(phrase);
  });

  it("a graph without a result", async () => {
    expect((await refusal([x])).message).toContain("a result: a node that no other reads");
  });

  it("endless chains: deep graphs do not run out of stack, nor do constants computed from each other", async () => {
    const deep = Array.from({ length: 20_000 }, (_, i) => tfNode(`n${i}`, "Relu", [i === 0 ? "input" : `n${i - 1}`]));
    const graph = await load([x, ...deep.reverse()], 1e8);
    expect(graph.nodes).toHaveLength(20_000);
    const shaped = Array.from({ length: 1000 }, (_, i) =>
      tfNode(`r${i}`, "Reshape", [i === 0 ? "c" : `r${i - 1}`, "s"]),
    );
    const chain = await load([
      x,
      tfConst("c", [2], [1, 2]),
      tfInts("s", [1], [-1]),
      ...shaped,
      tfNode("y", "Mul", ["input", "r999"]),
    ]);
    for (const constant of chain.constants.values()) constant.read();
    expect(chain.nodes.length).toBeGreaterThan(900);
  });

  it("an aborted signal", async () => {
    const signal = AbortSignal.abort();
    await expect(read(opened(encode(smallGraphDef())), { ...context, signal })).rejects.toBe(signal.reason);
  });
});
