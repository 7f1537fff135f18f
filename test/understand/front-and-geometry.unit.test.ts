/** What a graph of MobileNet V1 does to its pixels, and its strides and pads: as the options that say just that. */

import { describe, expect, it } from "vitest";
import type { Preprocessing } from "../../src/core/preprocessing.ts";
import { stated } from "../../src/formats/fact.ts";
import type { GraphNode, ModelGraph } from "../../src/formats/graph.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { understandGraph } from "../../src/understand/architectures/mobilenet-v1/from-graph.ts";
import { usualTop } from "../../src/understand/graph/front.ts";
import { GraphBuilder, type GraphOptions, mobileNetGraph, withSize } from "../fixtures/graphs.ts";

const found = (graph: ModelGraph, fed?: Preprocessing) =>
  understandGraph(graph, "test", decodedBudget(), fed && stated(fed, "the file"));
function facts(graph: ModelGraph, fed?: Preprocessing) {
  const understood = found(graph, fed);
  if (typeof understood === "string") throw new Error(understood);
  return understood.facts;
}

/** The network behind what `build` does to its input. */
function behind(build: (g: GraphBuilder) => unknown): ModelGraph {
  const g = new GraphBuilder();
  build(g);
  const whole = mobileNetGraph();
  for (const [name, constant] of whole.constants) g.constants.set(name, constant);
  const [first, ...rest] = whole.nodes;
  g.nodes.push({ ...first!, inputs: [g.value, ...first!.inputs.slice(1)] }, ...rest);
  g.value = whole.value;
  return g.graph([64, 64, 3]);
}
/** A constant of these numbers. */
function vector(g: GraphBuilder, name: string, values: readonly number[]): string {
  g.constants.set(name, { name, shape: [values.length], read: () => Float32Array.from(values) });
  return name;
}

describe("arithmetic in front of the first layer", () => {
  const scaled = (scale: number, shift: number) => (g: GraphBuilder) =>
    g.node("m", { type: "multiply" }, g.scalar("s", scale)).node("a", { type: "add" }, g.scalar("t", shift));

  it.each<[number, number, readonly number[], 1 | 255]>([
    [2, -1, [-1, 1], 1],
    [1 / 127.5, -1, [-1, 1], 255],
    [1 / 255, 0, [0, 1], 255],
    [0.125, 0.5, [0.5, 0.625], 1],
    [-1, 0, [0, -1], 1],
  ])("x · %d + %d is the range %j", (scale, shift, [low = 0, high = 0], top) => {
    const { preprocessing } = facts(behind(scaled(scale, shift)));
    expect(preprocessing).toMatchObject({
      basis: "inferred",
      from: `the graph's own arithmetic on inputs of 0 to ${top}`,
    });
    const [first = Number.NaN, last = Number.NaN] = preprocessing?.value.range ?? [];
    expect(first).toBeCloseTo(low, 6);
    expect(last).toBeCloseTo(high, 6);
  });

  it("is followed step by step, whatever it is", () => {
    const graph = behind((g) => {
      g.node("m", { type: "divide" }, g.scalar("two", 0.5)).node("a", { type: "subtract" }, g.scalar("one", 1));
      g.value = g.aside("s", { type: "subtract" }, g.scalar("three", 3), g.value);
    });
    // 3 − (2x − 1)
    expect(facts(graph).preprocessing?.value).toEqual({ range: [4, 2] });
  });

  it("that is another for each channel is a mean and a deviation", () => {
    const graph = behind((g) => {
      g.node("m", { type: "multiply" }, vector(g, "s", [2, 4, 2]));
      g.node("a", { type: "add" }, vector(g, "t", [-1, -1, -0.5]));
    });
    expect(facts(graph).preprocessing?.value).toEqual({ mean: [0.5, 0.25, 0.25], deviation: [0.5, 0.25, 0.5] });
  });

  it("comes behind what the file says that it is fed", () => {
    const half = behind(scaled(0.5, 1));
    const value = (fed: Preprocessing) => facts(half, fed).preprocessing;
    expect(value({ range: [0, 255], channelOrder: "bgr", cropFraction: 0.5 })).toEqual({
      value: { range: [1, 128.5], channelOrder: "bgr", cropFraction: 0.5 },
      basis: "stated",
      from: "the file, then the graph's own arithmetic",
    });
    // (x − mean) / deviation · 0.5 + 1
    expect(value({ mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] })?.value).toEqual({ range: [0, 2] });
    expect(value({ mean: [0.5, 0.25, 0.5], deviation: [0.5, 0.5, 0.25] })?.value).toEqual({
      mean: [-0.5, -0.75, 0],
      deviation: [1, 1, 0.5],
    });
  });

  it("that is none says nothing, whatever the file says", () => {
    expect(facts(withSize(mobileNetGraph()))).not.toHaveProperty("preprocessing");
    expect(facts(withSize(mobileNetGraph()), { range: [0, 1] })).not.toHaveProperty("preprocessing");
  });

  it("that no pixel could be given is a reason against it", () => {
    const norm = behind((g) => {
      const parts = ["gamma", "beta", "mean", "variance"].map((part) => g.constant(`n/${part}`, [3], 0.5, 1.5));
      g.node("n", { type: "batchNorm", epsilon: 1e-3 }, ...parts);
    });
    expect(found(norm)).toBe("batch norm stands in front of its first layer");
    const two = behind((g) => g.node("m", { type: "multiply" }, vector(g, "s", [1, 2])));
    expect(found(two)).toBe("what is done to its input does not fit the channels");
  });

  it("is meant for bytes where it makes them small", () => {
    const tops: [scale: number | undefined, shift: number | undefined, top: number][] = [
      [undefined, undefined, 1],
      [0.125, 0, 1],
      [0.124, 0, 255],
      [-0.125, 0, 1],
      [-0.124, 0, 255],
      [1, 8, 1],
      [1, 8.1, 255],
      [1, -8.1, 255],
      [2, 16, 1],
      [2, -17, 255],
    ];
    for (const [scale, shift, top] of tops) expect(usualTop(scale, shift), `${scale} ${shift}`).toBe(top);
  });
});

/** The network of `options`, each named operation with its change. */
function edited(changes: Readonly<Record<string, object>>, options: GraphOptions = {}): ModelGraph {
  const graph = withSize(mobileNetGraph(options), options);
  const nodes = graph.nodes.map((node) => {
    return { ...node, operation: { ...node.operation, ...changes[node.name] } } as GraphNode;
  });
  return { ...graph, nodes };
}

describe("the geometry of the layers", () => {
  it("is the paper's, and no fact", () => {
    const names = Object.keys(facts(withSize(mobileNetGraph())));
    for (const name of ["outputStride", "blocks", "stem", "shallow", "stemPadding"]) expect(names).not.toContain(name);
  });

  it("is an output stride where strides became dilations", () => {
    const one = { strides: [1, 1] };
    const two = { dilations: [2, 2], strides: [1, 1] };
    const from = "strides and dilations of the layers";
    expect(facts(edited({ op23: one, op25: two })).outputStride).toEqual({ value: 16, basis: "inferred", from });
    const eight = Object.fromEntries([13, 15, 17, 19, 21, 23].map((at) => [`op${at}`, two]));
    const last = { dilations: [4, 4], strides: [1, 1] };
    expect(facts(edited({ op11: one, ...eight, op25: last })).outputStride?.value).toBe(8);
    expect(found(edited({ op3: { dilations: [2, 2] } }))).toBe(
      '"op3" is dilated as no output stride of 8 or 16 has it',
    );
    expect(found(edited({ op23: one, op25: { dilations: [4, 4] } }))).toBe(
      '"op25" is dilated as no output stride of 8 or 16 has it',
    );
  });

  it("is blocks of its own where strides are others", () => {
    const { blocks, stem, shallow } = facts(edited({ op0: { strides: [1, 1] }, op5: { strides: [2, 2] } }));
    expect(stem).toEqual({ value: { stride: 1, filters: 32 }, basis: "inferred", from: "strides of the layers" });
    expect(blocks?.value.map(({ stride }) => stride)).toEqual([1, 2, 2, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]);
    expect(blocks?.value[12]).toEqual({ stride: 1, filters: 1024 });
    expect(shallow).toBeUndefined();
    const eight = { blocks: 8, filters: [64, 128, 128, 256, 256, 512, 1024, 1024] };
    const short = facts(withSize(mobileNetGraph({ ...eight, strides: [1, 2, 1, 2, 1, 2, 1, 1] })));
    expect(short.shallow).toEqual({ value: false, basis: "inferred", from: "strides of the layers" });
    expect(short.blocks?.value).toHaveLength(8);
  });

  it("is the same across as down", () => {
    const said = '"op3" has another stride across than down';
    for (const change of [{ strides: [2, 1] }, { strides: [1, 2] }, { dilations: [1, 2] }, { dilations: [2, 1] }]) {
      expect(found(edited({ op3: change }))).toBe(said);
    }
  });

  it("pads as one of the builder's styles does, in the same words or with the same pixels", () => {
    const padding = (options: GraphOptions) => facts(withSize(mobileNetGraph(options), options)).padding;
    expect(padding({ padding: "same" })).toEqual({
      ...{ value: "same", basis: "stated", from: "SAME padding of every layer" },
    });
    expect(padding({ padding: "keras" })).toEqual({
      ...{ value: "keras", basis: "stated", from: "pads of every layer" },
    });
    expect(padding({ padding: "symmetric" })).toEqual({
      ...{ value: "symmetric", basis: "stated", from: "pads of every layer" },
    });
    const alike = '"keras" would be the same there';
    expect(padding({ padding: "pixels" })).toEqual({
      ...{ value: "same", basis: "inferred", from: `pads of every layer at 64 × 64; ${alike}` },
    });
    expect(padding({ padding: "pixels", size: null })?.from).toBe(`pads of every layer at even sizes; ${alike}`);
    expect(found(edited({ op3: { padding: "valid" } }))).toBe('its layers pad in no known style ("op0": "same")');
  });
});
