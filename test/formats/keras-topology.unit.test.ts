/** Configurations of Keras 1, 2 and 3 become the same graph; what would be read wrong is refused by name. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import type { GraphConstant, GraphNode, ModelGraph } from "../../src/formats/graph.ts";
import { parseConfig } from "../../src/formats/keras/config.ts";
import { graphFromKeras } from "../../src/formats/keras/topology.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import {
  batchNorm,
  conv,
  dense,
  depthwise,
  functional,
  functional3,
  INPUT,
  type Layer,
  layer,
  SMALL,
  sequential,
  weightsOf,
} from "../fixtures/keras-models.ts";
import type { Weight } from "../writers/hdf5.ts";
import { weight } from "../writers/hdf5.ts";

function constants(weights: readonly Weight[]): readonly GraphConstant[] {
  return weights.map(({ name, shape, values }) => ({
    name: name.replace(/^.*\//, "").replace(":0", ""),
    shape,
    read: () => Float32Array.from(values),
  }));
}

function translate(config: unknown, layers: readonly Layer[] = []): ModelGraph {
  const weights = weightsOf(layers);
  return graphFromKeras(config, (name) => constants(weights.get(name) ?? []), { name: "test model" }).graph;
}

/** Nodes as short lines: `name: type(inputs)`. */
function lines({ nodes }: ModelGraph): readonly string[] {
  return nodes.map(({ name, operation, inputs }) => `${name}: ${operation.type}(${inputs.join(", ")})`);
}

function nodeOf(graph: ModelGraph, name: string): GraphNode {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name} among ${graph.nodes.map((one) => one.name).join(", ")}`);
  return node;
}

/** The translation of one layer on pictures of 8 × 8 × 4. */
function one(under: Layer, shape: readonly (number | null)[] = [null, 8, 8, 4]): readonly GraphNode[] {
  const layers = [{ ...INPUT, config: { batch_input_shape: shape } }, under];
  return translate(functional(layers), layers).nodes;
}

function refusal(config: unknown, layers: readonly Layer[] = []): string {
  try {
    translate(config, layers);
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return `${error.code} ${error.message}`;
  }
  throw new Error("it was translated");
}

describe("a Keras model", () => {
  const expected = [
    "conv2d: convolution(input_1, conv2d/kernel, conv2d/bias)",
    "batch_normalization: batchNorm(conv2d, batch_normalization/gamma, batch_normalization/beta, batch_normalization/moving_mean, batch_normalization/moving_variance)",
    "activation: activation(batch_normalization)",
    "depthwise_conv2d: convolution(activation, depthwise_conv2d/depthwise_kernel)",
    "batch_normalization_1: batchNorm(depthwise_conv2d, batch_normalization_1/gamma, batch_normalization_1/beta, batch_normalization_1/moving_mean, batch_normalization_1/moving_variance)",
    "re_lu: activation(batch_normalization_1)",
    "global_average_pooling2d: globalPool(re_lu)",
    "dense: dense(global_average_pooling2d, dense/kernel, dense/bias)",
    "dense/softmax: softmax(dense)",
  ];

  it("in the words of Keras 2 is a graph", () => {
    const graph = translate(functional(SMALL), SMALL);
    expect(graph.inputs).toEqual([{ name: "input_1", shape: [8, 8, 3] }]);
    expect(lines(graph)).toEqual(expected);
    expect(graph.outputs).toEqual(["dense/softmax"]);
    expect(graph.constants.get("conv2d/kernel")?.shape).toEqual([3, 3, 3, 4]);
    expect(nodeOf(graph, "depthwise_conv2d").operation).toMatchObject({
      layout: "HWIM",
      strides: [1, 1],
      padding: "same",
    });
  });

  it("in the words of Keras 3 is the same graph", () => {
    const graph = translate(functional3(SMALL), SMALL);
    expect(lines(graph)).toEqual(expected);
    expect(graph).toMatchObject({ inputs: [{ name: "input_1", shape: [8, 8, 3] }], outputs: ["dense/softmax"] });
  });

  it("that is Sequential is the same graph, with its input layer or without", () => {
    expect(lines(translate(sequential(SMALL), SMALL))).toEqual(expected);
    const [, first, ...others] = SMALL;
    const stated = { ...first!, config: { ...first!.config, batch_input_shape: [null, null, null, 3] } };
    const graph = translate(sequential([stated, ...others]), SMALL);
    expect(graph.inputs).toEqual([{ name: "conv2d_input", shape: [undefined, undefined, 3] }]);
    expect(lines(graph)).toEqual(expected.map((line) => line.replace("input_1", "conv2d_input")));
  });

  it("of Keras 1 may be a bare list with settings of other names", () => {
    const config = {
      nb_filter: 4,
      nb_row: 3,
      nb_col: 3,
      subsample: [2, 2],
      border_mode: "same",
      bias: true,
      dim_ordering: "tf",
    };
    const old = { name: "convolution2d_1", batch_input_shape: [null, 8, 8, 3], activation: "relu", ...config };
    const weights = [weight("kernel", [3, 3, 3, 4]), weight("bias", [4])];
    const sequence = { class_name: "Sequential", config: [{ class_name: "Convolution2D", config: old }] };
    const { graph } = graphFromKeras(sequence, () => constants(weights), { name: "old" });
    expect(lines(graph)).toEqual([
      "convolution2d_1: convolution(convolution2d_1_input, convolution2d_1/kernel, convolution2d_1/bias)",
      "convolution2d_1/relu: activation(convolution2d_1)",
    ]);
    expect(graph.nodes[0]?.operation).toMatchObject({ strides: [2, 2], padding: "same", layout: "HWIO" });
  });

  it("whose layers stand in another order runs in the right one", () => {
    const wired = SMALL.map((entry, i) => (i === 0 ? entry : { ...entry, reads: [SMALL[i - 1]!.name] }));
    const shuffled = [...wired].reverse();
    expect(lines(translate(functional(shuffled, "model", ["dense"]), SMALL))).toEqual(expected);
  });

  it("uses a layer twice under two names", () => {
    const config = functional([INPUT, layer("ReLU", "act"), layer("Add", "sum", {}, ["input_1", "act"])]);
    const layers = (config.config as { layers: { name: string; inbound_nodes: unknown }[] }).layers;
    layers[1]!.inbound_nodes = [[["input_1", 0, 0, {}]], [["act", 0, 0, {}]]];
    layers[2]!.inbound_nodes = [
      [
        ["act", 0, 0, {}],
        ["act", 1, 0, {}],
      ],
    ];
    expect(lines(translate(config))).toEqual([
      "act: activation(input_1)",
      "act:1: activation(act)",
      "sum: add(act, act:1)",
    ]);
  });
});

describe("models inside models", () => {
  const base = SMALL.slice(0, 7);
  const head = [layer("GlobalAveragePooling2D", "pool"), dense("classes", 4, 2)];

  it("are unfolded, in a Functional and in a Sequential model", () => {
    const inner = { ...(functional(base, "mobilenet") as { config: Record<string, unknown> }), name: "mobilenet" };
    const outer = functional([{ ...INPUT, name: "picture" }, layer("Functional", "mobilenet", {}), ...head]);
    const entries = (outer.config as { layers: Record<string, unknown>[] }).layers;
    entries[1] = { ...inner, inbound_nodes: [[["picture", 0, 0, {}]]] };
    // TensorFlow's Keras counts the definition of the inner model as its first call.
    entries[2] = { ...entries[2], inbound_nodes: [[["mobilenet", 1, 0, {}]]] };
    const graph = translate(outer, [...base, ...head]);
    expect(graph.inputs).toEqual([{ name: "picture", shape: [8, 8, 3] }]);
    expect(graph.nodes[0]).toMatchObject({
      name: "mobilenet/conv2d",
      inputs: ["picture", "mobilenet/conv2d/kernel", "mobilenet/conv2d/bias"],
    });
    expect(nodeOf(graph, "pool").inputs).toEqual(["mobilenet/re_lu"]);

    const stack = sequential([layer("Functional", "x"), ...head]);
    (stack.config as { layers: unknown[] }).layers[0] = inner;
    const stacked = translate(stack, [...base, ...head]);
    expect(stacked.inputs).toEqual([{ name: "mobilenet_input", shape: [8, 8, 3] }]);
    expect(stacked.nodes.map(({ name }) => name)).toEqual(graph.nodes.map(({ name }) => name));
  });

  it("are asked for their weights by path first", () => {
    const inner = { ...functional(base, "net"), name: "net" };
    const stack = { class_name: "Sequential", config: { name: "outer", layers: [inner] } };
    const asked: string[] = [];
    const weights = weightsOf(base);
    const find = (name: string) => {
      asked.push(name);
      return constants(weights.get(name.replace("net/", "")) ?? []);
    };
    graphFromKeras(stack, find, { name: "m" });
    expect(asked).toContain("net/conv2d");
    expect(asked).not.toContain("conv2d");
  });

  it("nested without end, or unfolding to very many layers, are refused", () => {
    let deep: Record<string, unknown> = sequential([layer("ReLU", "a", { batch_input_shape: [null, 4] })]);
    for (let i = 0; i < 12; i++)
      deep = { class_name: "Sequential", config: { name: "outer", layers: [{ ...deep, name: `m${i}` }] } };
    expect(refusal(deep)).toMatch(/^ARCHITECTURE_UNKNOWN .*nested more than 8 deep/);
    const many = Array.from({ length: 20_001 }, (_, i) => layer("ReLU", `r${i}`));
    expect(refusal(sequential(many))).toMatch(/^ARCHITECTURE_UNKNOWN .*more than 20000 layers/);
  });
});

describe("a layer of Keras", () => {
  const operations = (under: Layer, shape?: readonly (number | null)[]) =>
    one(under, shape).map(({ operation }) => operation);
  const activation = (config: Record<string, unknown>, className = "Activation") =>
    operations(layer(className, "a", config))[0];

  it("that activates is recognised however the function is written", () => {
    expect(activation({ activation: "relu6" })).toEqual({ type: "activation", function: "relu6" });
    expect(activation({ activation: "linear" })).toEqual({ type: "activation", function: "linear" });
    expect(activation({ activation: "softmax" })).toEqual({ type: "softmax" });
    expect(activation({ activation: "swish" })).toEqual({ type: "other", name: "swish" });
    const wrapped = { module: "builtins", class_name: "function", config: "relu6", registered_name: "function" };
    expect(activation({ activation: wrapped })).toEqual({ type: "activation", function: "relu6" });
    expect(activation({ activation: { class_name: "ReLU", config: { max_value: 6 } } })).toEqual({
      type: "activation",
      function: "relu6",
    });
    expect(activation({ activation: { class_name: "LeakyReLU", config: { negative_slope: 0.1 } } })).toMatchObject({
      slope: 0.1,
    });
  });

  it("ReLU is told apart by its bounds", () => {
    expect(activation({}, "ReLU")).toEqual({ type: "activation", function: "relu" });
    expect(activation({ max_value: null, negative_slope: 0, threshold: 0 }, "ReLU")).toEqual({
      type: "activation",
      function: "relu",
    });
    expect(
      activation({ max_value: { class_name: "__numpy__", config: { value: 6, dtype: "float32" } } }, "ReLU"),
    ).toMatchObject({ function: "relu6" });
    expect(activation({ negative_slope: 0.25 }, "ReLU")).toEqual({
      type: "activation",
      function: "leakyRelu",
      slope: 0.25,
    });
    expect(activation({ max_value: 4 }, "ReLU")).toMatchObject({ type: "other" });
    expect(activation({ threshold: 1 }, "ReLU")).toMatchObject({ type: "other" });
    expect(activation({ alpha: 0.1 }, "LeakyReLU")).toEqual({ type: "activation", function: "leakyRelu", slope: 0.1 });
    expect(activation({ negative_slope: 0.2 }, "LeakyReLU")).toMatchObject({ slope: 0.2 });
    expect(activation({}, "LeakyReLU")).toMatchObject({ slope: 0.3 });
  });

  it("pads by one number, two or four", () => {
    expect(activation({ padding: 1 }, "ZeroPadding2D")).toEqual({
      type: "pad",
      padding: [
        [1, 1],
        [1, 1],
      ],
    });
    expect(activation({ padding: [1, 2] }, "ZeroPadding2D")).toEqual({
      type: "pad",
      padding: [
        [1, 1],
        [2, 2],
      ],
    });
    expect(
      activation(
        {
          padding: [
            [0, 1],
            [2, 3],
          ],
        },
        "ZeroPadding2D",
      ),
    ).toEqual({
      type: "pad",
      padding: [
        [0, 1],
        [2, 3],
      ],
    });
  });

  it("pools the whole picture only if its window is known to be as large", () => {
    expect(activation({ pool_size: [8, 8], padding: "valid" }, "AveragePooling2D")).toEqual({
      type: "globalPool",
      kind: "average",
      keepDims: true,
    });
    expect(activation({ pool_size: [8, 8], strides: [1, 1], padding: "same" }, "AveragePooling2D")).toMatchObject({
      type: "pool",
    });
    expect(activation({ pool_size: 2, padding: "same" }, "MaxPooling2D")).toEqual({
      type: "pool",
      kind: "max",
      kernel: [2, 2],
      strides: [2, 2],
      padding: "same",
    });
    const open = operations(layer("AveragePooling2D", "p", { pool_size: [7, 7] }), [null, null, null, 4]);
    expect(open).toMatchObject([{ type: "pool", kernel: [7, 7] }]);
    const layers = [
      INPUT,
      conv("c", 4, 3),
      layer("ZeroPadding2D", "z", {
        padding: [
          [0, 1],
          [0, 1],
        ],
      }),
      layer("MaxPooling2D", "m", { pool_size: 2 }),
    ];
    const after = [...layers, layer("AveragePooling2D", "p", { pool_size: [2, 2] })];
    expect(nodeOf(translate(functional(after), after), "p").operation).toEqual({
      type: "globalPool",
      kind: "average",
      keepDims: true,
    });
  });

  it("that only trains or reshapes changes no number", () => {
    for (const name of ["Dropout", "SpatialDropout2D", "RandomFlip"])
      expect(activation({}, name)).toEqual({ type: "identity" });
    const reshape = (form: object) => ({ type: "reshape", form });
    expect(activation({ target_shape: [1, 1, 256] }, "Reshape")).toEqual(
      reshape({ kind: "sides", sides: [0, 1, 1, 256] }),
    );
    expect(activation({}, "Flatten")).toEqual(reshape({ kind: "flatten" }));
    expect(activation({ dims: [1, 2, 3] }, "Permute")).toEqual(reshape({ kind: "transpose", order: [0, 1, 2, 3] }));
    expect(activation({ dims: [2, 1, 3] }, "Permute")).toEqual({ type: "other", name: "Permute" });
  });

  it("of batch norm leaves gamma or beta out where its flags say so", () => {
    expect(one(batchNorm("bn", 4, { scale: false }))[0]?.inputs).toEqual([
      "input_1",
      "",
      "bn/beta",
      "bn/moving_mean",
      "bn/moving_variance",
    ]);
    expect(one(batchNorm("bn", 4, { center: false, epsilon: 1e-5 }))[0]).toMatchObject({
      operation: { epsilon: 1e-5 },
      inputs: ["input_1", "bn/gamma", "", "bn/moving_mean", "bn/moving_variance"],
    });
    expect(one(batchNorm("bn", 4, { axis: [1] }), [null, 4])).toHaveLength(1);
  });

  it("with an activation of its own is two nodes", () => {
    const nodes = one(depthwise("d", 4, { activation: "relu6", use_bias: false }));
    expect(nodes.map(({ name }) => name)).toEqual(["d", "d/relu6"]);
    expect(nodes[1]?.inputs).toEqual(["d"]);
  });

  it("that scales numbers becomes arithmetic with constants", () => {
    const layers = [INPUT, layer("Rescaling", "r", { scale: 1 / 127.5, offset: -1 })];
    const graph = translate(functional(layers), layers);
    expect(lines(graph)).toEqual(["r: multiply(input_1, r/scale)", "r/add: add(r, r/offset)"]);
    expect(graph.constants.get("r/scale")?.read()).toEqual(Float32Array.of(1 / 127.5));
    const norm = [INPUT, layer("Normalization", "n", { mean: [1, 2, 3], variance: [4, 9, 0] })];
    const normal = translate(functional(norm), norm);
    expect(lines(normal)).toEqual(["n: subtract(input_1, n/mean)", "n/divide: divide(n, n/deviation)"]);
    expect(normal.constants.get("n/deviation")?.read()).toEqual(Float32Array.of(2, 3, 1e-7));
  });

  it("that is an operator takes numbers, before or after, and layers", () => {
    const config = functional([
      INPUT,
      layer("TFOpLambda", "div", { function: "math.truediv" }),
      layer("TFOpLambda", "sub", { function: "math.subtract" }),
    ]);
    const entries = (config.config as { layers: { inbound_nodes: unknown }[] }).layers;
    entries[1]!.inbound_nodes = [["input_1", 0, 0, { y: 127.5, name: null }]];
    entries[2]!.inbound_nodes = [["_CONSTANT_VALUE", -1, 1, { y: ["div", 0, 0] }]];
    const graph = translate(config);
    expect(lines(graph)).toEqual(["div: divide(input_1, div/number)", "sub: subtract(sub/number, div)"]);
    expect(graph.constants.get("div/number")?.read()).toEqual(Float32Array.of(127.5));
    const three = functional3([INPUT, layer("TrueDivide", "div")]);
    const node = (three.config as { layers: { inbound_nodes: { args: unknown[] }[] }[] }).layers[1]!.inbound_nodes[0]!;
    node.args = [node.args[0], 127.5];
    expect(lines(translate(three))).toEqual(["div: divide(input_1, div/number)"]);
    const add = functional3([INPUT, layer("ReLU", "a"), layer("Add", "sum", {}, ["input_1", "a"])]);
    expect(lines(translate(add))).toEqual(["a: activation(input_1)", "sum: add(input_1, a)"]);
  });

  it("of another kind stands under its own name", () => {
    for (const name of ["SeparableConv1D", "LSTM", "Lambda", "Concatenate", "Resizing"]) {
      expect(activation({}, name)).toEqual({ type: "other", name });
    }
  });
});

describe("a Keras model is refused", () => {
  const withConfig = (under: Layer) => refusal(functional([INPUT, under]), [under]);

  it("with channels first, an axis that is not of channels, or a padding there is not", () => {
    expect(withConfig(conv("c", 4, 3, { data_format: "channels_first" }))).toMatch(
      /^ARCHITECTURE_UNKNOWN .*data_format of layer "c" \(Conv2D\): expected channels_last, found "channels_first"/,
    );
    expect(withConfig(conv("c", 4, 3, { dim_ordering: "th" }))).toMatch(/^ARCHITECTURE_UNKNOWN/);
    expect(withConfig(batchNorm("b", 3, { axis: 1 }))).toMatch(/^ARCHITECTURE_UNKNOWN .*axis of layer "b"/);
    expect(withConfig(conv("c", 4, 3, { padding: "causal" }))).toMatch(/^ARCHITECTURE_UNKNOWN .*padding/);
    expect(withConfig(conv("c", 4, 3, { strides: [0, 2] }))).toMatch(/^ARCHITECTURE_UNKNOWN .*strides/);
  });

  it("with weights missing or of the wrong kind", () => {
    expect(withConfig({ ...conv("c", 4, 3), weights: [] })).toMatch(
      /^FILE_CORRUPT .*layer "c": expected a weight kernel, found no weights/,
    );
    expect(withConfig({ ...conv("c", 4, 3), weights: [weight("kernel", [3, 4]), weight("bias", [4])] })).toMatch(
      /expected 4 sides, found \[3, 4\]/,
    );
  });

  it("with wires that lead nowhere or in a circle", () => {
    expect(refusal(functional([INPUT, layer("ReLU", "a", {}, ["b"]), layer("ReLU", "b", {}, ["a"])]))).toMatch(
      /^FILE_CORRUPT .*depends on itself/,
    );
    expect(refusal(functional([INPUT, layer("ReLU", "a", {}, ["gone"])]))).toMatch(
      /^FILE_CORRUPT .*no layer is called "gone"/,
    );
    expect(refusal(functional([INPUT, layer("ReLU", "a"), layer("ReLU", "a")]))).toMatch(/^FILE_CORRUPT .*two layers/);
    expect(refusal(functional([INPUT, layer("ReLU", "a")], "m", ["gone"]))).toMatch(/^FILE_CORRUPT/);
  });

  it("that is no model", () => {
    for (const config of [undefined, null, 3, "x", [], {}]) expect(refusal(config)).toMatch(/^FILE_CORRUPT/);
    expect(refusal({ class_name: "MyModel", config: {} })).toMatch(
      /^ARCHITECTURE_UNKNOWN .*"MyModel" without a list of layers/,
    );
    expect(refusal({ class_name: "Sequential", config: [3] })).toMatch(/^FILE_CORRUPT/);
  });
});

describe("the text of a configuration", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

  it.each([
    [`{"class_name":"Sequential","config":${deep}}`, "expected at most 100 levels, found deeper nesting"],
    ['{"class_name":"Sequential","class_name":"Model"}', 'found "class_name" twice'],
    ["{", "expected JSON, found text that is not"],
  ])("is refused where whoever walks it would stumble", (text, message) => {
    expect(() => parseConfig(text, "model.h5", "model_config", decodedBudget())).toThrow(`model.h5: model_config: `);
    expect(() => parseConfig(text, "model.h5", "model_config", decodedBudget())).toThrow(message);
  });
});
