/** @slow: it takes more than a second. */

/** Graphs made by hand as networks of their own: what becomes of each operation, and what is refused by its name. */

import { describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import type { GraphOperation, ModelGraph, Pair, ReshapeForm } from "../../src/formats/graph.ts";
import { network, withParameters } from "../../src/layers/network.ts";
import { compile } from "../../src/session/compile.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { translateGraph } from "../../src/understand/graph/translate.ts";
import { plainView, reshapedView, type View } from "../../src/understand/graph/views.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { GraphBuilder } from "../fixtures/graphs.ts";
import { bytesOf } from "../fixtures/sample-networks.ts";
import { interpret } from "../fixtures/tfjs-interpreter.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";
import { placeholder, tfConst, tfNode } from "../writers/graph-def.ts";
import { attr, floats, int64s, onnxModel, onnxNode } from "../writers/onnx.ts";
import { encode } from "../writers/protobuf.ts";
import { tflite } from "../writers/tflite.ts";

const refused = (reason: string) => new Error(reason);
const translated = (graph: ModelGraph, budget = decodedBudget(2 ** 30)) =>
  translateGraph(graph, (bytes, what) => budget.charge("test", bytes, what), refused);

function modelOf(graph: ModelGraph) {
  const { inputShape, layers, outputs, parameters } = translated(graph);
  return withParameters(network({ inputShape, layers, outputs }), parameters);
}

/** The network gives what TensorFlow.js computes of the graph, operation by operation. */
async function expectSame(graph: ModelGraph): Promise<ReturnType<typeof modelOf>> {
  const model = modelOf(graph);
  const session = await compile(model, { backend: "reference" });
  const { data } = recipe(model.inputShape, 3, -1, 1);
  const results = await session.run(data);
  session.close();
  const expected = await interpret(graph, data, [1, ...model.inputShape]);
  for (const [i, values] of expected.entries()) {
    const name = expected.length === 1 ? "output" : Object.keys(model.outputs)[i]!;
    const found = (results as unknown as Record<string, { data: Float32Array }>)[name]!.data;
    expect(largestDifference(found, values), name).toBeLessThan(1e-5);
  }
  return model;
}

const conv = (more: Partial<Extract<GraphOperation, { type: "convolution" }>> = {}): GraphOperation => {
  const one: Pair = [1, 1];
  return { type: "convolution", layout: "HWIO", strides: one, dilations: one, padding: "same", groups: 1, ...more };
};
const relu: GraphOperation = { type: "activation", function: "relu" };
const image = [6, 5, 3];
const types = ({ layers }: { readonly layers: readonly { readonly type: string }[] }) => layers.map(({ type }) => type);
const refuse = (graph: ModelGraph) => () => translated(graph);

describe("a graph as a network of its own", () => {
  it("joins branches, with the smaller one broadcast", async () => {
    const g = new GraphBuilder();
    g.node("a", conv(), g.constant("w", [3, 3, 3, 4]));
    const a = g.value;
    g.node("pool", { type: "globalPool", kind: "average", keepDims: true });
    g.node("fc", conv(), g.constant("fc/w", [1, 1, 4, 4]), g.constant("fc/b", [4]));
    g.node("gate", { type: "activation", function: "hardSigmoid" });
    g.value = g.aside("scaled", { type: "multiply" }, "gate", a);
    g.value = g.aside("sum", { type: "add" }, "scaled", a);
    expect(types(await expectSame(g.graph(image)))).toEqual(
      "conv2d globalAveragePool pointwiseConv2d activation multiply add".split(" "),
    );
  });

  it("keeps batch norm in every spelling: behind a kernel, in front of one, and of pooled features", async () => {
    const g = new GraphBuilder();
    const norm = (name: string, count: number) =>
      g.node(
        name,
        { type: "batchNorm", epsilon: 1e-3 },
        ...["gamma", "beta", "mean"].map((part) => g.constant(`${name}/${part}`, [count])),
        g.constant(`${name}/variance`, [count], 0.5, 1.5),
      );
    norm("first", 3)
      .node("act", relu)
      .node("a", conv(), g.constant("w", [3, 3, 3, 4]));
    norm("behind", 4)
      .node("scaled", { type: "multiply" }, g.constant("scale", [4]))
      .node("shifted", { type: "subtract" }, g.scalar("shift", 0.5));
    g.node("pool", { type: "globalPool", kind: "max" });
    norm("last", 4).node("divided", { type: "divide" }, g.scalar("two", 2));
    const model = await expectSame(g.graph(image));
    expect(model.layers.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      "first: batchNorm",
      "act: activation",
      "a: conv2d",
      "behind: batchNorm",
      "pool: globalMaxPool",
      "last: batchNorm",
    ]);
  });

  it("makes one layer of arithmetic in a row, none of arithmetic that changes nothing", async () => {
    const g = new GraphBuilder();
    g.node("one", { type: "multiply" }, g.scalar("1", 1)).node("nothing", { type: "add" }, g.scalar("0", 0));
    g.node("act", relu).node("twice", { type: "multiply" }, g.scalar("2", 2));
    g.value = g.aside("from", { type: "subtract" }, g.constant("c", [3]), "twice");
    const model = await expectSame(g.graph(image));
    expect(types(model)).toEqual(["activation", "batchNorm"]);
    expect([...model.parameters.get("twice/gamma")!.data]).toEqual([-2, -2, -2]);
  });

  it("reads batch norm without an epsilon as what it multiplies and adds", async () => {
    const g = new GraphBuilder();
    const parts = ["gamma", "beta", "mean"].map((part) => g.constant(part, [3]));
    g.node("n", { type: "batchNorm", epsilon: 0 }, ...parts, g.constant("variance", [3], 0.5, 1.5));
    await expectSame(g.graph(image));
  });

  it("makes one scale and shift of arithmetic and a batch norm behind it, whose gamma may be left out", async () => {
    const g = new GraphBuilder();
    g.node("scaled", { type: "multiply" }, g.constant("scale", [3]));
    g.node("shifted", { type: "add" }, g.constant("shift", [3]));
    const parts = [g.constant("mean", [3]), g.constant("variance", [3], 0.5, 1.5)];
    g.node("n", { type: "batchNorm", epsilon: 1e-3 }, "", "", ...parts).node("act", relu);
    g.node("m", { type: "batchNorm", epsilon: 1e-3 }, "", g.constant("beta", [3]), ...parts);
    expect(types(await expectSame(g.graph(image)))).toEqual(["batchNorm", "activation", "batchNorm"]);
  });

  it("lays zeros with the window that reads them, or by a layer for all who cannot", async () => {
    const g = new GraphBuilder();
    const padding = [
      [1, 2],
      [0, 1],
    ] as const;
    g.node("pad", { type: "pad", padding });
    const pad = g.value;
    g.node("a", conv({ padding: "valid" }), g.constant("w", [3, 3, 3, 2]));
    g.value = pad;
    g.node("b", conv(), g.constant("v", [3, 3, 3, 2]));
    g.value = pad;
    const window = { kernel: [2, 2], strides: [1, 1], padding: "valid" } as const;
    g.node("c", { type: "pool", kind: "max", ...window });
    const model = await expectSame({ ...g.graph(image), outputs: ["a", "b", "c"] });
    expect(types(model)).toEqual(["conv2d", "depthwiseConv2d", "conv2d", "maxPool"]);
    expect(model.layers[0]!.attributes).toMatchObject({ padding });
    expect(model.outputs).toEqual({ a: "a", b: "b", c: "c" });
  });

  it("gives its layers names that are valid and unlike, and its results those of the file", async () => {
    const g = new GraphBuilder();
    const names = ["x/y", "x_y", "input/", "__proto__", `long ${"name ".repeat(100)}`, "taps", "a\u001bb"];
    for (const name of names) g.node(name, relu);
    const { layers, outputs } = modelOf({ ...g.graph(image), outputs: names });
    expect(layers.map(({ name }) => name).slice(0, 4)).toEqual(["x_y", "x_y_1", "input_", "proto__"]);
    expect(new Set(layers.map(({ name }) => name)).size).toBe(names.length);
    for (const { name } of layers) expect(name).toMatch(/^[A-Za-z0-9][-A-Za-z0-9._]{0,124}$/);
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(["x_y", "x_y_1", "taps_1"]));
  });

  it("gives logits, probabilities and an embedding where its last layers are such", () => {
    const g = new GraphBuilder();
    g.node("pool", { type: "globalPool", kind: "average", keepDims: true });
    g.node("flat", { type: "reshape", form: { kind: "flatten" } });
    g.node("fc", { type: "dense", transposed: false }, g.constant("w", [3, 5]), g.constant("b", [5]));
    expect(modelOf(g.graph(image)).outputs).toEqual({
      output: "fc",
      logits: "fc",
      embedding: "pool_flatten",
    });
    g.node("soft", { type: "softmax" });
    expect(modelOf(g.graph(image)).outputs).toMatchObject({ output: "soft", logits: "fc", probabilities: "soft" });
    expect(modelOf({ ...g.graph(image), outputs: ["pool"] }).outputs).toEqual({ output: "pool", embedding: "pool" });
    // Of four channels it is no picture.
    const plain = new GraphBuilder().node("pool", { type: "globalPool", kind: "max" });
    plain.node("fc", { type: "dense", transposed: false }, plain.constant("w", [4, 5]));
    expect(modelOf(plain.graph([6, 5, 4])).outputs).toEqual({ output: "fc" });
  });

  it("knows hard-swish however it is written out, and leaves what is none", async () => {
    const spelled = (sixth: number, order: "gate" | "product") => {
      const g = new GraphBuilder();
      g.node("a", conv(), g.constant("w", [1, 1, 3, 4]));
      const bounded = g.aside(
        "r",
        { type: "activation", function: "relu6" },
        g.aside("s", { type: "add" }, "a", g.scalar("3", 3)),
      );
      const scale = g.scalar("6", sixth);
      if (order === "gate")
        g.value = g.aside("y", { type: "multiply" }, g.aside("g", { type: "multiply" }, scale, bounded), "a");
      else g.value = g.aside("y", { type: "multiply" }, g.aside("p", { type: "multiply" }, "a", bounded), scale);
      return g.graph(image);
    };
    // Of layers with two parts, as Rescaling is: the other part changes nothing.
    const parts = new GraphBuilder().node("x", relu);
    parts.node("s", { type: "add" }, parts.scalar("3", 3)).node("s1", { type: "multiply" }, parts.scalar("1", 1));
    parts.node("r", { type: "activation", function: "relu6" }).node("r0", { type: "add" }, parts.scalar("0", 0));
    parts.node("g", { type: "divide" }, parts.scalar("6", 6));
    expect(types(await expectSame(parts.graph(image)))).toEqual(["activation", "activation"]);
    for (const order of ["gate", "product"] as const) {
      expect(types(await expectSame(spelled(Math.fround(1 / 6), order))), order).toEqual([
        "pointwiseConv2d",
        "activation",
      ]);
      expect(types(await expectSame(spelled(0.2, order))), order).toContain("multiply");
    }
  });
});

describe("views", () => {
  const view = plainView([1, 4, 1, 6]);
  const sides = (from: View, form: ReshapeForm) => reshapedView(from, form)?.sides;

  it("are what the sides say, counted with the batch; what does not fit is none", () => {
    expect(sides(view, { kind: "squeeze", axes: [] })).toEqual([4, 6]);
    expect(sides(view, { kind: "squeeze", axes: [3] })).toEqual([1, 4, 6]);
    expect(sides(view, { kind: "squeeze", axes: [0, -2] })).toEqual([1, 4, 6]);
    expect(sides(view, { kind: "squeeze", axes: [2] })).toBeUndefined();
    expect(sides(view, { kind: "unsqueeze", axes: [-1, 1] })).toEqual([1, 1, 4, 1, 6, 1]);
    expect(sides(view, { kind: "unsqueeze", axes: [0] })).toBeUndefined();
    expect(sides(view, { kind: "sides", sides: [0, 0, -1] })).toEqual([1, 24]);
    expect(sides(view, { kind: "sides", sides: [-1, 24] })).toEqual([24]);
    expect(sides(view, { kind: "sides", sides: [24] })).toEqual([24]);
    expect(sides(view, { kind: "sides", sides: [1, 2, -1] })).toEqual([2, 12]);
    for (const wrong of [
      [-1, 12],
      [2, 12],
      [1, 23],
      [1, 5, -1],
      [1, -1, -1],
      [-1, 4, -1],
      [0, 0, 0, 0, 0, 0, 0],
    ])
      expect(sides(view, { kind: "sides", sides: wrong }), `${wrong}`).toBeUndefined();
    expect(reshapedView(view, { kind: "transpose", order: [0, 2, 1, 4, 3] })).toEqual({
      sides: [4, 1, 6, 1],
      order: [1, 0, 3, 2],
    });
    for (const order of [
      [1, 0, 2, 3, 4],
      [0, 1, 2, 3],
      [0, 1, 1, 3, 4],
      [1, 2, 3, 4],
    ])
      expect(sides(view, { kind: "transpose", order }), `${order}`).toBeUndefined();
  });

  it("of a row whose order is not that of memory, or whose sides are computed, are none", () => {
    const image = { sides: [3, 4, 5], order: [1, 2, 0] };
    const flat = reshapedView(image, { kind: "flatten" })!;
    expect(flat).toEqual({ sides: [60], order: [0], flattened: image });
    expect(reshapedView(flat, { kind: "flatten" })).toBe(flat);
    const unsure = reshapedView(image, undefined)!;
    expect(unsure).toEqual({ ...flat, isUnsure: true });
    for (const form of [undefined, { kind: "squeeze", axes: [] }, { kind: "sides", sides: [1, 60] }] as const) {
      expect(reshapedView(flat, form)).toBeUndefined();
      expect(reshapedView(unsure, form)).toBeUndefined();
    }
    expect(reshapedView({ sides: [60, 1, 1], order: [1, 2, 0] }, undefined)).toEqual(plainView([60]));
  });
});

describe("channels first", () => {
  const nchw = (g: GraphBuilder, shape: readonly number[]): ModelGraph => ({
    ...g.graph(),
    layout: "NCHW",
    inputs: [{ name: "input", shape, isChannelsFirst: true }],
  });
  const random = recipe([6, 5, 3], 3, -1, 1).data;
  const first = Float32Array.from(
    random,
    (_, i) => random[(Math.floor(i / 5) % 6) * 15 + (i % 5) * 3 + Math.floor(i / 30)]!,
  );

  /** As TensorFlow.js computes it, of the image above. */
  async function expectSameFirst(graph: ModelGraph) {
    const [expected] = await interpret(graph, first, [1, 3, 6, 5]);
    const session = await compile(modelOf(graph), { backend: "reference" });
    const { output } = (await session.run(random)) as Record<string, { data: Float32Array }>;
    session.close();
    expect(largestDifference(output!.data, expected!)).toBeLessThan(1e-5);
  }

  it("a map that is flattened in two branches keeps its kernels' rows in the file's order", async () => {
    const g = new GraphBuilder();
    g.node("a", conv({ layout: "OIHW" }), g.constant("w", [4, 3, 3, 3]));
    const flat: GraphOperation = { type: "reshape", form: { kind: "sides", sides: [0, -1] } };
    const ends = ["one", "two"].map((end) => {
      g.value = "a";
      g.node(`${end}/act`, { type: "activation", function: end === "one" ? "relu" : "hardSwish" });
      g.node(`${end}/flat`, flat).node(`${end}/same`, { type: "activation", function: "relu6" });
      return g.node(`${end}/fc`, { type: "dense", transposed: true }, g.constant(`${end}/w`, [2, 120])).value;
    });
    g.value = g.aside("sum", { type: "add" }, ends[0]!, ends[1]!);
    await expectSameFirst(nchw(g, image));
  });

  it("what would need numbers to move is refused", () => {
    const g = new GraphBuilder().node("flat", { type: "reshape", form: { kind: "flatten" } }).node("act", relu);
    expect(refuse(nchw(g, image))).toThrow('its result "act" is 90 numbers that were flattened channel by channel');
    const other = new GraphBuilder().node("shuffled", {
      type: "reshape",
      form: { kind: "sides", sides: [1, 1, 3, 30] },
    });
    other.node("act", relu);
    expect(refuse(nchw(other, image))).toThrow('"shuffled" lays 3 × 6 × 5 numbers out anew');
    const softmax = new GraphBuilder().node("soft", { type: "softmax", axis: 1 });
    expect(refuse(nchw(softmax, image))).toThrow('"soft" is a softmax of 3 × 6 × 5 numbers over axis 1');
  });

  it("kernels times factors of their rows or columns, constants of one side for each channel", async () => {
    const g = new GraphBuilder();
    const unsqueezed = (name: string, shape: readonly number[]) =>
      g.aside(`${name}/laid`, { type: "reshape", form: { kind: "unsqueeze", axes: [1, 2] } }, g.constant(name, shape));
    const product = (name: string, ...shapes: readonly (readonly number[])[]) =>
      g.aside(name, { type: "multiply" }, ...shapes.map((shape, i) => g.constant(`${name}/${i}`, shape)));
    g.node("square", conv({ layout: "OIHW" }), product("w", [3, 3, 3, 3], [3, 1, 1, 1]));
    g.node("shifted", { type: "add" }, unsqueezed("c", [3]));
    g.node("b", conv({ layout: "OIHW" }), product("v", [1, 3, 1], [3, 3, 3, 3]));
    g.node("pool", { type: "globalPool", kind: "max" });
    g.node("rows", { type: "dense", transposed: false }, product("rows/w", [3, 3], [3, 1]));
    g.node("columns", { type: "dense", transposed: false }, product("columns/w", [3], [3, 3]));
    await expectSameFirst(nchw(g, image));
  });

  it("batch norm and factors of a row that was flattened channel by channel are for its own numbers", async () => {
    const g = new GraphBuilder();
    g.node("flat", { type: "reshape", form: { kind: "flatten" } });
    const parts = ["gamma", "beta", "mean"].map((part) => g.constant(part, [90]));
    g.node("n", { type: "batchNorm", epsilon: 1e-3 }, ...parts, g.constant("variance", [90], 0.5, 1.5));
    g.node("act", relu).node("scaled", { type: "multiply" }, g.constant("scale", [90]));
    g.node("fc", { type: "dense", transposed: false }, g.constant("w", [90, 2]));
    await expectSameFirst(nchw(g, image));
  });

  it("a constant without sides behind the channels is for the columns, and refused", () => {
    const g = new GraphBuilder();
    g.node("a", { type: "add" }, g.constant("c", [3]));
    expect(refuse(nchw(g, [3, 3, 3]))).toThrow(
      '"a" changes 3 × 3 × 3 numbers by constants that are not one for each channel',
    );
    const right = new GraphBuilder();
    right.node("a", { type: "add" }, right.constant("c", [3, 1, 1]));
    expect(types(modelOf(nchw(right, [3, 3, 3])))).toEqual(["batchNorm"]);
  });
});

describe("what does not run here is refused by its name", () => {
  it("each kind of operation once, at most three of them", () => {
    const g = new GraphBuilder();
    for (const name of ["CONCAT", "LOGISTIC", "LOGISTIC", "RESIZE", "TANH", "ELU"])
      g.node(`n${g.nodes.length}`, { type: "other", name });
    expect(refuse(g.graph(image))).toThrow(/^"n0" is a CONCAT, "n1" is a LOGISTIC, "n3" is a RESIZE, … and 2 more$/);
    // Not if nobody needs it.
    expect(types(modelOf({ ...g.node("act", relu).graph(image), outputs: [g.aside("own", relu, "input")] }))).toEqual([
      "activation",
    ]);
  });

  it.each<[string, string, (g: GraphBuilder) => unknown]>([
    ["groups", '"a" has 2 groups', (g) => g.node("a", conv({ groups: 2 }), g.constant("w", [1, 1, 2, 4]))],
    [
      "a slope of one",
      '"a" is a leakyRelu of slope 1',
      (g) => g.node("a", { type: "activation", function: "leakyRelu", slope: 1 }),
    ],
    ["a root", '"a" takes a root of what is computed', (g) => g.node("a", { type: "rsqrt" })],
    [
      "a difference of two",
      '"b" subtracts one computed value by another',
      (g) => {
        g.node("a", relu);
        g.value = g.aside("b", { type: "subtract" }, "input", "a");
      },
    ],
    [
      "a kernel that is computed",
      'the kernel of "b" is computed',
      (g) => {
        g.node("a", relu);
        g.value = g.aside("b", conv(), "input", "a");
      },
    ],
    [
      "branches of two sizes",
      '"b" joins 6 × 5 × 3 numbers and 3 × 3 × 3 numbers',
      (g) => {
        g.node("a", { type: "pool", kind: "max", kernel: [2, 2], strides: [2, 2], padding: "same" });
        g.value = g.aside("b", { type: "add" }, "input", "a");
      },
    ],
    [
      "a picture of a mean",
      '"a" changes 6 × 5 × 3 numbers',
      (g) => g.node("a", { type: "subtract" }, g.constant("m", [6, 5, 3])),
    ],
    [
      "a dense layer on an image of other sides",
      '"a" reads 4 channels where there are 3',
      (g) => g.node("a", { type: "dense", transposed: false }, g.constant("w", [4, 2])),
    ],
    ["nothing", "nothing lies between", (g) => g.node("a", { type: "identity" })],
  ])("%s", (_, expected, build) => {
    const g = new GraphBuilder();
    build(g);
    expect(refuse(g.graph(image))).toThrow(expected);
  });

  it("what the graph does not say", () => {
    const g = new GraphBuilder().node("a", relu);
    expect(refuse(g.graph())).toThrow('the shape of its input "input" is not stated');
    expect(refuse(g.graph([6, 5, undefined]))).toThrow("leaves its channels open");
    expect(refuse({ ...g.graph(image), outputs: [] })).toThrow(/nothing lies between|no result/);
    expect(refuse({ ...g.graph(image), outputs: ["b"] })).toThrow('nothing computes "b"');
    const two = g.aside("sum", { type: "add" }, "a", "second");
    expect(
      refuse({
        ...g.graph(image),
        inputs: [...g.graph(image).inputs, { name: "second", shape: image }],
        outputs: [two],
      }),
    ).toThrow("it has 2 inputs");
  });

  it("a loop of a graph that is in no order", () => {
    const loop = { name: "a", operation: relu, inputs: ["b"], outputs: ["a"] };
    const graph = { ...new GraphBuilder().node("c", relu).graph(image), outputs: ["c", "a"] };
    const nodes = [...graph.nodes, loop, { ...loop, name: "b", inputs: ["a"], outputs: ["b"] }];
    expect(refuse({ ...graph, nodes })).toThrow('"a" does not depend on the input');
  });
});

describe("graphs of any size", () => {
  const chain = (count: number) => {
    const g = new GraphBuilder();
    for (let i = 0; i < count; i++) g.node(`r${i}`, relu);
    return g;
  };

  it("chains are followed without recursion, up to ten thousand layers", () => {
    expect(translated(chain(10_000).graph(image)).layers).toHaveLength(10_000);
    expect(refuse(chain(10_001).graph(image))).toThrow("it has more than 10,000 layers");
    const identities = new GraphBuilder();
    for (let i = 0; i < 100_000; i++) identities.node(`i${i}`, { type: "identity" });
    expect(translated(identities.node("a", relu).graph(image)).layers).toHaveLength(1);
  });

  it("a value that many read is laid out once for all", () => {
    const g = new GraphBuilder().node("pool", { type: "globalPool", kind: "max", keepDims: true });
    g.node("flat", { type: "reshape", form: { kind: "flatten" } });
    const w = g.constant("w", [3, 2]);
    const ends = Array.from({ length: 50 }, (_, i) =>
      g.aside(`fc${i}`, { type: "dense", transposed: false }, "flat", w),
    );
    const { layers } = translated({ ...g.graph(image), outputs: ends });
    expect(layers.filter(({ type }) => type === "flatten")).toHaveLength(1);
  });

  it("numbers that the file has not are charged: a shared kernel, a layer of padding, a scale of one number", () => {
    const g = new GraphBuilder();
    const w = g.constant("w", [1, 1, 64, 64]);
    for (let i = 0; i < 10; i++) g.node(`c${i}`, conv(), w);
    const graph = g.graph([4, 4, 64]);
    expect(() => translated(graph, decodedBudget(9 * 16384 - 1))).toThrow(
      expect.objectContaining({ code: "FILE_TOO_LARGE" }),
    );
    expect(translated(graph, decodedBudget(9 * 16384)).parameters.size).toBe(10);
    const wide = new GraphBuilder();
    wide.node("a", { type: "add" }, wide.scalar("c", 1));
    expect(refuse(wide.graph([1, 1, 2 ** 30]))).toThrow("its constants are computed from one another over and over");
    expect(() => translated(wide.graph([1, 1, 2 ** 20]), decodedBudget(2 ** 20))).toThrow(/numbers of "a"/);
  });
});

describe("a file of such a graph", () => {
  const kernel = floats(
    "w",
    [2, 3, 3, 3],
    Array.from({ length: 54 }, (_, i) => Math.sin(i)),
  );
  const inputs = { x: ["n", 3, 8, 8] } as const;

  it("whose shape is computed is a row, if a dense layer reads it", async () => {
    const shape = [
      onnxNode("Shape", ["c"], ["s"]),
      onnxNode("Gather", ["s", "zero"], ["n"]),
      onnxNode("Concat", ["n", "rest"], ["to"], { axis: attr.i(0) }),
      onnxNode("Reshape", ["c", "to"], ["flat"], {}, { name: "flat" }),
    ];
    const initializers = [kernel, int64s("zero", 0), int64s("rest", -1), floats("fc", [128, 2], Array(256).fill(0.1))];
    const convolution = onnxNode("Conv", ["x", "w"], ["c"], { pads: attr.ints(1, 1, 1, 1) });
    const file = (last: string, ...more: string[]) =>
      onnxModel({ nodes: [convolution, ...shape, onnxNode(last, ["flat", ...more], ["y"])], initializers, inputs });
    const model = await loadModel(file("Gemm", "fc"));
    expect(types(model)).toEqual(["conv2d", "flatten", "dense"]);
    await expect(loadModel(file("Softmax"))).rejects.toThrow(/a softmax of a value whose shape is computed/);
  });

  it("says what it is, what was assumed of its input, and keeps that when it is saved", async () => {
    const nodes = [
      onnxNode("Conv", ["x", "w"], ["c"]),
      onnxNode("Relu", ["c"], ["r"]),
      onnxNode("Add", ["c", "r"], ["y"]),
    ];
    const model = await loadModel(onnxModel({ nodes, initializers: [kernel], inputs: { x: ["n", 3, "h", "w"] } }));
    const { understoodBy, decisions, doubts, format } = describeModel(model);
    expect(format).toBe("ONNX");
    expect(understoodBy).toMatch(/^translation of the file's graph, layer by layer: .*"y" joins two branches/);
    expect(model.inputShape).toEqual([224, 224, 3]);
    const basis = (name: string, of = decisions) => of.find((one) => one.name === name)?.basis;
    expect([basis("inputSize"), basis("range"), basis("inputChannels")]).toEqual(["assumed", "assumed", "inferred"]);
    expect(doubts.join()).toMatch(/inputSize \[224,224\] is assumed.*range \[-1,1\] is assumed/);
    const again = describeModel(await loadModel(await encodeModel(model)));
    expect([basis("inputSize", again.decisions), basis("range", again.decisions)]).toEqual(["assumed", "assumed"]);
    expect(doubts).toHaveLength(2);
    expect(again.doubts).toEqual(doubts);
    expect(again.remarks).toMatchObject({ origin: { format: "ONNX", understoodBy } });
    const twice = describeModel(await loadModel(await encodeModel(await loadModel(await encodeModel(model)))));
    expect(twice.remarks).toMatchObject({ origin: { format: "ONNX", understoodBy } });
  });

  it("infers the range of its input from arithmetic in front, which stays in the network", async () => {
    const range = async (scale: number, shift: number) => {
      const nodes = [
        onnxNode("Mul", ["x", "scale"], ["m"]),
        onnxNode("Add", ["m", "shift"], ["s"]),
        onnxNode("Conv", ["s", "w"], ["c"]),
        onnxNode("Relu", ["c"], ["y"]),
      ];
      const initializers = [kernel, floats("scale", [], [scale]), floats("shift", [], [shift])];
      const model = await loadModel(onnxModel({ nodes, initializers, inputs }));
      expect(types(model)).toEqual(["batchNorm", "conv2d", "activation"]);
      return describeModel(model).decisions.find(({ name }) => name === "range");
    };
    expect(await range(1 / 127.5, -1)).toMatchObject({ value: [0, 255], basis: "inferred" });
    expect(await range(1, -123)).toMatchObject({ value: [0, 255] });
    expect(await range(2, -1)).toMatchObject({ value: [0, 1], from: "the graph's own arithmetic on inputs of 0 to 1" });
  });

  it("knows the size of a product whose first factor is the smaller one", async () => {
    const nodes = [
      onnxNode("GlobalAveragePool", ["x"], ["gate"]),
      onnxNode("Mul", ["gate", "x"], ["m"]),
      onnxNode("Conv", ["m", "w"], ["y"], { auto_pad: attr.s("SAME_LOWER"), strides: attr.ints(2, 2) }),
    ];
    const model = await loadModel(onnxModel({ nodes, initializers: [kernel], inputs }));
    expect(model.layers.at(-1)).toMatchObject({
      type: "conv2d",
      attributes: {
        padding: [
          [1, 0],
          [1, 0],
        ],
      },
    });
  });

  it("whose zeros would make it larger than any image is refused as what the file says", async () => {
    const file = (pads: number) =>
      onnxModel({
        inputs: { x: [1, 1, 4, 4] },
        initializers: [int64s("pads", 0, 0, pads, pads, 0, 0, pads, pads)],
        nodes: [onnxNode("Pad", ["x", "pads"], ["z"]), onnxNode("Relu", ["z"], ["y"])],
      });
    expect((await loadModel(file(3))).shapes.get("y")).toEqual([10, 10, 1]);
    await expect(loadModel(file(1e9))).rejects.toThrow(
      /vertical window: expected .* at most 268,435,456 pixels, found 1000000000\. The file is damaged, or describes what cannot run\. It is no MobileNet V1 either \(.*\)\. Nothing was loaded\.$/,
    );
  });

  it("counts the classes of the probabilities, whichever result they are", async () => {
    const dense = (name: string, count: number, output: string) => ({
      weights: floats(name, [3, count], Array(3 * count).fill(0)),
      node: onnxNode("Gemm", ["f", name], [output]),
    });
    const [boxes, classes] = [dense("v", 1001, "boxes"), dense("w", 5, "logits")];
    const file = (outputs: readonly string[]) =>
      onnxModel({
        inputs: { x: [1, 3, 4, 4] },
        outputs,
        initializers: [boxes.weights, classes.weights],
        nodes: [
          onnxNode("GlobalAveragePool", ["x"], ["p"]),
          onnxNode("Flatten", ["p"], ["f"]),
          ...[boxes.node, classes.node, onnxNode("Softmax", ["logits"], ["probabilities"])],
        ],
      });
    for (const outputs of [
      ["boxes", "probabilities"],
      ["probabilities", "boxes"],
      ["boxes", "logits"],
    ]) {
      const { info } = await loadModel(file(outputs));
      expect(info.provenance, `${outputs}`).toMatchObject({ decisions: { classes: { value: 5 } } });
      expect(info.background).toBeUndefined();
    }
    expect(
      (await loadModel(file(["boxes", "logits"]), { labels: ["a", "b", "c", "d", "e"] })).info.labels,
    ).toHaveLength(5);
  });

  it("takes labels for its classes", async () => {
    const dense = { name: "w", shape: [3, 12], data: bytesOf(new Float32Array(36)) };
    const file = tflite({
      tensors: [{ name: "x", shape: [1, 2, 2, 3] }, dense, { name: "y", shape: [1, 3] }],
      operators: [{ code: 9, inputs: [0, 1], outputs: [2], options: {} }],
    });
    const model = await loadModel(file, { labels: ["a", "b", "c"] });
    expect(model.info.labels).toEqual(["a", "b", "c"]);
    expect(model.outputs).toEqual({ output: "y", logits: "y" });
    await expect(loadModel(file, { labels: ["a", "b"] })).rejects.toMatchObject({
      code: "CLASSES_MISMATCH",
    });
  });

  it("whose weights are not finite, or variances have no root, is refused", async () => {
    const nodes = (variance: number) => [
      placeholder(-1, 8, 8, 3),
      ...["gamma", "beta", "mean"].map((name) => tfConst(name, [3], [1, 1, 1])),
      tfConst("variance", [3], [1, variance, 1]),
      tfNode("y", "FusedBatchNorm", ["input", "gamma", "beta", "mean", "variance"], { is_training: [[5, { int: 0 }]] }),
    ];
    expect(types(await loadModel(encode(nodes(1))))).toEqual(["batchNorm"]);
    await expect(loadModel(encode(nodes(-1)))).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
    await expect(loadModel(encode(nodes(Number.NaN)))).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
  });

  it("has numbers of its own in each layer, also where the file has one constant for several", async () => {
    const square = floats("w", [4, 4], Array(16).fill(1));
    // Wherever the numbers lie in the file: at one place in four they need not be copied to be read.
    for (const result of ["y", "yy", "yyy", "yyyy"]) {
      const nodes = ["a", "b", result].map((y, i) => onnxNode("Gemm", [["x", "a", "b"][i]!, "w"], [y]));
      const file = onnxModel({ inputs: { x: [1, 4] }, outputs: [result], nodes, initializers: [square] });
      const kernels = [...(await loadModel(file)).parameters.values()].map(({ data }) => data);
      kernels[0]![0] = 99;
      kernels[1]![0] = 98;
      expect(kernels.map(([first]) => first)).toEqual([99, 98, 1]);
    }
  });

  it("has variances that have a root with the epsilon of their own layer", async () => {
    const norm = (x: string, y: string, variance: string, epsilon: number) =>
      onnxNode("BatchNormalization", [x, "one", "one", "one", variance], [y], { epsilon: attr.f(epsilon) });
    const file = (first: number, second: number) =>
      onnxModel({
        inputs,
        initializers: [
          ...[floats("one", [3], [1, 1, 1]), floats("small", [3], [1, -0.0005, 1])],
          floats("large", [3], [1, 1, 1]),
        ],
        nodes: [norm("x", "a", "small", first), onnxNode("Relu", ["a"], ["r"]), norm("r", "y", "large", second)],
      });
    const model = await loadModel(file(1e-3, 1e-5));
    expect(types(model)).toEqual(["batchNorm", "activation", "batchNorm"]);
    expect(types(await loadModel(encodeModel(model)))).toEqual(types(model));
    const loading = loadModel(file(1e-5, 1e-3));
    await expect(loading).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
    await expect(loading).rejects.toThrow(/-0.0005\d* at element 1/);
  });

  it("that was saved with variances without a root is refused as well", async () => {
    const model = await loadModel(
      onnxModel({
        inputs,
        initializers: [floats("one", [3], [1, 1, 1])],
        nodes: [onnxNode("BatchNormalization", ["x", "one", "one", "one", "one"], ["y"], {})],
      }),
    );
    model.parameters.set(`${model.layers[0]!.name}/moving_variance`, tensor([1, -1, 1], [3]));
    await expect(loadModel(encodeModel(model))).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
  });

  it("takes no option of MobileNet V1", async () => {
    const nodes = [onnxNode("Relu", ["x"], ["y"])];
    for (const option of [{ alpha: 1 }, { classes: 2 }, { includeTop: false }, { resolution: 96 }])
      await expect(loadModel(onnxModel({ nodes, inputs }), option)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const model = await loadModel(onnxModel({ nodes, inputs }), { preprocessing: { range: [0, 1] }, background: true });
    expect(model.info).toMatchObject({ preprocessing: { range: [0, 1] }, background: true });
  });
});
