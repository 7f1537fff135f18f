/** Arithmetic behind a kernel and by itself, each step before each other: what TensorFlow.js computes, in few layers. */

import { describe, expect, it } from "vitest";
import type { GraphOperation, ModelGraph, Pair } from "../../src/formats/graph.ts";
import { network, withParameters } from "../../src/layers/network.ts";
import { compile } from "../../src/session/compile.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { translateGraph } from "../../src/understand/graph/translate.ts";
import { GraphBuilder } from "../fixtures/graphs.ts";
import { interpret } from "../fixtures/tfjs-interpreter.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";

const image = [3, 2, 3];
const one: Pair = [1, 1];
const conv: GraphOperation = {
  ...{ type: "convolution", layout: "HWIO", strides: one, dilations: one, padding: "same", groups: 1 },
};
const relu: GraphOperation = { type: "activation", function: "relu" };

function translated(graph: ModelGraph) {
  const charge = (bytes: number, what: string) => decodedBudget(2 ** 30).charge("test", bytes, what);
  return translateGraph(graph, charge, (reason) => new Error(reason));
}

/** The types of the layers, if they give what TensorFlow.js computes of the graph. */
async function layersOf(graph: ModelGraph): Promise<readonly string[]> {
  const { inputShape, layers, outputs, parameters } = translated(graph);
  const model = withParameters(network({ inputShape, layers, outputs }), parameters);
  const session = await compile(model, { backend: "reference" });
  const { data } = recipe(inputShape, 3, -1, 1);
  const { output } = (await session.run(data)) as Record<string, { data: Float32Array }>;
  session.close();
  const [expected] = await interpret(graph, data, [1, ...inputShape]);
  expect(largestDifference(output!.data, expected!)).toBeLessThan(1e-5);
  return layers.map(({ type }) => type);
}

type Step = (g: GraphBuilder, name: string, channels: number) => unknown;
const by =
  (type: "add" | "subtract" | "multiply" | "divide", low = -0.5, high = 0.5): Step =>
  (g, name, channels) =>
    g.node(name, { type }, g.constant(`${name}/c`, [channels], low, high));
const norm =
  (...absent: readonly number[]): Step =>
  (g, name, channels) => {
    const parts = ["gamma", "beta", "mean", "variance"].map((part, i) => {
      const low = part === "variance" ? 0.5 : -0.5;
      return absent.includes(i) ? "" : g.constant(`${name}/${part}`, [channels], low, low + 1);
    });
    g.node(name, { type: "batchNorm", epsilon: 1e-3 }, ...parts);
  };
const STEPS: Readonly<Record<string, Step>> = {
  add: by("add"),
  subtract: by("subtract"),
  multiply: by("multiply"),
  divide: by("divide", 0.5, 1.5),
  "subtract from": (g, name, channels) => {
    g.value = g.aside(name, { type: "subtract" }, g.constant(`${name}/c`, [channels]), g.value);
  },
  "times a number": (g, name) => g.node(name, { type: "multiply" }, g.scalar(`${name}/c`, 0.5)),
  "batch norm": norm(),
  "batch norm without gamma and beta": norm(0, 1),
  "batch norm of variances alone": norm(0, 1, 2),
};
const pairs = Object.keys(STEPS).flatMap((first) => Object.keys(STEPS).map((second): Pair2 => [first, second]));
type Pair2 = readonly [string, string];

describe.each(["with a bias", "without one"])("behind a convolution %s", (bias) => {
  it.each(pairs)("%s, then %s", async (first, second) => {
    const g = new GraphBuilder();
    const kernel = g.constant("w", [1, 1, 3, 4]);
    g.node("a", conv, kernel, ...(bias === "with a bias" ? [g.constant("b", [4])] : []));
    STEPS[first]?.(g, "first", 4);
    STEPS[second]?.(g, "second", 4);
    const types = await layersOf(g.graph(image));
    const hasNorm = `${first} ${second}`.includes("batch norm");
    expect(types).toEqual(["pointwiseConv2d", ...(hasNorm ? ["batchNorm"] : [])]);
  });
});

describe("behind a depthwise convolution and a dense layer", () => {
  it.each(Object.keys(STEPS))("%s", async (step) => {
    const g = new GraphBuilder();
    g.node("d", { ...conv, layout: "HWIM" } as GraphOperation, g.constant("w", [3, 3, 3, 2]), g.constant("b", [6]));
    STEPS[step]?.(g, "first", 6);
    g.node("pool", { type: "globalPool", kind: "average" });
    g.node("fc", { type: "dense", transposed: false }, g.constant("v", [6, 5]), g.constant("c", [5]));
    STEPS[step]?.(g, "second", 5);
    expect((await layersOf(g.graph(image)))[0]).toBe("depthwiseConv2d");
  });
});

describe("by itself", () => {
  it.each(pairs)("%s, then %s", async (first, second) => {
    const g = new GraphBuilder();
    STEPS[first]?.(g, "first", 3);
    STEPS[second]?.(g, "second", 3);
    expect(await layersOf(g.graph(image))).toEqual(["batchNorm"]);
  });
});

describe("arithmetic of which most changes nothing", () => {
  it.each([
    ["add", [0, 1, 0], 1],
    ["add", [0, 0, 0], 0],
    ["multiply", [1, 2, 1], 1],
    ["multiply", [1, 1, 1], 0],
  ] as const)("%s %j is %d layers", async (type, values, count) => {
    const g = new GraphBuilder().node("x", relu);
    g.constants.set("c", { name: "c", shape: [3], read: () => Float32Array.from(values) });
    expect(await layersOf(g.node("y", { type }, "c").graph(image))).toHaveLength(1 + count);
  });
});

describe("batch norm that is written out", () => {
  const part = (g: GraphBuilder, name: string) =>
    g.constant(name, [4], name === "v" ? 0.5 : -0.5, name === "v" ? 1.5 : 0.5);
  /** y = x · M + S, with M = rsqrt(v + ε) · γ and S = β − μ · M; each product and sum in either order. */
  const spelled = (turned: number, epsilon = 2e-3) => {
    const g = new GraphBuilder();
    const two = (bit: number, a: string, b: string) => (turned & bit ? [b, a] : [a, b]);
    g.node("a", conv, g.constant("w", [1, 1, 3, 4]));
    const sum = g.aside("s", { type: "add" }, ...two(1, part(g, "v"), g.scalar("e", epsilon)));
    const root = g.aside("r", { type: "rsqrt" }, sum);
    const scale = g.aside("M", { type: "multiply" }, ...two(2, root, part(g, "gamma")));
    const product = g.aside("p", { type: "multiply" }, ...two(4, part(g, "mu"), scale));
    const shift = g.aside("S", { type: "subtract" }, part(g, "beta"), product);
    g.value = g.aside("y", { type: "multiply" }, ...two(8, "a", scale));
    g.value = g.aside("z", { type: "add" }, ...two(16, "y", shift));
    return g;
  };

  it.each(Array.from({ length: 32 }, (_, i) => i))(
    "in order %d is one layer of batch norm, with its epsilon",
    async (turned) => {
      const graph = spelled(turned).graph(image);
      expect(await layersOf(graph)).toEqual(["pointwiseConv2d", "batchNorm"]);
      const norm = translated(graph).layers.at(-1);
      expect(norm?.attributes).toMatchObject({ epsilon: 2e-3 });
    },
  );

  it("takes a float32 for the shortest number that was meant by it", () => {
    const epsilon = (value: number) =>
      translated(spelled(0, value).graph(image)).layers.at(-1)?.attributes?.["epsilon"];
    expect(epsilon(Math.fround(1e-3))).toBe(1e-3);
    expect(epsilon(Math.fround(0.00123456789))).toBe(0.0012345678);
  });

  it("keeps the numbers of the file", () => {
    const g = spelled(0);
    const { parameters, layers } = translated(g.graph(image));
    const name = layers.at(-1)?.name;
    for (const [ours, theirs] of [
      ["gamma", "gamma"],
      ["beta", "beta"],
      ["moving_mean", "mu"],
      ["moving_variance", "v"],
    ] as const) {
      expect(parameters.get(`${name}/${ours}`)?.data).toEqual(g.constants.get(theirs)?.read());
    }
  });

  it("is a scale and a shift where it is another formula", async () => {
    const other = (change: (g: GraphBuilder) => void) => {
      const g = spelled(0);
      change(g);
      return g.graph(image);
    };
    const replaced =
      (name: string, operation: GraphOperation, ...inputs: string[]) =>
      (g: GraphBuilder) => {
        const at = g.nodes.findIndex((node) => node.name === name);
        g.nodes[at] = { name, operation, inputs, outputs: [name] };
      };
    const graphs = [
      other(replaced("S", { type: "add" }, "beta", "p")),
      other(replaced("p", { type: "multiply" }, "mu", "gamma")),
      other(replaced("s", { type: "multiply" }, "v", "e")),
      other(replaced("s", { type: "add" }, "v", "gamma2")),
      other(replaced("M", { type: "divide" }, "r", "gamma")),
      other(replaced("z", { type: "subtract" }, "y", "S")),
      other(replaced("y", { type: "divide" }, "a", "M")),
      other(replaced("z", { type: "add" }, "y", "beta")),
      other(replaced("M", { type: "multiply" }, "gamma", "beta")),
      other(replaced("M", { type: "divide" }, "s", "gamma")),
    ];
    for (const graph of graphs) {
      const constants = new Map(graph.constants);
      constants.set("gamma2", { name: "gamma2", shape: [4], read: () => Float32Array.of(1, 2, 3, 4) });
      expect(await layersOf({ ...graph, constants })).toEqual(["pointwiseConv2d"]);
    }
  });
});

describe("hard activations that are written out", () => {
  /** relu6(x + 3) / 6, or times 1/6, and x times that; each sum and product in either order. */
  const spelled = (turned: number, kind: "gate" | "swish" | "product", number = 6, three = 3) => {
    const g = new GraphBuilder().node("x", relu);
    const two = (bit: number, a: string, b: string) => (turned & bit ? [b, a] : [a, b]);
    const sum = g.aside("s", { type: "add" }, ...two(1, "x", g.scalar("3", three)));
    const bounded = g.aside("r", { type: "activation", function: "relu6" }, sum);
    const sixth = (name: string, value: string) =>
      turned & 2
        ? g.aside(name, { type: "divide" }, value, g.scalar("6", number))
        : g.aside(name, { type: "multiply" }, ...two(4, value, g.scalar("1/6", 1 / number)));
    if (kind === "product") g.value = sixth("y", g.aside("p", { type: "multiply" }, ...two(8, "x", bounded)));
    else {
      g.value = sixth("g", bounded);
      if (kind === "swish") g.value = g.aside("y", { type: "multiply" }, ...two(8, "x", g.value));
    }
    return g.graph(image);
  };
  const functions = (graph: ModelGraph) => translated(graph).layers.map(({ attributes }) => attributes?.["function"]);
  const turns = Array.from({ length: 16 }, (_, i) => i);

  it.each(turns)("in order %d are one layer", async (turned) => {
    expect(functions(spelled(turned, "gate"))).toEqual(["relu", "hardSigmoid"]);
    expect(functions(spelled(turned, "swish"))).toEqual(["relu", "hardSwish"]);
    expect(functions(spelled(turned, "product"))).toEqual(["relu", "hardSwish"]);
    for (const kind of ["gate", "swish", "product"] as const) await layersOf(spelled(turned, kind));
  });

  it("are none with other numbers, or of a quotient by them", async () => {
    for (const graph of [
      spelled(0, "swish", 5),
      spelled(2, "swish", 7),
      spelled(0, "product", 5),
      spelled(2, "gate", 6, 2),
      spelled(0, "product", 6, 4),
    ]) {
      expect(functions(graph).filter((name) => String(name).startsWith("hard"))).toEqual([]);
      await layersOf(graph);
    }
    const g = new GraphBuilder().node("s", { type: "add" }, "3").node("r", { type: "activation", function: "relu6" });
    g.scalar("3", 3);
    g.value = g.aside("q", { type: "divide" }, g.scalar("6", 6), "r");
    expect(() => translated(g.graph(image))).toThrow("divides by what is computed");
  });

  it("are none of another value, or of numbers for each channel", async () => {
    const g = new GraphBuilder().node("x", relu);
    const bounded = g.aside(
      "r",
      { type: "activation", function: "relu6" },
      g.aside("s", { type: "add" }, "x", g.scalar("3", 3)),
    );
    const gate = g.aside("g", { type: "multiply" }, bounded, g.scalar("6", 1 / 6));
    g.value = g.aside("y", { type: "multiply" }, gate, "input");
    expect(functions(g.graph(image))).toEqual(["relu", "hardSigmoid", undefined]);
    await layersOf(g.graph(image));
    const each = new GraphBuilder().node("x", relu);
    each.constants.set("3", { name: "3", shape: [3], read: () => Float32Array.of(3, 3, 3) });
    each.node("s", { type: "add" }, "3").node("r", { type: "activation", function: "relu6" });
    each.node("g", { type: "multiply" }, each.scalar("6", 1 / 6));
    expect(functions(each.graph(image))).not.toContain("hardSigmoid");
    await layersOf(each.graph(image));
  });
});
