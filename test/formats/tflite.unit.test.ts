/** Small TFLite files written by the tests: operators, quantization, metadata, and everything that can be wrong. */

import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { DepthwiseError, type ErrorCode } from "../../src/core/errors.ts";
import type { GraphOperation, ModelGraph } from "../../src/formats/graph.ts";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { operatorName, tensorTypeName } from "../../src/formats/tflite/names.ts";
import { read } from "../../src/formats/tflite/read.ts";
import {
  bytes,
  concatenate,
  flatbuffer,
  floats,
  integers,
  type ModelSpec,
  type OperatorSpec,
  type Table,
  type TensorSpec,
  tflite,
  withZip,
} from "../writers/tflite.ts";

const CODE = { add: 0, averagePool: 1, conv: 3, depthwise: 4, dequantize: 6, dense: 9, maxPool: 17, mul: 18, relu: 19 };
const MORE = { relu6: 21, reshape: 22, softmax: 25, custom: 32, pad: 34, mean: 40, sub: 41, div: 42, squeeze: 43 };
const NEWER = { expandDims: 70, leakyRelu: 98, quantize: 114, hardSwish: 117, gelu: 150 };
const FUSED = { none: 0, relu: 1, reluN1To1: 2, relu6: 3 };

async function open(file: Uint8Array, maxBytes = 1e6): Promise<ModelFile & { readonly content: ModelGraph }> {
  const sibling = async () => Promise.reject(new Error("no sibling is needed"));
  const model = await read({ name: "net.tflite", bytes: file, sibling }, { maxBytes });
  if (model.content.kind !== "graph") throw new Error("not a graph");
  return { ...model, content: model.content };
}

async function refusal(file: Uint8Array, code: ErrorCode, maxBytes?: number): Promise<string> {
  const error = await open(file, maxBytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DepthwiseError);
  expect((error as DepthwiseError).code).toBe(code);
  return (error as DepthwiseError).message;
}

const convOptions = (fused = FUSED.none, valid = false, more: Table = {}): Table => ({
  0: ["int8", valid ? 1 : 0],
  1: ["int32", 2],
  2: ["int32", 1],
  3: ["int8", fused],
  ...more,
});

const IMAGE: TensorSpec = { name: "image", shape: [1, 4, 4, 3] };
const KERNEL: TensorSpec = { name: "kernel", shape: [2, 1, 1, 3], data: floats(1, 2, 3, 4, 5, 6) };

/** One operator that reads the image and constants. */
function single(operator: Omit<OperatorSpec, "inputs" | "outputs">, ...constants: TensorSpec[]): ModelSpec {
  const tensors = [IMAGE, ...constants, { name: "result", shape: [1, 4, 4, 2] }];
  const inputs = [0, ...constants.map((_, i) => i + 1)];
  return { tensors, operators: [{ ...operator, inputs, outputs: [tensors.length - 1] }] };
}

async function operationOf(spec: ModelSpec): Promise<GraphOperation | undefined> {
  return (await open(tflite(spec))).content.nodes[0]?.operation;
}

describe("operators of TFLite", () => {
  it("become convolutions with stride, dilation and padding, height before width", async () => {
    const dilated = convOptions(FUSED.none, true, { 4: ["int32", 3], 5: ["int32", 2] });
    expect(await operationOf(single({ code: CODE.conv, options: dilated }, KERNEL))).toEqual({
      type: "convolution",
      layout: "OHWI",
      groups: 1,
      strides: [1, 2],
      dilations: [2, 3],
      padding: "valid",
    });
    const depthwise: Table = { 0: ["int8", 0], 1: ["int32", 2], 2: ["int32", 2], 3: ["int32", 1] };
    const kernel = { shape: [1, 1, 1, 3], data: floats(1, 2, 3) };
    expect(await operationOf(single({ code: CODE.depthwise, options: depthwise }, kernel))).toEqual({
      type: "convolution",
      layout: "1HWC",
      groups: 1,
      strides: [2, 2],
      dilations: [1, 1],
      padding: "same",
    });
  });

  it("say by their kernel how many groups a convolution has", async () => {
    const kernel = { shape: [3, 1, 1, 1], data: floats(1, 2, 3) };
    expect(await operationOf(single({ code: CODE.conv, options: convOptions() }, kernel))).toMatchObject({ groups: 3 });
  });

  const pool = (height: number, width: number, stride: number, valid: boolean): Table => ({
    0: ["int8", valid ? 1 : 0],
    1: ["int32", stride],
    2: ["int32", stride],
    3: ["int32", width],
    4: ["int32", height],
  });
  const axes = (...values: number[]): TensorSpec => ({
    shape: [values.length],
    type: "int32",
    data: integers(...values),
  });
  const window = { type: "pool", kernel: [2, 4], strides: [2, 2], padding: "same" };
  const average = { type: "globalPool", kind: "average" };
  const laid = { type: "reshape", form: { kind: "sides", sides: [1, 4, 4, 2] } };
  const pads = (...values: number[]) => ({ shape: [4, 2], type: "int32", data: integers(...values) }) as const;
  const cases: readonly [string, ModelSpec, unknown][] = [
    [
      "a window over all",
      single({ code: CODE.averagePool, options: pool(4, 4, 2, true) }),
      { ...average, keepDims: true },
    ],
    [
      "SAME with a step past the end",
      single({ code: CODE.maxPool, options: pool(4, 4, 4, false) }),
      { type: "globalPool", kind: "max", keepDims: true },
    ],
    [
      "SAME that moves",
      single({ code: CODE.averagePool, options: pool(4, 4, 2, false) }),
      { ...window, kind: "average", kernel: [4, 4] },
    ],
    ["a smaller window", single({ code: CODE.maxPool, options: pool(2, 4, 2, false) }), { ...window, kind: "max" }],
    ["MEAN over the image", single({ code: MORE.mean }, axes(1, 2)), average],
    ["MEAN counted from the end", single({ code: MORE.mean }, axes(-2, -3)), average],
    [
      "MEAN that keeps its sides",
      single({ code: MORE.mean, options: { 0: ["int8", 1] } }, axes(1, 2)),
      { ...average, keepDims: true },
    ],
    ["MEAN over channels", single({ code: MORE.mean }, axes(3)), { type: "other", name: "MEAN" }],
    ["MEAN over one axis twice", single({ code: MORE.mean }, axes(1, 1)), { type: "other", name: "MEAN" }],
    [
      "PAD of the image",
      single({ code: MORE.pad }, pads(0, 0, 1, 2, 3, 4, 0, 0)),
      {
        type: "pad",
        padding: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    ["PAD of channels", single({ code: MORE.pad }, pads(0, 0, 0, 0, 0, 0, 1, 0)), { type: "other", name: "PAD" }],
    [
      "PAD of less than nothing",
      single({ code: MORE.pad }, pads(0, 0, -1, 0, 0, 0, 0, 0)),
      { type: "other", name: "PAD" },
    ],
    [
      "FULLY_CONNECTED",
      single({ code: CODE.dense, options: {} }, KERNEL),
      { type: "dense", transposed: true, flattens: true },
    ],
    [
      "FULLY_CONNECTED that keeps its sides",
      single({ code: CODE.dense, options: { 2: ["int8", 1] } }, KERNEL),
      { type: "dense", transposed: true },
    ],
    [
      "shuffled weights",
      single({ code: CODE.dense, options: { 1: ["int8", 1] } }, KERNEL),
      { type: "other", name: "FULLY_CONNECTED" },
    ],
    ["SOFTMAX", single({ code: MORE.softmax, options: { 0: ["float32", 1] } }), { type: "softmax" }],
    [
      "SOFTMAX with a beta of its own",
      single({ code: MORE.softmax, options: { 0: ["float32", 2] } }),
      { type: "other", name: "SOFTMAX" },
    ],
    ["RESHAPE, by the shape of its result", single({ code: MORE.reshape }, axes(1, 48)), laid],
    ["SQUEEZE", single({ code: MORE.squeeze }), laid],
    ["EXPAND_DIMS", single({ code: NEWER.expandDims }, axes(1)), laid],
    ["QUANTIZE", single({ code: NEWER.quantize }), { type: "identity" }],
    ["DEQUANTIZE", single({ code: CODE.dequantize }), { type: "identity" }],
    ["ADD", single({ code: CODE.add }, KERNEL), { type: "add" }],
    ["SUB", single({ code: MORE.sub }, KERNEL), { type: "subtract" }],
    ["MUL", single({ code: CODE.mul }, KERNEL), { type: "multiply" }],
    ["DIV", single({ code: MORE.div }, KERNEL), { type: "divide" }],
    ["RELU", single({ code: CODE.relu }), { type: "activation", function: "relu" }],
    ["RELU6", single({ code: MORE.relu6 }), { type: "activation", function: "relu6" }],
    [
      "LEAKY_RELU",
      single({ code: NEWER.leakyRelu, options: { 0: ["float32", 0.1] } }),
      { type: "activation", function: "leakyRelu", slope: 0.1 },
    ],
    ["HARD_SWISH", single({ code: NEWER.hardSwish }), { type: "activation", function: "hardSwish" }],
    ["a code above 127", single({ code: NEWER.gelu }), { type: "other", name: "GELU" }],
    ["an unknown code", single({ code: 999 }), { type: "other", name: "operator 999" }],
    ["a custom operator", single({ code: MORE.custom, custom: "__proto__" }), { type: "other", name: "__proto__" }],
    ["a custom operator without a name", single({ code: MORE.custom }), { type: "other", name: "CUSTOM" }],
  ];
  it.each(cases)("%s", async (_, spec, expected) => {
    expect(await operationOf(spec)).toEqual(expected);
  });

  it("keep their official names", () => {
    expect([0, 44, 117, 127, 150, 161, 205].map(operatorName)).toEqual([
      "ADD",
      "UNIDIRECTIONAL_SEQUENCE_LSTM",
      "HARD_SWISH",
      "PLACEHOLDER_FOR_GREATER_OP_CODES",
      "GELU",
      "RIGHT_SHIFT",
      "REDUCE_WINDOW",
    ]);
    expect([17, 99].map(tensorTypeName)).toEqual(["int4", "type 99"]);
  });

  it("are counted in the remarks, custom ones by any name", async () => {
    const { remarks } = await open(tflite(single({ code: MORE.custom, custom: "__proto__" })));
    expect(Object.entries(remarks["operators"] as object)).toEqual([["__proto__", 1]]);
    expect(remarks).toMatchObject({ version: 3, description: "written by a test" });
  });
});

describe("activations of TFLite", () => {
  it("that are fused stand behind their operator", async () => {
    const { content } = await open(tflite(single({ code: CODE.conv, options: convOptions(FUSED.relu6) }, KERNEL)));
    const [conv, activation] = content.nodes;
    expect(conv).toMatchObject({ name: "result", inputs: ["image", "kernel"], outputs: ["result/before activation"] });
    expect(activation).toEqual({
      name: "result/activation",
      operation: {
        type: "activation",
        function: "relu6",
        basis: "stated",
        from: 'attribute fused_activation_function of "result"',
      },
      inputs: ["result/before activation"],
      outputs: ["result"],
    });
    expect(content.outputs).toEqual(["result"]);
  });

  it("that are not read are named", async () => {
    const { content } = await open(tflite(single({ code: CODE.conv, options: convOptions(FUSED.reluN1To1) }, KERNEL)));
    expect(content.nodes[1]?.operation).toEqual({ type: "other", name: "RELU_N1_TO_1" });
  });

  /** A convolution, and behind it another operator that reads it. */
  const ranged = (
    scale: number,
    zeroPoint: number,
    type: "uint8" | "int8",
    next: number,
    fused = FUSED.none,
  ): ModelSpec => ({
    tensors: [
      { ...IMAGE, type, scale: [1 / 128], zeroPoint: [128] },
      { shape: [3, 1, 1, 3], type, data: new Uint8Array(9), scale: [1], zeroPoint: [0] },
      { name: "features", shape: [1, 4, 4, 3], type, scale: [scale], zeroPoint: [zeroPoint] },
      { shape: [3, 1, 1, 3], type, data: new Uint8Array(9), scale: [1], zeroPoint: [0] },
      { name: "logits", shape: [1, 4, 4, 3], type, scale: [6 / 255], zeroPoint: [0] },
      { shape: [1, 4, 4, 3], type },
    ],
    operators: [
      { code: CODE.conv, inputs: [0, 1], outputs: [2], options: convOptions(fused) },
      { code: next, inputs: [2, 3], outputs: [4], options: convOptions() },
      { code: MORE.softmax, inputs: [4], outputs: [5] },
    ],
  });
  const activations = async (spec: ModelSpec) =>
    (await open(tflite(spec))).content.nodes.flatMap(({ operation }) =>
      operation.type === "activation" ? [operation] : [],
    );

  it("are told from the range of bytes, for features but not for logits", async () => {
    const six = {
      type: "activation",
      function: "relu6",
      basis: "inferred",
      from: 'the range 0 to 6 of the output of "features"',
    };
    expect(await activations(ranged(0.023528477, 0, "uint8", CODE.conv))).toEqual([six]);
    expect(await activations(ranged(6 / 255, -128, "int8", CODE.conv))).toEqual([six]);
    const other = { ...six, function: "relu", from: 'the range 0 to 6.375 of the output of "features"' };
    expect(await activations(ranged(0.025, 0, "uint8", CODE.conv))).toEqual([other]);
    // 0.02 above 6 is more than half a step, which is 0.012.
    expect(await activations(ranged(6.02 / 255, 0, "uint8", CODE.conv))).toMatchObject([{ function: "relu" }]);
    expect(await activations(ranged(6.01 / 255, 0, "uint8", CODE.conv))).toMatchObject([{ function: "relu6" }]);
  });

  it("are told from the range of bytes around sums, products and dense layers", async () => {
    const from = (name: string) => ({ function: "relu6", from: `the range 0 to 6 of the output of "${name}"` });
    for (const next of [CODE.add, CODE.mul, CODE.dense])
      expect(await activations(ranged(6 / 255, 0, "uint8", next)), `${next}`).toMatchObject([from("features")]);
    const flat = ranged(6 / 255, 0, "uint8", MORE.reshape);
    const [conv, view] = flat.operators!;
    const head = { code: CODE.dense, inputs: [4, 1], outputs: [5], options: {} };
    expect(await activations({ ...flat, operators: [conv!, view!, head] })).toMatchObject([from("features")]);
    const sum = ranged(6 / 255, 0, "uint8", CODE.conv);
    const [first, second, last] = sum.operators!;
    const behind = (code: number, inputs = [0, 1]): ModelSpec => ({
      ...sum,
      operators: [{ ...first!, code, inputs, options: {} }, second!, last!],
    });
    for (const code of [CODE.add, CODE.mul])
      expect(await activations(behind(code, [0, 0])), `${code}`).toMatchObject([from("features")]);
    expect(await activations(behind(CODE.dense))).toMatchObject([from("features")]);
    // An image that is scaled to 0 to 1 begins at 0 anyway.
    expect(await activations(behind(CODE.mul))).toEqual([]);
  });

  it("are stated where the attribute says so, whatever the range", async () => {
    const [found, ...more] = await activations(ranged(6 / 255, 0, "uint8", CODE.conv, FUSED.relu));
    expect(found).toMatchObject({ function: "relu", basis: "stated" });
    expect(more).toEqual([]);
  });

  it("are not told from a range around 0, of classes, or of what is given back", async () => {
    expect(await activations(ranged(6 / 255, 1, "uint8", CODE.conv))).toEqual([]);
    expect(await activations(ranged(6 / 255, 1, "uint8", CODE.add))).toEqual([]);
    const classes = ranged(6 / 255, 0, "uint8", CODE.conv);
    const softmax = { code: MORE.softmax, inputs: [2], outputs: [4] };
    expect(await activations({ ...classes, operators: [classes.operators![0]!, softmax] })).toEqual([]);
    expect(await activations(ranged(6 / 255, 0, "uint8", MORE.reshape))).toEqual([]);
    expect(await activations({ ...ranged(6 / 255, 0, "uint8", CODE.conv), outputs: [5, 2] })).toEqual([]);
  });
});

describe("constants of TFLite", () => {
  const constant = async (spec: TensorSpec, more: Partial<ModelSpec> = {}): Promise<number[]> => {
    const model = await open(
      tflite({ ...single({ code: CODE.conv, options: convOptions() }, { name: "c", ...spec }), ...more }),
    );
    const found = model.content.constants.get("c");
    expect(found?.shape).toEqual(spec.shape);
    return [...(found?.read() ?? [])];
  };

  it("are float32, float16 and float64", async () => {
    expect(await constant({ shape: [2], data: floats(0.1, -3) })).toEqual([Math.fround(0.1), -3]);
    expect(await constant({ shape: [2], type: "float16", data: bytes(0x00, 0x3c, 0x55, 0xb5) })).toEqual([
      1, -0.333251953125,
    ]);
    const doubles = new Uint8Array(Float64Array.of(0.1, 2).buffer);
    expect(await constant({ shape: [2], type: "float64", data: doubles, scale: [9] })).toEqual([Math.fround(0.1), 2]);
  });

  it("are dequantized by one scale, in float64 and rounded once", async () => {
    const scale = Math.fround(0.0894);
    const real = (q: number, zero: number) => Math.fround(scale * (q - zero));
    const quantized = { scale: [scale], zeroPoint: [204] };
    expect(await constant({ shape: [2], type: "uint8", data: bytes(0, 255), ...quantized })).toEqual([
      real(0, 204),
      real(255, 204),
    ]);
    expect(await constant({ shape: [2], type: "int8", data: bytes(128, 127), scale: [scale] })).toEqual([
      real(-128, 0),
      real(127, 0),
    ]);
    expect(await constant({ shape: [1], type: "int16", data: bytes(0, 128), scale: [scale] })).toEqual([
      real(-32768, 0),
    ]);
    expect(await constant({ shape: [1], type: "int32", data: integers(-123456789), scale: [scale] })).toEqual([
      real(-123456789, 0),
    ]);
  });

  it("are themselves without a scale", async () => {
    expect(await constant({ shape: [2], type: "int32", data: integers(-7, 9) })).toEqual([-7, 9]);
    expect(await constant({ shape: [1], type: "int64", data: new Uint8Array(BigInt64Array.of(-5n).buffer) })).toEqual([
      -5,
    ]);
    expect(await constant({ shape: [1], type: "uint8", data: bytes(200) })).toEqual([200]);
  });

  it("are dequantized along an axis, with a zero point each or one for all", async () => {
    const spec = { shape: [2, 2, 2], type: "int8", data: bytes(1, 2, 3, 4, 5, 6, 7, 8), scale: [1, 10] } as const;
    expect(await constant({ ...spec, axis: 0, zeroPoint: [0, 1] })).toEqual([1, 2, 3, 4, 40, 50, 60, 70]);
    expect(await constant({ ...spec, axis: 1, zeroPoint: [1] })).toEqual([0, 1, 20, 30, 4, 5, 60, 70]);
    expect(await constant({ ...spec, axis: 2 })).toEqual([1, 20, 3, 40, 5, 60, 7, 80]);
  });

  it("of one dimension ignore the dimension their kernel had", async () => {
    const bias = { shape: [2], type: "int32", data: integers(3, 4), scale: [0.5, 2], axis: 3 } as const;
    expect(await constant(bias)).toEqual([1.5, 8]);
  });

  it("are found by offset and size behind the flatbuffer", async () => {
    expect(await constant({ shape: [2], data: floats(5, 6) }, { outside: true })).toEqual([5, 6]);
    const file = tflite({
      ...single({ code: CODE.conv, options: convOptions() }, { shape: [2], data: floats(5, 6) }),
      outside: true,
    });
    expect(await refusal(file.subarray(0, -1), "FILE_TRUNCATED")).toMatch(/a buffer ends at byte \d+, the file at \d+/);
  });

  it("that pass through DEQUANTIZE stay constants behind an identity", async () => {
    const half = {
      name: "half",
      shape: [1, 1, 1, 3],
      type: "float16",
      data: bytes(0, 0x3c, 0, 0x40, 0, 0x42),
    } as const;
    const { content } = await open(
      tflite({
        tensors: [IMAGE, half, { name: "kernel", shape: [1, 1, 1, 3] }, { name: "result", shape: [1, 4, 2, 1] }],
        operators: [
          { code: CODE.dequantize, inputs: [1], outputs: [2] },
          { code: CODE.conv, inputs: [0, 2, -1], outputs: [3], options: convOptions() },
        ],
      }),
    );
    expect(content.nodes.map(({ operation, inputs }) => [operation.type, inputs])).toEqual([
      ["identity", ["half"]],
      ["convolution", ["image", "kernel"]],
    ]);
    expect(content.constants.get("half")?.read()).toEqual(Float32Array.of(1, 2, 3));
  });

  it("of types that are not read are refused by name, only when they are read", async () => {
    const reading = async (spec: Partial<TensorSpec>) => {
      const tensor = { name: "c", shape: [2], data: bytes(0x21), ...spec };
      const { content } = await open(tflite(single({ code: CODE.conv, options: convOptions() }, tensor)));
      return () => content.constants.get("c")?.read();
    };
    expect(await reading({ type: "int4" })).toThrow(
      /constant "c": expected numbers of a type that is read .*found int4/,
    );
    expect(await reading({ type: 99 })).toThrow(/found type 99/);
    expect(await reading({ type: "int8", more: { 6: ["table", {}] } })).toThrow(/found int8, stored sparsely/);
    const own: Table = { 4: ["int8", 1], 5: ["table", {}] };
    expect(await reading({ type: "int8", moreQuantization: own })).toThrow(/found int8, quantized in a way of its own/);
  });

  it("whose scales do not fit are refused when they are read", async () => {
    const spec = { shape: [2, 1], type: "int8", data: bytes(1, 2) } as const;
    await expect(constant({ ...spec, scale: [1, 2, 3] })).rejects.toThrow("3 scales along dimension 0 of [2, 1]");
    await expect(constant({ ...spec, scale: [1, 2], zeroPoint: [0, 0, 0] })).rejects.toThrow(
      "2 scales, but 3 zero points",
    );
    await expect(constant({ ...spec, scale: [1, 2], axis: 7 })).rejects.toThrow("2 scales along dimension 7");
  });

  it("are listed with scale, zero point and axis, and so are computed values", async () => {
    const kernel = {
      name: "k",
      shape: [2, 1, 1, 3],
      type: "int8",
      data: new Uint8Array(6),
      scale: [0.5, 0.25],
    } as const;
    const spec = single({ code: CODE.conv, options: convOptions() }, kernel);
    const tensors = spec.tensors.with(2, {
      name: "result",
      shape: [1, 4, 4, 2],
      type: "int8",
      scale: [0.125],
      zeroPoint: [3],
    });
    const { content } = await open(tflite({ ...spec, tensors }));
    expect([...(content.quantization ?? [])]).toEqual([
      ["k", { dtype: "int8", scale: [0.5, 0.25], zeroPoint: [0, 0], axis: 0 }],
      ["result", { dtype: "int8", scale: [0.125], zeroPoint: [3] }],
    ]);
  });
});

describe("a TFLite graph", () => {
  it("names its input, without the batch and with open sides", async () => {
    const image = { ...IMAGE, more: { 7: ["int32s", [-1, -1, -1, 3]] } } as const;
    const spec = single({ code: CODE.relu });
    const { content } = await open(tflite({ ...spec, tensors: [image, ...spec.tensors.slice(1)] }));
    expect(content.inputs).toEqual([{ name: "image", shape: [undefined, undefined, 3] }]);
    expect((await open(tflite(spec))).content.inputs).toEqual([{ name: "image", shape: [4, 4, 3] }]);
  });

  it("gives every value and node a name of its own", async () => {
    const same = { name: "", shape: [1] };
    const twice = { name: "x;y", shape: [1] };
    const { content } = await open(
      tflite({
        tensors: [same, twice, twice, { name: "x;z", shape: [1] }],
        operators: [1, 2, 3].map((output) => ({ code: CODE.relu, inputs: [output - 1], outputs: [output] })),
      }),
    );
    expect(content.inputs[0]?.name).toBe("tensor 0");
    expect(content.nodes.map(({ name, outputs }) => [name, ...outputs])).toEqual([
      ["x", "x;y"],
      ["x_1", "x;y_1"],
      ["x_2", "x;z"],
    ]);
  });

  it("is the first of several, and says so", async () => {
    const { content, remarks } = await open(tflite({ ...single({ code: CODE.relu }), subgraphs: 3 }));
    expect(content.nodes.length).toBe(1);
    expect(remarks["subgraphs"]).toBe("3, of which the first is read");
    expect((await open(tflite(single({ code: CODE.relu })))).remarks).not.toHaveProperty("subgraphs");
  });

  it("lets an operator keep state in a variable", async () => {
    const state = { shape: [1], more: { 5: ["int8", 1] } } as const;
    const { content } = await open(
      tflite({
        tensors: [IMAGE, state, { shape: [1] }],
        operators: [{ code: 44, inputs: [0, -1, 1, -1], outputs: [2] }],
      }),
    );
    expect(content.nodes[0]?.inputs).toEqual(["image", "", "t1"]);
  });
});

describe("a TFLite file that is wrong", () => {
  const good = single({ code: CODE.conv, options: convOptions() }, KERNEL);
  const operator = (change: Partial<OperatorSpec>): ModelSpec => ({
    ...good,
    operators: good.operators.map((one) => ({ ...one, ...change })),
  });
  const corrupt: readonly [string, ModelSpec, string][] = [
    ["refers to a tensor it has not", operator({ inputs: [0, 9] }), "it has 3 tensors, but refers to 9"],
    ["writes to no tensor", operator({ outputs: [-1] }), "it has 3 tensors, but refers to -1"],
    ["reads what comes later", operator({ inputs: [2, 1] }), '"result" reads "result", which is not there yet'],
    ["writes over a constant", operator({ outputs: [1] }), '"kernel" gives "kernel", which is there already'],
    ["writes twice", operator({ outputs: [2, 2] }), '"result" gives "result", which is there already'],
    ["takes a constant for its input", { ...good, inputs: [0, 1] }, "its input 1 is a constant"],
    ["names an input twice", { ...good, inputs: [0, 0] }, "one of its inputs is named twice"],
    ["strides by nothing", operator({ options: { 1: ["int32", 0], 2: ["int32", 1] } }), '"result": a stride of 1 × 0'],
    ["has no window", operator({ code: CODE.maxPool, options: {} }), "a window of 0 × 0"],
    ["has no subgraph", { ...good, subgraphs: 0 }, "it holds no network"],
    ["has no operator of a code", { ...good, more: { 1: ["tables", []] } }, "it has 0 operators, but uses 0"],
    ["lacks a buffer", { ...good, more: { 4: ["tables", []] } }, "it has 0 buffers, but refers to 1"],
  ];
  it.each(corrupt)("%s", async (_, spec, message) => {
    expect(await refusal(tflite(spec), "FILE_CORRUPT")).toContain(message);
  });

  it("has a shape that its bytes do not fill", async () => {
    const short = single({ code: CODE.conv, options: convOptions() }, { ...KERNEL, shape: [2, 1, 1, 4] });
    expect(await refusal(tflite(short), "FILE_CORRUPT")).toContain(
      "float32 [2, 1, 1, 4] takes 32 bytes, but it has 24",
    );
    const negative = single({ code: CODE.conv, options: convOptions() }, { ...KERNEL, shape: [-2, -3] });
    expect(await refusal(tflite(negative), "FILE_CORRUPT")).toContain("a side below 0 in [-2, -3]");
  });

  it("takes more memory than it may", async () => {
    expect(await refusal(tflite(good), "FILE_TOO_LARGE", 23)).toContain("expected at most 23 bytes, found 24");
    expect((await open(tflite(good), 24)).content.nodes.length).toBe(1);
  });

  it("is no TFLite, or ends too early", async () => {
    expect(await refusal(bytes(1, 2, 3), "FILE_TRUNCATED")).toContain("its header ends at byte 8, the file at 3");
    const other = tflite(good);
    other[7] = 0x32;
    expect(await refusal(other, "FILE_CORRUPT")).toContain('its identifier is "TFL2", not "TFL3"');
    expect(await refusal(tflite(good).subarray(0, 60), "FILE_TRUNCATED")).toContain("Nothing was loaded");
  });

  it("has tables that cannot be", async () => {
    const root = (change: (view: DataView, at: number, layout: number) => void) => {
      const file = tflite(good);
      const view = new DataView(file.buffer);
      const at = view.getUint32(0, true);
      change(view, at, at - view.getInt32(at, true));
      return file;
    };
    const selfReferring = root((view) => view.setUint32(0, 0, true));
    expect(await refusal(selfReferring, "FILE_CORRUPT")).toContain("the root table refers to itself");
    const before = root((view, at) => view.setInt32(at, at + 4, true));
    expect(await refusal(before, "FILE_CORRUPT")).toContain("the layout of a table begins before the file");
    const odd = root((view, _, layout) => view.setUint16(layout, 7, true));
    expect(await refusal(odd, "FILE_CORRUPT")).toContain("the layout of a table is broken");
    const outside = root((view, _, layout) => view.setUint16(layout + 8, 4000, true));
    expect(await refusal(outside, "FILE_CORRUPT")).toContain("a field lies outside of its table");
  });

  it("has itself read over and over", async () => {
    // Offsets of 397 tensors that all lead to one, whose name is long: few bytes that stand for many.
    const tensors = Array.from({ length: 397 }, (_, i) => ({ name: i === 0 ? "n".repeat(20_000) : "t", shape: [1] }));
    const file = tflite({ tensors, operators: [], inputs: [], outputs: [] });
    expect((await open(file)).content.nodes).toEqual([]);
    const view = new DataView(file.buffer);
    const at = file.findIndex((_, i) => i % 4 === 0 && view.getUint32(i, true) === tensors.length);
    const first = at + 4 + view.getUint32(at + 4, true);
    for (let i = 0; i < tensors.length; i++) view.setUint32(at + 4 + 4 * i, first - (at + 4 + 4 * i), true);
    expect(await refusal(file, "FILE_CORRUPT")).toContain("its tables refer to the same bytes over and over");
  });
});

describe("metadata of a TFLite file", () => {
  const labelFile = (name: string, type = 2, locale?: string): Table => ({
    0: ["text", name],
    2: ["int8", type],
    ...(locale === undefined ? {} : { 3: ["text", locale] as const }),
  });
  const metadata = (input: Table, output: Table): Uint8Array =>
    flatbuffer(
      {
        0: ["text", "Net"],
        3: ["tables", [{ 2: ["tables", [input]], 3: ["tables", [output]] }]],
        4: ["text", "A. Author"],
        5: ["text", "Apache-2.0"],
      },
      "M001",
    );
  const normalization = (mean: number[], deviation: number[], type = 1): Table => ({
    4: ["tables", [{ 0: ["int8", type], 1: ["table", { 0: ["float32s", mean], 1: ["float32s", deviation] }] }]],
  });
  const network = (input: Table, output: Table, image: TensorSpec = IMAGE): Uint8Array => {
    const spec = single({ code: CODE.relu });
    const tensors = [image, { name: "result", shape: [1, 3] }];
    const min = new TextEncoder().encode("1.5.0\0\0\0");
    return tflite({
      ...spec,
      tensors,
      metadata: { TFLITE_METADATA: metadata(input, output), min_runtime_version: min },
    });
  };
  const preprocessing = async (file: Uint8Array) => (await open(file)).facts.preprocessing;

  it("is kept in the remarks", async () => {
    expect((await open(network({}, {}))).remarks).toMatchObject({
      minRuntimeVersion: "1.5.0",
      metadata: { name: "Net", author: "A. Author", license: "Apache-2.0" },
    });
  });

  it("gives the range of the pixels", async () => {
    expect(await preprocessing(network(normalization([127.5], [127.5]), {}))).toEqual({
      value: { range: [-1, 1] },
      basis: "stated",
      from: "NormalizationOptions of the metadata (mean 127.5, deviation 127.5)",
    });
    expect((await preprocessing(network(normalization([0, 0, 0], [255]), {})))?.value).toEqual({ range: [0, 1] });
  });

  it("gives mean and deviation of each channel", async () => {
    const imagenet = normalization([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);
    expect((await preprocessing(network(imagenet, {})))?.value).toEqual({
      mean: [0.485, 0.456, 0.406],
      deviation: [0.229, 0.224, 0.225],
    });
  });

  it("gives nothing if it is not about pixels or makes no sense", async () => {
    expect(await preprocessing(network(normalization([127.5], [127.5], 2), {}))).toBeUndefined();
    expect(await preprocessing(network(normalization([0], [0]), {}))).toBeUndefined();
    expect(await preprocessing(network(normalization([0, 0], [1, 2]), {}))).toBeUndefined();
    expect(await preprocessing(network(normalization([], []), {}))).toBeUndefined();
    expect(await preprocessing(network(normalization([0], [1]), {}, { name: "image", shape: [1, 9] }))).toBeUndefined();
    expect(await preprocessing(network({}, {}))).toBeUndefined();
  });

  it("is not asked where bytes come in with a scale", async () => {
    const image = { ...IMAGE, type: "uint8", scale: [1 / 128], zeroPoint: [128] } as const;
    expect(await preprocessing(network(normalization([0], [255]), {}, image))).toEqual({
      value: { range: [-1, 0.9921875] },
      basis: "stated",
      from: 'scale 0.0078125 and zero point 128 of the input "image"',
    });
    const signed = { ...IMAGE, type: "int8", scale: [1 / 255], zeroPoint: [-128] } as const;
    expect((await preprocessing(network({}, {}, signed)))?.value).toEqual({ range: [0, 1] });
    const wide = { ...IMAGE, type: "int16", scale: [1 / 255], zeroPoint: [0] } as const;
    expect(await preprocessing(network({}, {}, wide))).toBeUndefined();
  });

  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const named = (...files: Table[]): Table => ({ 6: ["tables", files] });

  it("names the labels in the zip on the end", async () => {
    const output = named(labelFile("de.txt", 2, "de"), labelFile("en.txt"), labelFile("scores.txt", 4));
    const zip = {
      "de.txt": text("Grund\nKatze\nHund"),
      "en.txt": text("background\r\ncat\r\ndog\r\n"),
      "scores.txt": text(""),
    };
    const { facts, remarks } = await open(withZip(network({}, output), zip));
    expect(facts.labels).toEqual({
      value: ["background", "cat", "dog"],
      basis: "stated",
      from: "en.txt inside the file",
    });
    expect(facts.background).toEqual({ value: true, basis: "inferred", from: "the first label in en.txt" });
    expect(remarks).not.toHaveProperty("labels");
  });

  it("may leave the labels to a single text file", async () => {
    const zip = { "labels.txt": text("cat\ndog\nowl\n"), "icon.png": bytes(1) };
    const { facts } = await open(
      withZip(tflite({ ...single({ code: CODE.relu }), tensors: [IMAGE, { shape: [1, 3] }] }), zip),
    );
    expect(facts.labels?.value).toEqual(["cat", "dog", "owl"]);
    expect(facts).not.toHaveProperty("background");
  });

  it("finds them in an archive that was merely appended, and counts from its own first byte", async () => {
    const file = network({}, named(labelFile("labels.txt")));
    const { facts } = await open(new Uint8Array([...file, ...zipSync({ "labels.txt": text("cat\ndog\nowl\n") })]));
    expect(facts.labels?.value).toEqual(["cat", "dog", "owl"]);
  });

  it("says why labels are not used", async () => {
    const remark = async (file: Uint8Array) => {
      const { facts, remarks } = await open(file);
      expect(facts).not.toHaveProperty("labels");
      return remarks["labels"];
    };
    const output = named(labelFile("labels.txt"));
    const tooFew = withZip(network({}, output), { "labels.txt": text("cat\ndog\n") });
    expect(await remark(tooFew)).toBe("labels.txt has 2 lines, not one for each of the 3 outputs");
    expect(await remark(network({}, output))).toBe("labels.txt, which should be inside the file, is not");
    const two = withZip(network({}, {}), { "a.txt": text("1\n2\n3"), "b.txt": text("1\n2\n3") });
    expect(await remark(two)).toBe("which of a.txt, b.txt are labels is not said");
    expect(await remark(withZip(network({}, {}), { "icon.png": bytes(1) }))).toBeUndefined();
  });

  it("of an unknown version is left alone, a broken one is not", async () => {
    const spec = single({ code: CODE.relu });
    const unknown = tflite({ ...spec, metadata: { TFLITE_METADATA: text("\0\0\0\0M999") } });
    expect((await open(unknown)).remarks).not.toHaveProperty("metadata");
    const broken = tflite({ ...spec, metadata: { TFLITE_METADATA: concatenate([integers(99), text("M001")]) } });
    expect(await refusal(broken, "FILE_TRUNCATED")).toContain("net.tflite: its metadata: a table ends at byte 103");
  });

  it("leaves bytes that only look like the end of a zip", async () => {
    const file = concatenate([tflite(single({ code: CODE.relu })), text("PK\u0005\u0006"), new Uint8Array(18)]);
    expect((await open(file)).facts).toEqual({});
  });

  it("refuses a zip that claims more than it may", async () => {
    const file = withZip(network({}, {}), { "labels.txt": new Uint8Array(2_000_000) });
    expect(await refusal(file, "FILE_TOO_LARGE")).toContain("what the zip archive claims to unpack to");
  });
});
