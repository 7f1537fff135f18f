/** @slow: it takes 2 seconds. */

/** Operators of every graph format with any number of inputs or outputs, weights that are computed, and cycles. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { compile } from "../../src/session/compile.ts";
import { loadModel } from "../../src/weights/index.ts";
import { placeholder, SAME_CONV, attr as tfAttr, tfConst, tfNode } from "../writers/graph-def.ts";
import { floats, onnxModel, onnxNode } from "../writers/onnx.ts";
import { encode, type Field } from "../writers/protobuf.ts";
import { type Table, tflite } from "../writers/tflite.ts";

async function refusal(bytes: Uint8Array): Promise<{ readonly code: string; readonly message: string }> {
  const error: unknown = await loadModel(bytes).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(isDepthwiseError(error), String(error)).toBe(true);
  return error as { readonly code: string; readonly message: string };
}

/** Loaded as a network that runs, or refused. */
async function answer(bytes: Uint8Array): Promise<string> {
  try {
    const model = await loadModel(bytes);
    const session = await compile(model, { backend: "reference" });
    await session.run(new Float32Array(model.inputShape.reduce((a, b) => a * b, 1)));
    session.close();
    return "FINE";
  } catch (error) {
    expect(isDepthwiseError(error), String(error)).toBe(true);
    return (error as { readonly code: string }).code;
  }
}

/** Values that are not finite come of a division by a constant of zeros. */
const ANSWERED = /^(?:FINE|FILE_CORRUPT|ARCHITECTURE_UNKNOWN|SHAPE_MISMATCH|VALUES_NOT_FINITE)$/;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("TFLite", () => {
  const CODES = {
    ...{ ADD: 0, AVERAGE_POOL_2D: 1, CONV_2D: 3, DEPTHWISE_CONV_2D: 4, DEQUANTIZE: 6, FULLY_CONNECTED: 9 },
    ...{ MAX_POOL_2D: 17, MUL: 18, RELU: 19, RELU6: 21, RESHAPE: 22, SOFTMAX: 25, PAD: 34, MEAN: 40, SUB: 41, DIV: 42 },
    ...{ SQUEEZE: 43, EXPAND_DIMS: 70, LEAKY_RELU: 98, QUANTIZE: 114, other: 45 },
  };
  const image = { name: "x", shape: [1, 8, 8, 3] };
  const values = (name: string) => ({ ...image, name });
  const constant = { name: "c", shape: [3], data: new Uint8Array(12) };
  const kernel = { name: "w", shape: [3, 1, 1, 3], data: new Uint8Array(36) };
  const stride: Table = { 1: ["int32", 1], 2: ["int32", 1] };
  /** The operator reads the result of a convolution as 0. */
  const file = (code: number, inputs: readonly number[], outputs: readonly number[]) =>
    tflite({
      tensors: [values("h"), constant, values("y"), values("z"), image, kernel],
      inputs: [4],
      operators: [
        { code: CODES.CONV_2D, inputs: [4, 5], outputs: [0], options: stride },
        { code, inputs, outputs, options: { ...stride, 3: ["int32", 1], 4: ["int32", 1] } },
      ],
      outputs: outputs.slice(0, 1),
    });
  const cases = Object.entries(CODES).flatMap(([name, code]) =>
    [
      ...[[], [-1], [0], [1], [0, -1], [-1, 0], [0, 0], [1, 0], [0, 1], [0, 1, 1], [1, 1, 0], [0, 1, -1, 1], [1, 5, 0]],
      numbers(50).map(() => 0),
    ].flatMap((inputs) =>
      [[], [2], [2, 3]].map((outputs): [string, Uint8Array] => [
        `${name} of [${inputs}] giving [${outputs}]`,
        file(code, inputs, outputs),
      ]),
    ),
  );

  it("runs or is refused by a code for each operator, with any inputs and outputs", async () => {
    for (const [what, bytes] of cases) expect(await answer(bytes), what).toMatch(ANSWERED);
  });

  it.each(["ADD", "MUL", "SUB", "DIV"] as const)("%s of one input, or of three, is corrupt", async (name) => {
    for (const inputs of [[0], [0, -1], [0, 1, 1]]) {
      expect(await refusal(file(CODES[name], inputs, [2]))).toMatchObject({ code: "FILE_CORRUPT" });
    }
  });
});

describe("ONNX", () => {
  const OPERATORS =
    "Identity Dropout Cast Conv BatchNormalization Relu Clip LeakyRelu Gemm MatMul Add Sub Mul Div Sum Pad GlobalAveragePool GlobalMaxPool AveragePool MaxPool ReduceMean ReduceMax Flatten Reshape Squeeze Unsqueeze Transpose Softmax QuantizeLinear DequantizeLinear Other";
  const initializers = [floats("c", [3], [1, 1, 1]), floats("w", [3, 3, 1, 1], numbers(9))];
  const file = (nodes: readonly Field[], outputs: readonly string[] = ["y"]) =>
    onnxModel({ nodes, initializers, inputs: { x: [1, 3, 8, 8] }, outputs });
  const INPUTS = [
    [],
    [""],
    ["x"],
    ["c"],
    ["x", ""],
    ["", "x"],
    ["x", "x"],
    ["c", "x"],
    ["x", "c"],
    ["c", "w", "x"],
    ["x", "w", "x"],
    ["c", "x", "c", "c", "c"],
    ["x", "c", "c", "c", "c", "c"],
  ];

  it.each(OPERATORS.split(" "))("%s runs or is refused by a code, with any inputs and outputs", async (op) => {
    for (const inputs of [...INPUTS, numbers(50).map(() => "x")]) {
      for (const outputs of [["y"], ["", "y"], ["z", "y"]]) {
        const what = `[${inputs}] giving [${outputs}]`;
        expect(await answer(file([onnxNode(op, inputs, outputs)])), what).toMatch(ANSWERED);
        const behind = inputs.map((input) => (input === "x" ? "h" : input));
        const nodes = [onnxNode("Conv", ["x", "w"], ["h"]), onnxNode(op, behind, outputs)];
        expect(await answer(file(nodes)), `${what} behind a convolution`).toMatch(ANSWERED);
      }
    }
  });

  it("whose weights are computed from the input says so", async () => {
    const computed = onnxNode("Relu", ["x"], ["b"]);
    const { message } = await refusal(file([computed, onnxNode("Conv", ["c", "w", "b"], ["y"])]));
    expect(message).toContain('a weight of "y" is computed from the input');
  });

  it("whose second result goes on says so", async () => {
    const nodes = [onnxNode("Dropout", ["x"], ["kept", "mask"]), onnxNode("Relu", ["mask"], ["y"])];
    expect((await refusal(file(nodes))).message).toContain('"mask" is not the first result of "kept"');
  });

  it("that reads itself, or what reads it, is corrupt", async () => {
    const circle = [onnxNode("Relu", ["b"], ["y"]), onnxNode("Relu", ["y"], ["b"])];
    for (const nodes of [[onnxNode("Add", ["x", "y"], ["y"])], circle]) {
      expect(await refusal(file(nodes))).toMatchObject({ code: "FILE_CORRUPT" });
    }
  });
});

describe("GraphDef", () => {
  const OPERATORS =
    "Identity Cast FakeQuantWithMinMaxVars Conv2D _FusedConv2D DepthwiseConv2dNative MatMul _FusedMatMul BiasAdd BiasAddV1 Add AddV2 AddN Sub Mul RealDiv Div Rsqrt FusedBatchNormV3 Relu Relu6 LeakyRelu Pad PadV2 AvgPool MaxPool Mean Max Reshape Squeeze ExpandDims Transpose Softmax Dequantize Other";
  const attributes = { ...SAME_CONV, ksize: tfAttr.ints(1, 2, 2, 1), is_training: tfAttr.b(false) };
  const file = (...nodes: Field[]) =>
    encode([placeholder(1, 8, 8, 3), tfConst("c", [3], [1, 1, 1]), tfConst("w", [1, 1, 3, 3], numbers(9)), ...nodes]);
  const INPUTS = [
    [],
    ["input"],
    ["c"],
    ["input", "input"],
    ["c", "input"],
    ["input", "c"],
    ["c", "w", "input"],
    ["input:1", "c"],
    ["c", "input", "c", "c", "c"],
    ["input", "c", "c", "c", "c", "c"],
    ["^input"],
  ];

  it.each(OPERATORS.split(" "))("%s runs or is refused by a code, with any inputs", async (op) => {
    for (const inputs of [...INPUTS, numbers(50).map(() => "input")]) {
      for (const end of ["y", "y:1"]) {
        const nodes = [tfNode("y", op, inputs, attributes), tfNode("end", "Relu", [end])];
        expect(await answer(file(...nodes)), `[${inputs}] and ${end}`).toMatch(ANSWERED);
        const behind = inputs.map((input) => input.replace(/^input/, "h"));
        const convolution = tfNode("h", "Conv2D", ["input", "w"], SAME_CONV);
        const after = [convolution, tfNode("y", op, behind, attributes), tfNode("end", "Relu", [end])];
        expect(await answer(file(...after)), `[${behind}] behind a convolution`).toMatch(ANSWERED);
      }
    }
  });

  it("that reads itself, or what reads it, is corrupt", async () => {
    const circle = [tfNode("a", "Relu", ["b"]), tfNode("b", "Relu", ["a"]), tfNode("y", "Relu", ["a"])];
    for (const nodes of [[tfNode("y", "Add", ["input", "y"])], circle]) {
      expect(await refusal(file(...nodes))).toMatchObject({ code: "FILE_CORRUPT" });
    }
  });
});

describe("Keras", () => {
  const CLASSES =
    "Conv2D DepthwiseConv2D Dense BatchNormalization Activation ReLU LeakyReLU Softmax ZeroPadding2D GlobalAveragePooling2D MaxPooling2D Reshape Flatten Permute Rescaling Normalization Dropout Add Multiply Subtract TrueDivide Other Functional Sequential";
  const file = (className: string, inbound: unknown) => {
    const layers = [
      {
        class_name: "InputLayer",
        name: "x",
        config: { name: "x", batch_input_shape: [null, 8, 8, 3] },
        inbound_nodes: [],
      },
      { class_name: className, name: "y", config: { name: "y" }, inbound_nodes: inbound },
    ];
    const config = { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: [["y", 0, 0]] };
    const json = { modelTopology: { class_name: "Functional", config }, weightsManifest: [{ paths: [], weights: [] }] };
    return new TextEncoder().encode(JSON.stringify(json));
  };
  const x = ["x", 0, 0, {}];
  const INBOUND = [
    [],
    [[]],
    [[x]],
    [[x, x]],
    [[x, x, x]],
    [[["y", 0, 0, {}]]],
    [[["x", 1, 0, {}]]],
    [[["x", 0, 1, {}]]],
    [[["z", 0, 0, {}]]],
    [[x, 5]],
    [[[]]],
    5,
    [numbers(50).map(() => x)],
  ];

  it.each(CLASSES.split(" "))("%s runs or is refused by a code, with any inputs", async (className) => {
    for (const inbound of INBOUND) {
      expect(await answer(file(className, inbound)), JSON.stringify(inbound)).toMatch(ANSWERED);
    }
  });
});
