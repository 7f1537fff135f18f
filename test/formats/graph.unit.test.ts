/** @slow: it takes more than a second. */

/** Graphs of operations as MobileNet V1: what is understood, on what evidence, and what is refused by name. */

import { describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import type { ModelGraph } from "../../src/formats/graph.ts";
import { joinGraphs } from "../../src/formats/join-graphs.ts";
import { withParameters } from "../../src/layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { decide, optionsOf } from "../../src/understand/architectures/mobilenet-v1/decide.ts";
import { understandGraph } from "../../src/understand/architectures/mobilenet-v1/from-graph.ts";
import { recogniseGraph } from "../../src/understand/graph/recognise.ts";
import { GraphBuilder, type GraphOptions, mobileNetGraph, withSize } from "../fixtures/graphs.ts";

const DEFAULTS = {
  padding: "same",
  epsilon: 1e-3,
  activation: "relu6",
  channelRounding: "truncate",
  preprocessing: {},
  why: "the test's",
} as const;

/** What a graph looks like, and why it is no MobileNet V1, as an error. */
function asV1(graph: ModelGraph, bytes?: number) {
  const found = understandGraph(graph, "test", decodedBudget(bytes));
  if (typeof found === "string") throw new Error(`${recogniseGraph(graph)}: ${found}`);
  return found;
}

function understood(graph: ModelGraph) {
  const { parameters, facts, layerNames } = asV1(graph);
  const decided = decide(parameters, {}, facts, DEFAULTS, "test");
  const model = withParameters(mobileNetV1<MobileNetV1Options>(optionsOf(decided)), parameters, "test");
  return { model, decided, layerNames };
}

const from = (options: GraphOptions) => understood(withSize(mobileNetGraph(options), options));

async function outputs(options: GraphOptions, other: GraphOptions) {
  const results = [];
  for (const each of [options, other]) {
    const { model } = from(each);
    const session = await compile(model, { backend: "reference" });
    const [h = 0, w = 0, c = 0] = model.inputShape;
    const input = Float32Array.from({ length: h * w * c }, (_, i) => Math.sin(i));
    results.push(await session.run(tensor(input, [1, h, w, c])));
    session.close();
  }
  return results.map(({ logits }) => logits.data);
}

describe("a graph as MobileNet V1", () => {
  it("is charged for a constant that many layers share, once for each but the first", () => {
    const graph = mobileNetGraph({ alpha: 1, filters: Array(13).fill(64) }).graph([32, 32, 3]);
    // From the second block on, each has the second's pointwise kernel of 16 KiB.
    const share = (input: string) => (/^op([4-9]|1\d|2\d)\/w$/.test(input) && isPointwise(input) ? "op4/w" : input);
    const isPointwise = (input: string) => graph.constants.get(input)?.shape[0] === 1;
    const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(share) }));
    const load = (bytes: number) => asV1({ ...graph, nodes }, bytes).parameters;
    expect(() => load(11 * 16384 - 1)).toThrow(expect.objectContaining({ code: "FILE_TOO_LARGE" }));
    expect(load(11 * 16384).size).toBeGreaterThan(27);
  });

  it.each([0.25, 0.5, 0.75, 1, 0.33])("finds alpha %d from the widths", (alpha) => {
    expect(from({ alpha }).decided.alpha).toMatchObject({ value: alpha, basis: "inferred" });
  });

  it.each(["same", "keras", "symmetric"] as const)("padding %s is stated", (padding) => {
    expect(from({ padding }).decided.padding).toMatchObject({ value: padding, basis: "stated" });
  });

  it("pads in pixels are TensorFlow's at even sizes, and the description says what else they could be", () => {
    expect(from({ padding: "pixels" }).decided.padding).toMatchObject({
      value: "same",
      basis: "inferred",
      from: expect.stringContaining('"keras" would be the same there'),
    });
  });

  it("pads that are in no style are refused", () => {
    const g = mobileNetGraph({});
    const graph = withSize(g);
    const nodes = graph.nodes.map((node) =>
      node.name === "op3"
        ? {
            ...node,
            operation: {
              ...node.operation,
              padding: [
                [2, 0],
                [2, 0],
              ],
            },
          }
        : node,
    ) as ModelGraph["nodes"];
    expect(() => understood({ ...graph, nodes })).toThrow(/pad in no known style/);
  });

  it("batch norm stays apart, with its epsilon, also where it is written out", () => {
    for (const normalization of ["batchNorm", "writtenOut"] as const) {
      const { decided, model } = from({ normalization, epsilon: 2e-3 });
      expect(decided.epsilon).toMatchObject({ value: 2e-3, basis: "stated" });
      expect(decided.batchNorm?.value).toBe(true);
      expect(model.parameters.has("conv_dw_13_bn/moving_variance")).toBe(true);
    }
  });

  it("both ways of writing batch norm give the same parameters, bit for bit", () => {
    const [a, b] = [from({ normalization: "batchNorm" }), from({ normalization: "writtenOut" })];
    for (const [name, { data }] of a.model.parameters) expect(b.model.parameters.get(name)?.data, name).toEqual(data);
  });

  it("a scale and a shift are folded into the kernel", async () => {
    const { model } = from({ normalization: "scaleShift" });
    expect(model.info.options).toMatchObject({ batchNorm: false, convolutionBias: true });
    const g = mobileNetGraph({ normalization: "scaleShift" });
    const scale = g.constants.get("op0/scale")!.read();
    const kernel = g.constants.get("op0/w")!.read();
    const folded = model.parameters.get("conv1/kernel")!.data;
    expect(folded).toEqual(kernel.map((value, i) => value * scale[i % scale.length]!));
  });

  it("the network computes what the graph's numbers say, whatever form they have", async () => {
    const [a, b] = await outputs({ padding: "same" }, { padding: "pixels" });
    expect(a).toEqual(b);
    const [c, d] = await outputs({ padding: "keras" }, { padding: "same" });
    expect(c).toEqual(d);
  });

  it("relu and leakyRelu are told apart", () => {
    const relu = { type: "activation", function: "relu" } as const;
    expect(from({ activation: relu }).decided.activation).toMatchObject({ value: "relu", basis: "stated" });
    const leaky = { type: "activation", function: "leakyRelu", slope: 0.2 } as const;
    expect(from({ activation: leaky }).decided).toMatchObject({
      activation: { value: "leakyRelu" },
      negativeSlope: { value: 0.2, basis: "stated" },
    });
    const byRange = { type: "activation", function: "relu6", basis: "inferred", from: "a range" } as const;
    expect(from({ activation: byRange }).decided.activation).toEqual({
      value: "relu6",
      basis: "inferred",
      from: "a range",
    });
  });

  it("without a classifier it gives the embedding; without a pool the features", () => {
    expect(from({ classes: null }).model.outputs).toEqual({ embedding: "global_average_pooling2d" });
    const g = mobileNetGraph({ classes: null });
    g.nodes.pop();
    g.value = g.nodes.at(-1)!.name;
    expect(understood(withSize(g)).model.outputs).toHaveProperty("features");
  });

  it("a size that is not stated is inferred from a pool, else assumed", () => {
    expect(from({ size: null }).decided.resolution).toMatchObject({ value: 224, basis: "assumed" });
    const g = mobileNetGraph({ size: null });
    const nodes = g.nodes.map((node) =>
      node.name === "mean"
        ? {
            ...node,
            operation: { type: "pool", kind: "average", kernel: [4, 4], strides: [4, 4], padding: "valid" } as const,
          }
        : node,
    );
    const { decided } = understood({ ...g.graph(), nodes });
    expect(decided.inputSize).toMatchObject({ value: [128, 128], basis: "inferred" });
  });

  it("arithmetic in front becomes the range of the input", () => {
    const g = new GraphBuilder();
    g.node("twice", { type: "multiply" }, g.scalar("two", 2)).node("less", { type: "subtract" }, g.scalar("one", 1));
    const whole = mobileNetGraph({});
    for (const [name, constant] of whole.constants) g.constants.set(name, constant);
    const [first, ...rest] = whole.nodes;
    g.nodes.push({ ...first!, inputs: ["less", ...first!.inputs.slice(1)] }, ...rest);
    g.value = whole.value;
    expect(understood(g.graph([64, 64, 3])).decided.preprocessing).toMatchObject({
      value: { range: [-1, 1] },
      basis: "inferred",
      from: expect.stringContaining("0 to 1"),
    });
  });

  it("strides of its own are kept; an output stride is recognised", () => {
    const strides = [1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];
    const { model, decided } = from({ strides });
    expect(decided.blocks?.value[1]).toEqual({ stride: 1, filters: 128 });
    expect(model.shapes.get("conv_dw_2")).toEqual([32, 32, 16]);
  });

  it("the shallow network is known by its eight blocks", () => {
    const widths = mobileNetGraph({
      blocks: 8,
      strides: [1, 2, 1, 2, 1, 2, 2, 1],
      filters: [64, 128, 128, 256, 256, 512, 1024, 1024],
    });
    const { decided } = understood(withSize(widths));
    expect(decided.shallow?.value).toBe(true);
  });

  it("names of the graph's layers are kept by ours", () => {
    expect(from({}).layerNames.get("conv_pw_1")).toBe("op2");
  });
});

describe("graphs that are no MobileNet V1 are refused by what they look like", () => {
  const refuse = (graph: ModelGraph) => () => asV1(graph);

  it("recurrent, residual, squeeze and excite, another number of blocks", () => {
    const lstm = new GraphBuilder().node("lstm", { type: "other", name: "LSTM" }).graph();
    expect(refuse(lstm)).toThrow(/a recurrent network \(LSTM\)/);
    const residual = mobileNetGraph({});
    residual.nodes.push({ name: "sum", operation: { type: "add" }, inputs: ["op1", "op2"], outputs: ["sum"] });
    residual.value = "sum";
    expect(refuse(withSize(residual))).toThrow(/MobileNet V2 \(inverted residuals: 1 sum/);
    expect(refuse(withSize(mobileNetGraph({ blocks: 4 })))).toThrow(
      /separable network of 4 depthwise layers on 64 × 64 × 3: it has 4 blocks/,
    );
    const swish = mobileNetGraph({});
    swish.node("hs", { type: "other", name: "HARD_SWISH" });
    expect(refuse(withSize(swish))).toThrow(/MobileNet V3/);
  });

  it("a network that ends in two places, or does not depend on its input", () => {
    const g = mobileNetGraph({});
    const graph = withSize(g);
    expect(refuse({ ...graph, outputs: [] })).toThrow(/nothing lies between/);
    expect(refuse({ ...graph, inputs: [...graph.inputs, { name: "second" }] })).toThrow(/2 inputs/);
    const aside = g.aside("alone", { type: "rsqrt" }, "op0/w");
    expect(refuse({ ...withSize(g), outputs: [aside] })).toThrow(/does not depend on the input/);
  });

  it("a loop ends", () => {
    const node = { name: "a", operation: { type: "identity" }, inputs: ["a"], outputs: ["a"] } as const;
    const graph: ModelGraph = {
      kind: "graph",
      inputs: [{ name: "x" }],
      nodes: [node],
      constants: new Map(),
      outputs: ["a"],
    };
    expect(refuse(graph)).toThrow(/nothing computes|does not depend/);
  });

  it("different activations, a kernel of 5, a dilated block", () => {
    const edit = (name: string, change: object) => {
      const graph = withSize(mobileNetGraph({}));
      const nodes = graph.nodes.map((node) =>
        node.name === name ? { ...node, operation: { ...node.operation, ...change } } : node,
      ) as ModelGraph["nodes"];
      return { ...graph, nodes };
    };
    expect(refuse(edit("op4/act", { function: "relu" }))).toThrow(/"op4" ends in relu where others end in relu6/);
    expect(refuse(edit("op3", { dilations: [2, 2] }))).toThrow(/dilated/);
    expect(refuse(edit("op3", { strides: [2, 1] }))).toThrow(/another stride across/);
  });
});

describe("two halves of one network", () => {
  it("are joined where the first ends, unless their quantization differs", () => {
    const body = withSize(mobileNetGraph({ classes: null }));
    const head = new GraphBuilder();
    head.node("fc", { type: "dense", transposed: false }, head.constant("w", [256, 7]), head.constant("b", [7]));
    const second = { ...head.graph([256]) };
    const { model } = understood(joinGraphs(body, second, ["a", "b"]));
    expect(model.info.options).toMatchObject({ classes: 7 });
    const quantized = (scale: number, name: string) =>
      new Map([[name, { dtype: "uint8", scale: [scale], zeroPoint: [0] }]]);
    const join = (scale: number) => () =>
      joinGraphs(
        { ...body, quantization: quantized(0.5, "mean") },
        { ...second, quantization: quantized(scale, "input") },
        ["a", "b"],
      );
    expect(join(0.5)).not.toThrow();
    expect(join(0.25)).toThrow(/quantization of its input/);
    expect(() => joinGraphs(body, { ...second, inputs: [] }, ["a", "b"])).toThrow(/one result/);
  });
});
