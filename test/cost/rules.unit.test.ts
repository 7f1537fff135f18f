/** A network with one layer of every kind: what each row says, what a rule hears, what each convention counts. */

import { describe, expect, it } from "vitest";
import {
  CONVENTIONS,
  type Convention,
  type ConventionName,
  type CountedType,
  conventionNames,
  cost,
  type LayerFacts,
} from "../../src/cost/index.ts";
import { network } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { NODE_TYPES, operationOf } from "../../src/operations/table.ts";

const layer = (
  name: string,
  type: string,
  attributes: Readonly<Record<string, unknown>> = {},
  ...inputs: string[]
) => ({
  name,
  type,
  attributes,
  ...(inputs.length === 0 ? {} : { inputs }),
});

const model = network({
  name: "all",
  inputShape: [6, 8, 4],
  layers: [
    layer("conv", "conv2d", { kernel: [3, 5], filters: 8, stride: [2, 1] }),
    layer("conv_bn", "batchNorm"),
    layer("conv_relu", "activation", { function: "relu" }),
    layer("dw", "depthwiseConv2d", { kernel: 3, multiplier: 2, bias: false }),
    layer("dw_bn", "batchNorm", { scale: false, center: false }),
    layer("dw_relu6", "activation", { function: "relu6" }),
    layer("pw", "pointwiseConv2d", { filters: 8 }),
    layer("sum", "add", {}, "pw", "conv_relu"),
    layer("norm", "batchNorm", { scale: false }),
    layer("product", "multiply", {}, "norm", "conv_relu"),
    layer("average", "averagePool", { kernel: [2, 3] }),
    layer("leaky", "activation", { function: "leakyRelu" }),
    layer("max", "maxPool", { kernel: 2, stride: 2 }),
    layer("mean", "globalAveragePool", { keepDims: true }, "max"),
    layer("most", "globalMaxPool", {}, "max"),
    layer("flat", "flatten", {}, "max"),
    layer("fc", "dense", { filters: 5 }),
    layer("softmax", "softmax"),
  ],
  outputs: { logits: "fc", probabilities: "softmax", mean: "mean", most: "most" },
});

const [C, D, P, F] = [3 * 5 * 4 * 192, 9 * 384, 16 * 192, 64 * 5];

describe("the rows of a count", () => {
  it("say what each is, from which shape to which, and its bytes", () => {
    const rows = cost(model).layers.map(({ name, type, kind, inputShape, outputShape, activationBytes }) =>
      [name, type, kind, inputShape.join("x"), outputShape.join("x"), activationBytes].join(", "),
    );
    expect(rows).toEqual([
      "conv, conv2d, Conv 3x5, 6x8x4, 3x8x8, 768",
      "dw, depthwiseConv2d, Conv DW 3x3, 3x8x8, 3x8x16, 1536",
      "pw, pointwiseConv2d, Conv 1x1, 3x8x16, 3x8x8, 768",
      "sum, add, Add, 3x8x8, 3x8x8, 768",
      "norm, batchNorm, Batch Norm, 3x8x8, 3x8x8, 768",
      "product, multiply, Multiply, 3x8x8, 3x8x8, 768",
      "average, averagePool, Pool, 3x8x8, 3x8x8, 768",
      "leaky, activation, Activation, 3x8x8, 3x8x8, 768",
      "max, maxPool, Pool, 3x8x8, 2x4x8, 256",
      "mean, globalAveragePool, Pool, 2x4x8, 1x1x8, 32",
      "most, globalMaxPool, Pool, 2x4x8, 8, 32",
      "fc, dense, Fully Connected, 64, 5, 20",
      "softmax, softmax, Softmax, 5, 5, 20",
    ]);
  });

  it("have a kernel and a stride where there is a window", () => {
    const windows = cost(model).layers.flatMap(({ name, kernel, stride }) => (kernel ? [[name, kernel, stride]] : []));
    expect(windows).toEqual([
      ["conv", [3, 5], [2, 1]],
      ["dw", [3, 3], [1, 1]],
      ["average", [2, 3], [1, 1]],
      ["max", [2, 2], [2, 2]],
    ]);
    expect(cost(model).layers.filter((row) => "stride" in row)).toHaveLength(4);
    const pair = cost(model).layers.filter((row) => "standardRatio" in row);
    expect(pair.map(({ name }) => name)).toEqual(["dw", "pw"]);
  });

  it("share the totals", () => {
    const { layers, totals, byType } = cost(model, { convention: "thop" });
    const sum = (of: (row: (typeof layers)[number]) => number) => layers.reduce((all, row) => all + of(row), 0);
    expect(totals).toMatchObject({
      multAdds: sum(({ multAdds }) => multAdds ?? 0),
      parameters: sum(({ parameters }) => parameters),
      trainableParameters: sum(({ trainableParameters }) => trainableParameters),
      activationBytes: sum(({ activationBytes }) => activationBytes),
    });
    for (const row of layers) {
      expect(row.multAddsShare).toBe((row.multAdds ?? 0) / (totals.multAdds ?? 0));
      expect(row.parametersShare).toBe(row.parameters / totals.parameters);
    }
    const pools = layers.filter(({ kind }) => kind === "Pool");
    const ofPools = pools.reduce((all, { multAdds }) => all + (multAdds ?? 0), 0);
    expect(byType["Pool"]).toEqual({
      layers: 4,
      multAdds: ofPools,
      multAddsShare: ofPools / (totals.multAdds ?? 0),
      parameters: 0,
      parametersShare: 0,
    });
    expect(byType["Conv 1x1"]).toMatchObject({ parameters: 136, parametersShare: 136 / totals.parameters });
  });

  it("of a network without parameters and products share nothing", () => {
    const pool = network({ inputShape: [4, 4, 1], layers: [layer("p", "maxPool", { kernel: 2 })], outputs: {} });
    expect(cost(pool).layers[0]).toMatchObject({ multAdds: 0, multAddsShare: 0, parameters: 0, parametersShare: 0 });
  });

  it("have no count and no share of operations where the convention has none", () => {
    const { layers, totals, byType, word, convention, network: name } = cost(model, { convention: "keras" });
    for (const row of [...layers, ...Object.values(byType)]) {
      expect(row).toMatchObject({ multAdds: null, multAddsShare: null });
    }
    expect(totals.multAdds).toBeNull();
    expect([word, convention, name]).toEqual([null, "keras", "all"]);
  });
});

describe("a separable pair", () => {
  const dw = layer("dw", "depthwiseConv2d", { kernel: [3, 5], stride: 2, multiplier: 2 });
  const pw = layer("pw", "pointwiseConv2d", { filters: 10 });
  const ratios = (layers: ReturnType<typeof layer>[], outputs: Record<string, string> = {}) =>
    cost(network({ inputShape: [8, 8, 4], layers, outputs })).layers.map(({ standardRatio }) => standardRatio);
  // 4 · 4 pixels: windows of 3 · 5 on 8 channels, and 8 channels to 10, in place of 3 · 5 · 4 · 10.
  const ratio = (15 * 8 + 8 * 10) / (15 * 4 * 10);

  it.each<[string, ReturnType<typeof layer>[], Record<string, string>, (number | undefined)[]]>([
    ["is compared with the convolution in its place", [dw, pw], {}, [ratio, ratio]],
    [
      "is one with a batch norm and an activation between",
      [dw, layer("n", "batchNorm"), layer("r", "activation", { function: "relu" }), pw],
      {},
      [ratio, ratio],
    ],
    [
      "is none with another step between",
      [dw, layer("p", "maxPool", { kernel: 2 }), pw],
      {},
      [undefined, undefined, undefined],
    ],
    ["is none where the second reads something else", [dw, { ...pw, inputs: ["input"] }], {}, [undefined, undefined]],
    ["is none of the classifier", [dw, pw], { logits: "pw" }, [undefined, undefined]],
    ["is none the other way round", [pw, dw], {}, [undefined, undefined]],
    ["is none alone", [dw], {}, [undefined]],
  ])("%s", (_, layers, outputs, expected) => {
    expect(ratios(layers, outputs)).toEqual(expected);
  });

  it("says so in multiply-adds under every convention", () => {
    const { layers } = cost(network({ inputShape: [8, 8, 4], layers: [dw, pw], outputs: {} }), { convention: "keras" });
    expect(layers.map(({ standardRatio }) => standardRatio)).toEqual([ratio, ratio]);
  });
});

describe("the classifier", () => {
  const kinds = (type: string, attributes: object, shape: readonly number[], logits = "c") =>
    cost(network({ inputShape: shape, layers: [layer("c", type, { filters: 2, ...attributes })], outputs: { logits } }))
      .layers[0]?.kind;

  it.each<[string, () => string | undefined, string]>([
    ["a pointwise layer of one pixel", () => kinds("pointwiseConv2d", {}, [1, 1, 4]), "Fully Connected"],
    ["a convolution of one tap, of one pixel", () => kinds("conv2d", { kernel: 1 }, [1, 1, 4]), "Fully Connected"],
    ["a dense layer", () => kinds("dense", {}, [4]), "Fully Connected"],
    ["a pointwise layer of more pixels", () => kinds("pointwiseConv2d", {}, [1, 2, 4]), "Conv 1x1"],
    ["a pointwise layer of more rows", () => kinds("pointwiseConv2d", {}, [2, 1, 4]), "Conv 1x1"],
    ["a convolution of more taps", () => kinds("conv2d", { kernel: [1, 3] }, [1, 1, 4]), "Conv 1x3"],
    ["a pointwise layer that makes something else", () => kinds("pointwiseConv2d", {}, [1, 1, 4], "input"), "Conv 1x1"],
  ])("%s", (_, kind, expected) => {
    expect(kind()).toBe(expected);
  });

  it("is where the logits are held, behind a view too", () => {
    const { layers } = cost(mobileNetV1({ alpha: 0.25, resolution: 32 }));
    expect(layers.filter(({ kind }) => kind === "Fully Connected").map(({ name }) => name)).toEqual(["conv_preds"]);
  });
});

describe("a rule", () => {
  it("hears of each layer by itself, of one image", () => {
    const heard = new Map<string, Partial<LayerFacts>>();
    const rule = ({ name, ...facts }: LayerFacts) => {
      heard.set(name, facts);
      return 1;
    };
    const types = NODE_TYPES.filter((type) => !operationOf(type).isView) as CountedType[];
    const operations = Object.fromEntries(types.map((type) => [type, rule]));
    const convention: Convention = { name: "mine", word: "calls", source: "a test", operations, parameters: {} };
    expect(cost(model, { convention }).totals).toMatchObject({ multAdds: 17, parameters: 0 });

    const plain = {
      isClassifier: false,
      multAdds: 0,
      windowArea: 1,
      hasBias: false,
      isAffine: false,
      activation: undefined,
    };
    const facts = (
      type: CountedType,
      inputElements: number,
      outputElements: number,
      more: Partial<LayerFacts> = {},
    ) => ({
      ...plain,
      type,
      inputElements,
      outputElements,
      ...more,
    });
    expect(Object.fromEntries(heard)).toEqual({
      conv: facts("conv2d", 192, 192, { multAdds: C, windowArea: 15, hasBias: true }),
      conv_bn: facts("batchNorm", 192, 192, { isAffine: true }),
      conv_relu: facts("activation", 192, 192, { activation: "relu" }),
      dw: facts("depthwiseConv2d", 192, 384, { multAdds: D, windowArea: 9 }),
      dw_bn: facts("batchNorm", 384, 384),
      dw_relu6: facts("activation", 384, 384, { activation: "relu6" }),
      pw: facts("pointwiseConv2d", 384, 192, { multAdds: P, hasBias: true }),
      sum: facts("add", 192, 192),
      norm: facts("batchNorm", 192, 192, { isAffine: true }),
      product: facts("multiply", 192, 192),
      average: facts("averagePool", 192, 192, { windowArea: 6 }),
      leaky: facts("activation", 192, 192, { activation: "leakyRelu" }),
      max: facts("maxPool", 192, 64, { windowArea: 4 }),
      mean: facts("globalAveragePool", 64, 8, { windowArea: 8 }),
      most: facts("globalMaxPool", 64, 8, { windowArea: 8 }),
      fc: facts("dense", 64, 5, { multAdds: F, hasBias: true, isClassifier: true }),
      softmax: facts("softmax", 5, 5),
    });
  });

  it.each([Number.NaN, Infinity, undefined])("that gives %s is refused by the type of its layer", (count) => {
    const convention = { name: "mine", word: "x", source: "a test", operations: { add: () => count }, parameters: {} };
    expect(() => cost(model, { convention: convention as never })).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        fields: expect.objectContaining({ option: "convention.operations.add", found: count }),
      }),
    );
  });

  it("is not asked about a classifier that does not count, whose parameters do not count either", () => {
    const rule = ({ isClassifier }: LayerFacts) => (isClassifier ? Number.NaN : 1);
    const convention: Convention = {
      name: "base",
      word: "layers",
      source: "a test",
      operations: { dense: rule, softmax: rule },
      parameters: { bias: 1 },
      classifier: false,
    };
    expect(cost(model, { convention }).totals).toMatchObject({ multAdds: 1, parameters: 8 + 8 });
  });
});

describe("a named convention", () => {
  const R = 192;
  /** Of conv, dw, pw, norm, average, leaky, max, mean, most and fc; sums, products and softmax count nothing. */
  const OPERATIONS: Readonly<Record<ConventionName, readonly number[] | null>> = {
    paper: [C, D, P, 0, 0, 0, 0, 0, 0, F],
    slim: [C, D, P, 0, 0, 0, 0, 0, 0, F],
    "slim-base": [C, D, P, 0, 0, 0, 0, 0, 0, 0],
    keras: null,
    thop: [C + 4 * R, D + 2 * 384, P, 4 * R, R, 0, 0, (8 + 1) * 8, 0, F],
    "thop-fixed-pool": [C + 4 * R, D + 2 * 384, P, 4 * R, R, 0, 0, 8, 0, F],
    "thop-0.0.31": [C + R + 2 * R, D + 2 * 384, P + R, 2 * R, R, 0, 0, (8 + 1) * 8, 0, F],
    ptflops: [C + R + 2 * R + 2 * R, D + 384 + 384, P + R, 2 * R, 2 * R, 0, 2 * R, 2 * 64, 2 * 64, F + 5],
    "ptflops-relu": [C + R + 2 * R + 2 * R, D + 384 + 2 * 384, P + R, 2 * R, 2 * R, 0, 2 * R, 2 * 64, 2 * 64, F + 5],
    "ptflops-no-functional": [C + R + 2 * R + R, D + 384 + 384, P + R, 2 * R, R, 0, R, 64, 64, F + 5],
    "ptflops-aten": [C + R, D, P + R, 0, 0, 0, 0, 0, 0, F + 5],
    fvcore: [C + 2 * R, D + 384, P, 2 * R, 0, 0, 0, 64, 0, F],
    "fvcore-fixed-pool": [C + 2 * R, D + 384, P, 2 * R, 0, 0, 0, 0, 0, F],
    hardware: [2 * C, 2 * D, 2 * P, 0, 0, 0, 0, 0, 0, 2 * F],
  };
  const weights = 480 + 144 + 128 + F;
  /** Biases, gammas, betas, statistics. */
  const [b, g, e, s] = [8 + 8 + 5, 8, 8 + 8, 16 + 32 + 16];
  const PARAMETERS: Partial<Record<ConventionName, readonly [all: number, trainable: number]>> = {
    paper: [weights, weights],
    hardware: [weights, weights],
    slim: [weights + b + e + s, weights + b + e],
    "slim-base": [weights - F, weights - F],
    keras: [weights + b + g + e + s, weights + b + g + e],
  };

  it.each(conventionNames)("%s counts as its source says", (name) => {
    const uncounted = ["sum", "product", "softmax"];
    const { layers, totals, word, convention } = cost(model, { convention: name });
    const rows = layers.filter((row) => !uncounted.includes(row.name)).map(({ multAdds }) => multAdds);
    expect(rows).toEqual(OPERATIONS[name] ?? rows.map(() => null));
    const [all, trainable] = PARAMETERS[name] ?? [weights + b + g + e, weights + b + g + e];
    expect([totals.parameters, totals.trainableParameters]).toEqual([all, trainable]);
    expect([convention, word]).toEqual([name, CONVENTIONS[name].word]);
    expect(cost(model, { convention: CONVENTIONS[name] })).toEqual(cost(model, { convention: name }));
  });

  it.each([
    [{}, 4],
    [{ scale: false }, 4],
    [{ center: false }, 4],
    [{ scale: false, center: false }, 2],
  ])("counts a batch norm of %j as affine or not: %d for each element", (attributes, factor) => {
    const norm = network({ inputShape: [10], layers: [layer("n", "batchNorm", attributes)], outputs: {} });
    expect(cost(norm, { convention: "thop" }).totals.multAdds).toBe(10 * factor);
  });

  it("may be a pointwise classifier whose bias thop 0.0.31 leaves out", () => {
    const end = network({
      inputShape: [1, 1, 4],
      layers: [layer("c", "pointwiseConv2d", { filters: 2 })],
      outputs: { logits: "c" },
    });
    expect(cost(end, { convention: "thop-0.0.31" }).totals.multAdds).toBe(8);
    expect(cost(end, { convention: "ptflops" }).totals.multAdds).toBe(10);
  });

  it("is the paper's unless it is said", () => {
    expect(cost(model)).toEqual(cost(model, { convention: "paper" }));
  });

  const own = { name: "mine", word: "x", source: "a test", operations: {}, parameters: {} };
  it.each<[unknown, string, unknown]>([
    ["flops", "convention", "flops"],
    ["toString", "convention", "toString"],
    [7, "convention", 7],
    [null, "convention", null],
    [{ ...own, name: 5 }, "convention.name", 5],
    [{ ...own, word: 5 }, "convention.word", 5],
    [{ ...own, operations: "all" }, "convention.operations", "all"],
    [{ ...own, operations: undefined }, "convention.operations", undefined],
    [{ ...own, operations: { conv2d: 1 } }, "convention.operations.conv2d", 1],
    [{ ...own, parameters: null }, "convention.parameters", null],
    [{ ...own, parameters: 1 }, "convention.parameters", 1],
    [{ ...own, parameters: { bias: Number.NaN } }, "convention.parameters.bias", Number.NaN],
    [{ ...own, colour: 1 }, "colour", undefined],
  ])("%j is none", (convention, option, found) => {
    const fields = expect.objectContaining(found === undefined ? { option } : { option, found });
    expect(() => cost(model, { convention: convention as never })).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", fields }),
    );
  });

  it("may have no word and no operations, and all that a convention may have", () => {
    const convention: Convention = { ...own, word: null, operations: null, notes: "none", classifier: true };
    expect(cost(model, { convention }).totals).toMatchObject({ multAdds: null, parameters: 0 });
  });

  it("is suggested where a name is near, and all are listed where none is", () => {
    expect(() => cost(model, { convention: "tohp" as never })).toThrow(/Did you mean "thop"\?$/);
    expect(() => cost(model, { convention: "something" as never })).toThrow(
      /Known names: paper, slim, slim-base, keras,/,
    );
  });
});

describe("cost", () => {
  it("refuses what is no network, and options it does not know", () => {
    expect(() => cost({} as never)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
    const fields = expect.objectContaining({ owner: "cost", option: "conventions" });
    expect(() => cost(model, { conventions: "paper" } as never)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", fields }),
    );
  });

  it("has the peak of a session that keeps its outputs", () => {
    const bytes = (outputs: Record<string, string>) =>
      cost(
        network({
          inputShape: [4, 4, 2],
          layers: ["a", "b", "c"].map((name) => layer(name, "pointwiseConv2d", { filters: 2 })),
          outputs,
        }),
      ).totals.peakActivationBytes;
    expect(bytes({ y: "c" })).toBe(4 * 64);
    expect(bytes({ y: "c", a: "a" })).toBe(4 * 96);
    expect(bytes({ y: "c", a: "a", b: "b" })).toBe(4 * 96);
    expect(bytes({ y: "c", a: "a", b: "b", input: "input" })).toBe(4 * 128);
  });
});
