/** Batch norm folded away: the same outputs to float32 rounding, from a network that has none left to fold. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { type Network, network, withInfo } from "../../src/layers/index.ts";
import type { NodeDefinition } from "../../src/layers/node.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { foldBatchNorm } from "../../src/weights/fold-batch-norm.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { folded, sample } from "../fixtures/sample-networks.ts";
import { rounds, seedOf } from "../fuzz.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";

/** Statistics that differ from channel to channel, so that a number in the wrong place shows. */
function shaken(model: Network, seed: number): Network {
  const random = mulberry32(seed);
  for (const { name, role } of model.parameterInfo.values()) {
    if (role === "kernel") continue;
    const { data } = model.parameters.get(name)!;
    for (let i = 0; i < data.length; i++) data[i] = role === "variance" ? 0.2 + random() : random() - 0.4;
  }
  return model;
}

/** All outputs, with batch norms run as steps of their own. */
async function outputsOf(model: Network, taps: readonly string[] = []) {
  const session = await compile(model, { backend: "reference", fold: false, taps });
  const result = await session.run(recipe([1, ...model.inputShape], 7, -1, 1));
  session.close();
  const { taps: tapped, ...outputs } = result as unknown as Record<string, FloatTensor> & {
    readonly taps?: Readonly<Record<string, FloatTensor>>;
  };
  return new Map<string, FloatTensor>(Object.entries({ ...outputs, ...tapped }));
}

async function expectSame(model: Network, other: Network, taps: readonly string[] = []): Promise<void> {
  const [one, two] = [await outputsOf(model, taps), await outputsOf(other, taps)];
  expect([...two.keys()]).toEqual([...one.keys()]);
  for (const [name, { data, shape }] of one) {
    expect(two.get(name)!.shape).toEqual(shape);
    const size = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    expect(largestDifference(two.get(name)!.data, data) / size, name).toBeLessThan(2e-5);
  }
}

const norms = ({ layers }: Network) => layers.filter(({ type }) => type === "batchNorm").map(({ name }) => name);

const own = (layers: readonly NodeDefinition[], outputs: Record<string, string>, aliases = {}) =>
  shaken(network({ inputShape: [6, 6, 3], layers, outputs, aliases, seed: 3 }), 5);

const conv = (name: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  name,
  type: "conv2d",
  attributes: { filters: 4, kernel: 3, padding: "same", bias: false },
  ...more,
});
const norm = (name: string, ...inputs: string[]): NodeDefinition => ({
  name,
  type: "batchNorm",
  ...(inputs.length === 0 ? {} : { inputs }),
});

describe("foldBatchNorm of a MobileNet V1", () => {
  const options = fc.record({
    alpha: fc.constantFrom(0.05, 0.1),
    resolution: fc.integer({ min: 32, max: 40 }),
    classes: fc.integer({ min: 1, max: 9 }),
    activation: fc.constantFrom("relu" as const, "relu6" as const, "leakyRelu" as const),
    padding: fc.constantFrom("same" as const, "symmetric" as const),
    convolutionBias: fc.boolean(),
    standardConvolution: fc.boolean(),
    shallow: fc.boolean(),
    includeTop: fc.boolean(),
    epsilon: fc.constantFrom(1e-3, 1e-5),
  });

  it("is the MobileNet V1 that a converter makes, number by number", () => {
    fc.assert(
      fc.property(options, fc.boolean(), fc.integer({ min: 1, max: 999 }), (given, isWide, seed) => {
        const multiplier = isWide && !given.standardConvolution ? { multiplier: 2 } : {};
        const from = sample("random", { ...given, ...multiplier }, seed);
        const made = foldBatchNorm(from.model);
        expect(made.info).toEqual({
          ...from.model.info,
          options: { ...from.model.info.options, batchNorm: false, convolutionBias: true },
        });
        const expected = folded(from).model;
        expect(made.layers).toEqual(expected.layers);
        expect([made.outputs, made.aliases, made.name]).toEqual([expected.outputs, expected.aliases, expected.name]);
        expect([...made.parameters.keys()]).toEqual([...expected.parameters.keys()]);
        for (const [name, { data, shape }] of expected.parameters) {
          const found = made.parameters.get(name)!;
          expect(found.shape).toEqual(shape);
          // Biases are the sum of two, in another order.
          const most = (value: number) => 2 ** -22 * Math.max(1, Math.abs(value));
          const apart = data.findIndex((value, i) => !(Math.abs(found.data[i]! - value) <= most(value)));
          expect([name, apart]).toEqual([name, -1]);
        }
      }),
      { seed: seedOf(20170417), numRuns: rounds(20) },
    );
  });

  it("gives the same outputs, keeps what it knows of itself, and loads again as what it is", async () => {
    const labels = ["a", "b", "c"];
    const made = shaken(mobileNetV1<MobileNetV1Options>({ alpha: 0.1, resolution: 32, classes: 3, labels }), 4);
    const model = await loadModel(encodeModel(made));
    const plain = foldBatchNorm(model);
    await expectSame(model, plain, ["block_3"]);
    expect(norms(plain)).toEqual([]);
    const { options: _, provenance: __, ...kept } = model.info;
    expect(plain.info).toMatchObject(kept);
    const decision = (of: Network, name: string) => describeModel(of).decisions.find((one) => one.name === name);
    for (const [name, value] of [
      ["batchNorm", false],
      ["convolutionBias", true],
    ] as const) {
      expect(decision(plain, name)).toEqual({ name, value, basis: "given", from: "the call of foldBatchNorm" });
    }
    expect(decision(plain, "epsilon")).toEqual(decision(model, "epsilon"));
    const again = await loadModel(encodeModel(plain));
    expect(again.info.architecture).toBe("mobilenet_v1");
    expect(again.info.options).toEqual(plain.info.options);
    expect(again.parameters).toEqual(plain.parameters);
    expect(decision(again, "batchNorm")).toEqual(decision(plain, "batchNorm"));
    const small = await loadModel(encodeModel(plain, { dtype: "I8" }));
    expect(small.info.options).toEqual(plain.info.options);
  });

  it.each([
    ["a layer whose own value is an output", { early: "conv1" }, ["conv1_bn"]],
    ["a batch norm that is an output", { early: "conv1_bn" }, []],
    ["an alias of one's own", {}, ["conv1_bn"]],
  ])("with %s is a network of its own then, and keeps that", async (_what, more, left) => {
    const v1 = mobileNetV1<MobileNetV1Options>({ alpha: 0.1, resolution: 32, classes: 3 });
    const aliases = Object.keys(more).length === 0 ? { ...v1.aliases, mine: "conv1_bn" } : v1.aliases;
    const outputs: Readonly<Record<string, string>> = { ...v1.outputs, ...more };
    const layers = v1.layers.map((node) => ({ ...node, attributes: { ...node.attributes } }));
    const model = shaken(network({ ...v1, layers, outputs, aliases, info: v1.info }), 4);
    const plain = foldBatchNorm(model);
    expect(norms(plain)).toEqual(left);
    await expectSame(model, plain, Object.keys(aliases));
    expect(Object.keys(plain.aliases)).toEqual(Object.keys(aliases));
    expect(plain.info).toEqual({ architecture: "custom", preprocessing: v1.info.preprocessing });
    const again = await loadModel(encodeModel(plain));
    expect([again.outputs, again.layers]).toEqual([plain.outputs, plain.layers]);
  });

  it("that has none comes back as it is", () => {
    const model = mobileNetV1({ alpha: 0.1, resolution: 32, classes: 2, batchNorm: false });
    expect(foldBatchNorm(model)).toBe(model);
  });
});

describe("foldBatchNorm of a network of its own", () => {
  it("folds into each kind of layer, and gives the same outputs", async () => {
    const model = own(
      [
        conv("stem"),
        norm("stem_bn"),
        { name: "deep", type: "depthwiseConv2d", attributes: { kernel: 3, multiplier: 2, padding: "same" } },
        norm("deep_bn"),
        { name: "relu", type: "activation", attributes: { function: "relu" } },
        { name: "point", type: "pointwiseConv2d", attributes: { filters: 5, bias: false } },
        { name: "point_bn", type: "batchNorm", attributes: { epsilon: 0.1, scale: false, center: false } },
        { name: "pool", type: "globalAveragePool" },
        { name: "top", type: "dense", attributes: { filters: 3 } },
        norm("top_bn"),
      ],
      { logits: "top_bn", map: "point_bn" },
      { deep_value: "relu" },
    );
    const labels = ["a", "b", "c"];
    const named = withInfo(model, { labels, background: false, preprocessing: { range: [0, 1] } });
    const plain = foldBatchNorm(named);
    expect(plain.layers.map(({ name }) => name)).toEqual(["stem", "deep", "relu", "point", "pool", "top"]);
    expect(plain.outputs).toEqual({ logits: "top", map: "point" });
    expect(plain.aliases).toEqual({ deep_value: "relu" });
    expect(plain.info).toEqual(named.info);
    await expectSame(named, plain, ["deep_value", "stem"]);
    const again = await loadModel(encodeModel(plain, { dtype: "I8" }));
    expect(again.layers).toEqual(plain.layers);
  });

  it("folds two in a row, and one that stands further on", async () => {
    const model = own(
      [
        conv("left"),
        conv("right", { inputs: ["input"] }),
        norm("left_bn", "left"),
        norm("again", "left_bn"),
        norm("right_bn", "right"),
        { name: "sum", type: "add", inputs: ["again", "right_bn"] },
      ],
      { output: "sum" },
    );
    const plain = foldBatchNorm(model);
    expect(plain.layers.map(({ name, inputs }) => [name, inputs])).toEqual([
      ["left", ["input"]],
      ["right", ["input"]],
      ["sum", ["left", "right"]],
    ]);
    await expectSame(model, plain);
  });

  it("makes one scale and one shift of any number in a row, each number rounded once", () => {
    const count = 400;
    const rows = Array.from({ length: count }, (_, i) => norm(`bn_${i}`));
    const model = own([conv("a"), ...rows], { output: `bn_${count - 1}` });
    for (const { name, role } of model.parameterInfo.values()) {
      const { data } = model.parameters.get(name)!;
      // Scales about 1, so that the product stays a number.
      if (role === "gamma" || role === "variance") data.set(data.map((_, c) => 1 + ((c % 3) - 1) / 64));
    }
    const at = (name: string, c: number) => model.parameters.get(name)!.data[c]!;
    const scale = [1, 1, 1, 1];
    const shift = [0, 0, 0, 0];
    for (const { name } of rows) {
      for (const c of scale.keys()) {
        const factor = at(`${name}/gamma`, c) / Math.sqrt(at(`${name}/moving_variance`, c) + 1e-3);
        shift[c] = (shift[c]! - at(`${name}/moving_mean`, c)) * factor + at(`${name}/beta`, c);
        scale[c] = scale[c]! * factor;
      }
    }
    const plain = foldBatchNorm(model);
    expect(plain.layers.map(({ name }) => name)).toEqual(["a"]);
    expect(plain.outputs).toEqual({ output: "a" });
    const kernel = model.parameters.get("a/kernel")!.data.map((value, i) => value * scale[i % 4]!);
    expect(plain.parameters.get("a/kernel")!.data).toEqual(kernel);
    // The shift's sums stand in another order.
    const found = plain.parameters.get("a/bias")!.data;
    for (const [c, value] of shift.entries())
      expect(Math.abs(found[c]! - value)).toBeLessThan(2 ** -23 * Math.abs(value));
  });

  it("takes a row of as many as a network may have", () => {
    const rows = Array.from({ length: 9_999 }, (_, i) => norm(`bn_${i}`));
    const model = network({ inputShape: [2, 2, 1], layers: [conv("a"), ...rows], outputs: { output: "bn_9998" } });
    expect(foldBatchNorm(model).layers.map(({ name }) => name)).toEqual(["a"]);
  });

  it("keeps the second of two in a row if the first is an output or read by another", () => {
    const layers = [conv("a"), norm("one"), norm("two")];
    const another = { name: "s", type: "add", inputs: ["one", "two"] };
    for (const model of [own(layers, { first: "one", output: "two" }), own([...layers, another], { output: "s" })]) {
      expect(norms(foldBatchNorm(model))).toEqual(["two"]);
    }
  });

  it.each([
    ["that another layer reads", [conv("a"), norm("bn"), { name: "s", type: "add", inputs: ["a", "bn"] }], "s", {}],
    ["that two batch norms read", [conv("a"), norm("b", "a"), norm("c", "a"), sumOf("b", "c")], "sum", {}],
    ["that is tapped by another name", [conv("a"), norm("bn")], "bn", { before: "a" }],
    ["that is no convolution", [{ name: "p", type: "maxPool", attributes: { kernel: 2 } }, norm("bn")], "bn", {}],
    ["that is the input", [norm("bn"), conv("a")], "a", {}],
  ] as const)("leaves one behind a layer %s", (_what, layers, output, aliases) => {
    const model = own(layers as readonly NodeDefinition[], { output }, aliases);
    expect(foldBatchNorm(model)).toBe(model);
  });

  it("leaves one behind a layer that is an output itself", () => {
    const model = own([conv("a"), norm("bn")], { before: "a", output: "bn" });
    expect(foldBatchNorm(model)).toBe(model);
  });

  it.each([
    ["one", ["one", "two"]],
    ["two", ["one", "two"]],
  ])("leaves a row with another name for %s, which means the same value then", async (target, left) => {
    const relu = { name: "r", type: "activation", attributes: { function: "relu" } } as const;
    const layers = [conv("a"), norm("one"), norm("two"), relu, conv("b"), norm("three")];
    const model = own(layers, { output: "three" }, { mine: target });
    const plain = foldBatchNorm(model);
    expect(norms(plain)).toEqual(left);
    await expectSame(model, plain, ["mine"]);
  });

  it.each([
    ["bn/gamma", 1e30, /: "a\/kernel" with its batch norm in it, element 2: expected a finite float32, found Infinity/],
    ["bn/beta", Number.NaN, /: "bn\/beta", element 2: expected a finite float32, found NaN/],
    ["bn/moving_mean", -Infinity, /: "bn\/moving_mean", element 2: expected a finite float32, found -Infinity/],
    [
      "bn/moving_variance",
      -1,
      /: "bn\/moving_variance", element 2: expected a variance, finite and above −0.\d+, found -1/,
    ],
  ])("refuses numbers with which none comes out: %s %s", (parameter, value, message) => {
    const model = own([conv("a"), norm("bn")], { output: "bn" });
    model.parameters.get("a/kernel")!.data.fill(1e30);
    model.parameters.get(parameter)!.data[2] = value;
    const refusal = { code: "VALUES_NOT_FINITE", message: expect.stringMatching(message) };
    expect(() => foldBatchNorm(model)).toThrow(expect.objectContaining(refusal));
  });

  it("folds some and leaves others", async () => {
    const model = own([norm("first"), conv("a"), norm("second"), { name: "r", type: "flatten" }], { output: "r" });
    const plain = foldBatchNorm(model);
    expect(norms(plain)).toEqual(["first"]);
    await expectSame(model, plain);
    expect(foldBatchNorm(plain)).toBe(plain);
  });

  it("refuses a parameter that does not fit", () => {
    const model = own([conv("a"), norm("bn")], { output: "bn" });
    model.parameters.set("bn/moving_mean", recipe([3], 1, 0, 1));
    expect(() => foldBatchNorm(model)).toThrow(/foldBatchNorm: 1 tensor does not fit network: "bn\/moving_mean"/);
  });
});

function sumOf(...inputs: string[]): NodeDefinition {
  return { name: "sum", type: "add", inputs };
}
