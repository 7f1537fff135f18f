/** What a graph is fed, what it gives, and what its layers are called: the ends of a translation. */

import { describe, expect, it } from "vitest";
import type { GraphOperation, ModelGraph, Pair } from "../../src/formats/graph.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { translateGraph } from "../../src/understand/graph/translate.ts";
import { GraphBuilder } from "../fixtures/graphs.ts";

const translated = (graph: ModelGraph, size?: Pair) =>
  translateGraph(
    graph,
    (bytes, what) => decodedBudget(2 ** 30).charge("test", bytes, what),
    (reason) => new Error(reason),
    size,
  );
const refuse = (graph: ModelGraph) => () => translated(graph);
const one: Pair = [1, 1];
const conv: GraphOperation = {
  ...{ type: "convolution", layout: "HWIO", strides: one, dilations: one, padding: "same", groups: 1 },
};
const relu: GraphOperation = { type: "activation", function: "relu" };
const dense: GraphOperation = { type: "dense", transposed: false };
const act = () => new GraphBuilder().node("a", relu);

describe("the input of a graph", () => {
  it.each<[readonly (number | undefined)[], readonly number[], boolean]>([
    [[7], [7], false],
    [[4, 6], [4, 6, 1], false],
    [[4, 6, 2], [4, 6, 2], false],
    [[undefined, 6, 2], [224, 6, 2], true],
    [[4, undefined, 2], [4, 224, 2], true],
    [[undefined, undefined, 2], [224, 224, 2], true],
  ])("of sides %j is %j (open: %s)", (sides, shape, isOpen) => {
    expect(translated(act().graph(sides))).toMatchObject({ inputShape: shape, isOpen });
  });

  it("takes the size of the call where it is open, and only there", () => {
    expect(translated(act().graph([undefined, undefined, 2]), [32, 48]).inputShape).toEqual([32, 48, 2]);
    expect(translated(act().graph([undefined, 6, 2]), [32, 48]).inputShape).toEqual([32, 6, 2]);
    expect(translated(act().graph([4, 6, 2]), [32, 48]).inputShape).toEqual([4, 6, 2]);
  });

  it("may count channels first", () => {
    const first = (shape: readonly number[]): ModelGraph => ({
      ...act().graph(),
      layout: "NCHW",
      inputs: [{ name: "input", shape, isChannelsFirst: true }],
    });
    expect(translated(first([4, 6, 2])).inputShape).toEqual([4, 6, 2]);
    expect(translated(first([4, 6])).inputShape).toEqual([4, 6, 1]);
  });

  it.each<[string, ModelGraph]>([
    ['its input "input" has 0 sides', act().graph([])],
    ['its input "input" has 4 sides', act().graph([2, 2, 2, 2])],
    ['the input "input" leaves its channels open', act().graph([2, 2, undefined])],
    ['the input "input" leaves its channels open', act().graph([undefined])],
    ['the input "input" leaves its channels open', act().graph([2, undefined])],
    ['the shape of its input "input" is not stated', act().graph()],
    ["nothing lies between its input and its result", { ...act().graph([7]), outputs: ["input"] }],
    ["nothing lies between its input and its result", { ...act().graph([7]), outputs: ["a", "input"] }],
    ['nothing computes "b"', { ...act().graph([7]), outputs: ["b"] }],
  ])("is refused: %s", (reason, graph) => {
    expect(refuse(graph)).toThrow(new Error(reason));
  });
});

describe("the results of a graph", () => {
  const classifier = (classes: number, image = [4, 4, 3]) => {
    const g = new GraphBuilder().node("pool", { type: "globalPool", kind: "average" });
    g.node("fc", dense, g.constant("w", [image[2] ?? 0, classes]));
    return g;
  };
  const ends = (g: GraphBuilder, image = [4, 4, 3], outputs = [g.value]) => {
    const { outputs: made, classes } = translated({ ...g.graph(image), outputs });
    return { ...made, ...(classes === undefined ? {} : { classes }) };
  };

  it("are logits of classes, and what is before them an embedding, where a picture comes in", () => {
    const all = { output: "fc", logits: "fc", embedding: "pool", classes: 5 };
    expect(ends(classifier(5))).toEqual(all);
    expect(ends(classifier(5, [4, 4, 1]), [4, 4, 1])).toEqual(all);
    expect(ends(classifier(5, [4, 4, 2]), [4, 4, 2])).toEqual({ output: "fc" });
    expect(ends(classifier(2))).toEqual({ ...all, classes: 2 });
    // One number is no class among others.
    expect(ends(classifier(1))).toEqual({ output: "fc", embedding: "pool" });
  });

  it("are probabilities, whatever comes in", () => {
    const soft = classifier(5, [4, 4, 2]).node("soft", { type: "softmax" });
    expect(ends(soft, [4, 4, 2])).toEqual({
      ...{ output: "soft", logits: "fc", probabilities: "soft", embedding: "pool", classes: 5 },
    });
    const alone = new GraphBuilder().node("soft", { type: "softmax" });
    expect(ends(alone, [7])).toEqual({ output: "soft", logits: "input", probabilities: "soft", classes: 7 });
  });

  it("are an embedding alone, of any pool and behind a view", () => {
    for (const kind of ["average", "max"] as const) {
      const g = new GraphBuilder().node("pool", { type: "globalPool", kind, keepDims: true });
      expect(ends(g)).toEqual({ output: "pool", embedding: "pool" });
      g.node("flat", { type: "reshape", form: { kind: "flatten" } });
      expect(ends(g)).toEqual({ output: "pool_flatten", embedding: "pool_flatten" });
    }
  });

  it("of a classifier by a convolution have their embedding laid in a row", () => {
    const g = new GraphBuilder().node("pool", { type: "globalPool", kind: "average", keepDims: true });
    g.node("fc", conv, g.constant("w", [1, 1, 3, 5])).node("flat", { type: "reshape", form: { kind: "flatten" } });
    expect(ends(g)).toEqual({
      ...{ output: "fc_flatten", logits: "fc_flatten", embedding: "pool_flatten", classes: 5 },
    });
  });

  it("of what is no classifier are only results", () => {
    expect(ends(classifier(5).node("a", relu))).toEqual({ output: "a" });
    const map = new GraphBuilder();
    map.node("c", conv, map.constant("w", [1, 1, 3, 5]));
    expect(ends(map)).toEqual({ output: "c" });
    const rows = new GraphBuilder();
    rows.node("flat", { type: "reshape", form: { kind: "flatten" } }).node("fc", dense, rows.constant("w", [48, 5]));
    expect(ends(rows)).toEqual({ output: "fc", logits: "fc", classes: 5 });
  });

  it("of which there are several have their names, with classes where one is called so", () => {
    const g = classifier(5);
    expect(ends(g, [4, 4, 3], ["pool", "fc"])).toEqual({ pool: "pool", fc: "fc" });
    const named = classifier(5);
    named.node("logits", { type: "add" }, named.constant("b", [5])).node("probabilities", { type: "softmax" });
    expect(ends(named, [4, 4, 3], ["probabilities", "pool"])).toMatchObject({ classes: 5 });
    expect(ends(named, [4, 4, 3], ["pool", "probabilities", "taps"].slice(0, 2))).toMatchObject({ classes: 5 });
    const same = act();
    same.value = same.aside("x/y", relu, "a");
    same.aside("x_y", relu, "a");
    expect(Object.keys(ends(same, [7], ["x/y", "x_y", "a"]))).toEqual(["x_y", "x_y_1", "a"]);
  });

  it("are refused where their numbers would have to move", () => {
    const g = act().node("flat", { type: "reshape" });
    expect(refuse(g.graph([2, 2, 2]))).toThrow(new Error('its result "flat" is a value whose shape is computed'));
  });
});

describe("a layer of a graph", () => {
  it("is called as in the file, as far as that is a name", () => {
    const g = new GraphBuilder();
    const names = ["/a//b c", "--x", "a.b-c_D9", "", "Ä", "é1", "9", `n${"x".repeat(200)}`];
    for (const name of names) g.node(name || "none", relu);
    const found = translated(g.graph([7])).layers.map(({ name }) => name);
    expect(found.slice(0, 3)).toEqual(["a_b_c", "x", "a.b-c_D9"]);
    expect(found.slice(4, 7)).toEqual(["layer", "1", "9"]);
    expect(found.at(-1)?.length).toBeLessThanOrEqual(125);
  });

  it("of an activation has its slope, if it has one", () => {
    const of = (operation: object) => {
      const g = new GraphBuilder().node("a", { type: "activation", ...operation } as GraphOperation);
      return translated(g.node("b", relu).graph([7])).layers[0]?.attributes;
    };
    expect(of({ function: "leakyRelu", slope: 0.25 })).toEqual({ function: "leakyRelu", slope: 0.25 });
    expect(of({ function: "leakyRelu", slope: 0 })).toEqual({ function: "leakyRelu", slope: 0 });
    expect(of({ function: "leakyRelu" })).toEqual({ function: "leakyRelu", slope: 0 });
    expect(of({ function: "relu6" })).toEqual({ function: "relu6" });
    expect(of({ function: "relu6", slope: 5 })).toEqual({ function: "relu6" });
    expect(of({ function: "linear" })).toEqual({ function: "relu" });
    for (const slope of [-0.1, 1, Number.NaN]) {
      expect(() => of({ function: "leakyRelu", slope })).toThrow(new Error(`"a" is a leakyRelu of slope ${slope}`));
    }
  });

  it("with a weight that is computed is refused by it", () => {
    const biased = new GraphBuilder().node("a", relu);
    biased.value = biased.aside("b", conv, "input", biased.constant("w", [1, 1, 3, 3]), "a");
    expect(refuse(biased.graph([4, 4, 3]))).toThrow(new Error('the bias of "b" is computed'));
    const row = new GraphBuilder().node("a", relu);
    row.value = row.aside("b", dense, "input", "a");
    expect(refuse(row.graph([3]))).toThrow(new Error('the kernel of "b" is computed'));
  });

  it("of two operands has two", () => {
    for (const type of ["add", "multiply"] as const) {
      const g = act();
      g.value = g.aside("s", { type }, "a", "a", "input");
      expect(refuse(g.graph([7]))).toThrow(new Error('"s" has 3 operands, not two'));
      const single = act().node("s", { type });
      expect(refuse(single.graph([7]))).toThrow(new Error('"s" has 1 operands, not two'));
    }
  });
});
