/** Layer functions as the data that they give, and rows of layers as the networks that they become. */

import { describe, expect, it } from "vitest";
import {
  activation,
  averagePool,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  dropout,
  flatten,
  globalAveragePool,
  globalMaxPool,
  type Layer,
  maxPool,
  pointwise,
  reshape,
  sequential,
  softmax,
} from "../../src/layers/index.ts";

const window = { kernel: 3, stride: 2, dilation: 1, padding: "valid" } as const;

/** Each function with all the options that it knows. */
const LAYERS: readonly (readonly [(named: { name: string }) => Layer, type: string, attributes: object])[] = [
  [(o) => conv2d({ ...o, ...window, filters: 2, bias: false }), "conv2d", { ...window, filters: 2, bias: false }],
  [
    (o) => depthwise({ ...o, ...window, multiplier: 2, bias: true }),
    "depthwiseConv2d",
    { ...window, multiplier: 2, bias: true },
  ],
  [(o) => pointwise({ ...o, filters: 2, bias: true }), "pointwiseConv2d", { filters: 2, bias: true }],
  [(o) => dense({ ...o, filters: 2, bias: true }), "dense", { filters: 2, bias: true }],
  [
    (o) => batchNorm({ ...o, epsilon: 1, scale: true, center: true }),
    "batchNorm",
    { epsilon: 1, scale: true, center: true },
  ],
  [(o) => activation("leakyRelu", { ...o, slope: 0.2 }), "activation", { function: "leakyRelu", slope: 0.2 }],
  [(o) => softmax(o), "softmax", {}],
  [(o) => globalAveragePool({ ...o, keepDims: true }), "globalAveragePool", { keepDims: true }],
  [(o) => globalMaxPool({ ...o, keepDims: true }), "globalMaxPool", { keepDims: true }],
  [(o) => averagePool({ ...o, ...window }), "averagePool", window],
  [(o) => maxPool({ ...o, ...window }), "maxPool", window],
  [(o) => reshape([2, 3], o), "reshape", { shape: [2, 3] }],
  [(o) => flatten(o), "flatten", {}],
  [(o) => dropout(0.5, o), "dropout", { rate: 0.5 }],
];

describe("a layer function", () => {
  it.each(LAYERS)("%# gives its type, its attributes, and the name that it was given", (make, type, attributes) => {
    expect(make({ name: "mine" })).toEqual({ type, name: "mine", attributes });
  });

  it.each(LAYERS)("%# refuses what it does not know, and lists what it knows", (make, type, attributes) => {
    const known = expect.objectContaining({ known: [...Object.keys(attributes), "name"].sort() });
    let error: unknown;
    try {
      make({ colour: 1 } as never);
    } catch (caught) {
      error = caught;
    }
    const { fields } = error as { fields: { known: string[] } };
    expect({ ...(error as object), fields: { ...fields, known: [...fields.known].sort() } }).toMatchObject({
      code: "OPTION_INVALID",
      fields: known,
    });
    expect((error as Error).message).toMatch(new RegExp(`^${type}: unknown option "colour"`));
  });

  it("has no name unless it is given one", () => {
    expect(softmax()).toStrictEqual({ type: "softmax", attributes: {} });
  });
});

describe("sequential", () => {
  it("numbers layers as Keras does, each kind by itself, and leaves names that were given", () => {
    const relu = activation("relu");
    const { layers } = sequential({ inputShape: [4, 4, 1] }, [
      relu,
      depthwise({ kernel: 3 }),
      relu,
      depthwise({ kernel: 3, name: "mine" }),
      depthwise({ kernel: 3 }),
      relu,
    ]);
    expect(layers.map(({ name, inputs }) => [name, ...inputs])).toEqual([
      ["activation", "input"],
      ["depthwiseConv2d", "activation"],
      ["activation_1", "depthwiseConv2d"],
      ["mine", "activation_1"],
      ["depthwiseConv2d_2", "mine"],
      ["activation_2", "depthwiseConv2d_2"],
    ]);
  });

  it.each<[string, Layer[], object]>([
    [
      "a softmax last",
      [dense({ filters: 2 }), softmax()],
      { output: "softmax", logits: "dense", probabilities: "softmax" },
    ],
    ["a softmax alone", [softmax()], { output: "softmax" }],
    ["another layer last", [softmax(), dense({ filters: 2 })], { output: "dense" }],
  ])("with %s has these outputs", (_, layers, outputs) => {
    expect(sequential({ inputShape: [4] }, layers).outputs).toEqual(outputs);
  });

  it("keeps what it is told, and is custom whatever it is told", () => {
    const info = { labels: ["a", "b"], architecture: "mobilenet_v1" };
    const model = sequential({ inputShape: [4], name: "mine", seed: 7, info }, [dense({ filters: 2 })]);
    expect(model).toMatchObject({ name: "mine", info: { architecture: "custom", labels: ["a", "b"] } });
    const plain = sequential({ inputShape: [4] }, [dense({ filters: 2 })]);
    expect(plain).toMatchObject({ name: "sequential", info: { architecture: "custom" } });
    const kernel = (of: typeof model) => of.parameters.get("dense/kernel")?.data;
    expect(kernel(model)).not.toEqual(kernel(plain));
    expect(kernel(plain)).toEqual(kernel(sequential({ inputShape: [4], seed: 1 }, [dense({ filters: 2 })])));
  });

  it.each<[string, object, unknown, RegExp]>([
    ["no layers", {}, [], /layers: expected at least one layer/],
    ["layers that are no list", {}, softmax(), /layers: expected at least one layer/],
    ["a layer that is text", {}, [softmax(), "relu"], /layers\[1\]/],
    ["a layer that is null", {}, [softmax(), null], /layers\[1\]/],
    ["a layer that is left out", {}, Array(2), /layers\[0\]/],
    ["a layer of no type", {}, [{ attributes: {} }], /layers\[0\]/],
    ["a function in the place of what it gives", {}, [softmax], /layers\[0\]/],
    ["an option it does not know", { outputs: {} }, [softmax()], /unknown option "outputs"/],
  ])("refuses %s", (_, options, layers, said) => {
    const refusal = { code: "OPTION_INVALID", message: expect.stringMatching(said) };
    expect(() => sequential({ inputShape: [4], ...options }, layers as never)).toThrow(
      expect.objectContaining(refusal),
    );
  });
});
