/** Steps as data: what is read and written, by name, and how values share memory. */

import { describe, expect, it } from "vitest";
import { lyingAt, operandsOf } from "../../src/backends/operands.ts";
import { checkPlanParameter } from "../../src/backends/parameters.ts";
import { InternalError } from "../../src/core/errors.ts";
import { network } from "../../src/layers/index.ts";
import { fuse } from "../../src/plan/fuse.ts";
import { type Placeable, place } from "../../src/plan/place.ts";
import { plan } from "../../src/plan/plan.ts";
import { type StepOptions, type StepValue, steps } from "../../src/plan/steps.ts";

/** A convolution with batch norm, a branch of two, their sum, and a dense layer behind. */
const model = network({
  name: "branches",
  inputShape: [8, 8, 3],
  layers: [
    { name: "stem", type: "conv2d", attributes: { filters: 8, kernel: 3, stride: 2, padding: "same", bias: false } },
    { name: "stem_bn", type: "batchNorm" },
    { name: "stem_relu", type: "activation", attributes: { function: "relu6" } },
    { name: "deep", type: "depthwiseConv2d", attributes: { kernel: 3, padding: "same" } },
    { name: "wide", type: "pointwiseConv2d", attributes: { filters: 8 } },
    { name: "sum", type: "add", inputs: ["stem_relu", "wide"] },
    { name: "leaky", type: "activation", attributes: { function: "leakyRelu", slope: 0.1 } },
    { name: "norm", type: "batchNorm" },
    { name: "mean", type: "globalAveragePool" },
    { name: "flat", type: "reshape", attributes: { shape: [8] } },
    { name: "logits", type: "dense", attributes: { filters: 5 } },
  ],
  outputs: { logits: "logits", features: "flat" },
});

const stepsOf = (options?: StepOptions, fold = true) => steps(model, fuse(model, { fold }), options);
const flow = ({ steps: list }: ReturnType<typeof steps>) =>
  list.map(({ call, reads, writes }) => `${call.kernel}: ${reads.join(", ")} -> ${writes.join(", ")}`);

describe("steps of inference", () => {
  it("name what they read and write; parameters are those after folding", () => {
    expect(flow(stepsOf())).toEqual([
      "conv2d: input, stem/kernel, stem/bias -> stem",
      "depthwiseConv2d: stem, deep/depthwise_kernel, deep/bias -> deep",
      "pointwiseConv2d: deep, wide/kernel, wide/bias -> wide",
      "add: stem, wide -> sum",
      "activation: sum -> leaky",
      "scaleShift: leaky, norm/scale, norm/shift -> norm",
      "globalAveragePool: norm -> mean",
      "pointwiseConv2d: mean, logits/kernel, logits/bias -> logits",
    ]);
  });

  it("are the network's own where nothing is folded", () => {
    expect(flow(stepsOf({}, false)).slice(0, 3)).toEqual([
      "conv2d: input, stem/kernel -> stem",
      "scaleShift: stem, stem_bn/scale, stem_bn/shift -> stem_bn",
      "depthwiseConv2d: stem_bn, deep/depthwise_kernel, deep/bias -> deep",
    ]);
  });

  it("list every value with its kind and elements, and keep what is wanted", () => {
    const { values, kept, steps: list } = stepsOf();
    expect(Object.fromEntries([...values].map(([name, { kind, elements }]) => [name, `${kind} ${elements}`]))).toEqual({
      input: "activation 192",
      stem: "activation 128",
      deep: "activation 128",
      wide: "activation 128",
      sum: "activation 128",
      leaky: "activation 128",
      norm: "activation 128",
      mean: "activation 8",
      logits: "activation 5",
      "stem/kernel": "parameter 216",
      "stem/bias": "parameter 8",
      "deep/depthwise_kernel": "parameter 72",
      "deep/bias": "parameter 8",
      "wide/kernel": "parameter 64",
      "wide/bias": "parameter 8",
      "norm/scale": "parameter 8",
      "norm/shift": "parameter 8",
      "logits/kernel": "parameter 40",
      "logits/bias": "parameter 5",
    });
    expect(kept).toEqual(new Set(["logits", "mean"]));
    for (const { reads, writes } of list) for (const name of [...reads, ...writes]) expect(values.has(name)).toBe(true);
  });

  it("are joined where a backend asks for it and nobody else reads what lies between", () => {
    const joins = (first: { kernel: string }, second: { kernel: string }) =>
      first.kernel === "depthwiseConv2d" && second.kernel === "pointwiseConv2d";
    const joined = (options: StepOptions) => stepsOf(options).steps.filter(({ joined: is }) => is === true);
    expect(joined({ joins }).map(({ name }) => name)).toEqual(["deep"]);
    expect(joined({ joins, wanted: ["deep", "logits"] })).toEqual([]);
  });
});

const activation = (elements: number): StepValue => ({ kind: "activation", dtype: "float32", elements });
const scratch = (elements: number): StepValue => ({ kind: "scratch", dtype: "float32", elements });
const parameter = (elements: number): StepValue => ({ kind: "parameter", dtype: "float32", elements });
type Flow = Placeable["steps"][number];

/** Steps written as `a b -> c`; `~` in front: in place, `+`: joined with the next. */
function placeable(
  lines: readonly string[],
  values: Readonly<Record<string, StepValue>>,
  kept: readonly string[] = [],
) {
  const list = lines.map((line): Flow => {
    const [reads = "", writes = ""] = line.replace(/^[~+]/, "").split("->");
    const names = (text: string) => text.split(" ").filter((name) => name !== "");
    return {
      reads: names(reads),
      writes: names(writes),
      ...(line.startsWith("~") ? { inPlace: true } : {}),
      ...(line.startsWith("+") ? { joined: true } : {}),
    };
  });
  return { steps: list, values: new Map(Object.entries(values)), kept: new Set(kept) };
}

describe("places", () => {
  it("are shared by what is never there at the same time, and by nothing else", () => {
    const chain = placeable(["x -> a", "a -> b", "b -> c"], {
      x: activation(4),
      a: activation(8),
      b: activation(4),
      c: activation(8),
    });
    const { spans, offsets, arenaBytes } = place(chain, 1);
    expect(arenaBytes).toBe(4 * 12);
    expect(Object.fromEntries([...spans].map(([name, { from, to }]) => [name, [from, to]]))).toEqual({
      x: [-1, 0],
      a: [0, 1],
      b: [1, 2],
      c: [2, 2],
    });
    expect(offsets.get("c")).toBe(offsets.get("a"));
  });

  it("hold a batch of activations, scratch once, and no parameter", () => {
    const one = placeable(["x w t -> y"], { x: activation(4), w: parameter(100), t: scratch(8), y: activation(4) });
    expect(place(one, 1).arenaBytes).toBe(4 * (4 + 8 + 4));
    expect(place(one, 10).arenaBytes).toBe(4 * (40 + 8 + 40));
    expect([...place(one, 1).offsets.keys()].sort()).toEqual(["t", "x", "y"]);
  });

  it("of what is kept are there to the end, and of what comes from outside from the start", () => {
    const values = { x: activation(4), a: activation(4), b: activation(4), z: activation(4) };
    const list = placeable(["x -> a", "a -> b", "b z -> c"], { ...values, c: activation(4) }, ["a", "x"]);
    const { spans, offsets } = place(list, 1);
    expect(spans.get("a")).toEqual({ from: 0, to: 3 });
    expect(spans.get("x")).toEqual({ from: -1, to: 3 });
    expect(spans.get("z")).toEqual({ from: -1, to: 2 });
    expect(new Set(offsets.values()).size).toBe(5);
  });

  it("are one for a step in place, unless what it reads is needed later or comes from outside", () => {
    const values = { x: activation(4), a: activation(4), b: activation(4), c: activation(4) };
    const offsets = (lines: readonly string[], kept: readonly string[] = []) => {
      const found = place(placeable(lines, values, kept), 1).offsets;
      return (name: string) => found.get(name)!;
    };
    const alone = offsets(["x -> a", "~a -> b", "b -> c"]);
    expect(alone("b")).toBe(alone("a"));
    expect(alone("c")).not.toBe(alone("b"));
    const again = offsets(["x -> a", "~a -> b", "a b -> c"]);
    expect(again("b")).not.toBe(again("a"));
    const kept = offsets(["x -> a", "~a -> b", "b -> c"], ["a"]);
    expect(kept("b")).not.toBe(kept("a"));
    const outside = offsets(["~x -> a", "a -> b", "b -> c"]);
    expect(outside("a")).not.toBe(outside("x"));
    // Twice in a row: the first one's value lives as long as the last.
    const twice = offsets(["x -> a", "~a -> b", "~b -> c"], ["c"]);
    expect([twice("b"), twice("c")]).toEqual([twice("a"), twice("a")]);
  });

  it("of a joined step's output take nothing, and what it reads lives until the next has run", () => {
    const values = { x: activation(4), a: activation(16), b: activation(1000), c: activation(16) };
    const { spans, offsets, arenaBytes } = place(placeable(["x -> a", "+a -> b", "b -> c"], values), 1);
    expect(arenaBytes).toBe(4 * 32);
    expect(spans.get("a")).toEqual({ from: 0, to: 2 });
    expect(offsets.get("c")).not.toBe(offsets.get("a"));
    expect([...offsets.keys()].sort()).toEqual(["a", "c", "x"]);
  });

  it("of a parameter that a step writes are none: a backend keeps it", () => {
    const values = { x: activation(4), w: parameter(1000), y: activation(4) };
    const { offsets, arenaBytes } = place(placeable(["x w -> y", "y w -> w"], values), 1);
    expect([[...offsets.keys()].sort(), arenaBytes]).toEqual([["x", "y"], 4 * 8]);
  });

  it("can be given to steps that somebody appends", () => {
    const list = stepsOf();
    // A second reader of the stem, after all others: as a gradient would be.
    const appended: Placeable = {
      steps: [...list.steps, { reads: ["stem", "logits"], writes: ["stem:gradient"] }],
      values: new Map([...list.values, ["stem:gradient", activation(128)]]),
      kept: new Set([...list.kept, "stem:gradient"]),
    };
    const { spans, offsets } = place(appended, 2);
    const end = appended.steps.length;
    expect(spans.get("stem")).toEqual({ from: 0, to: end - 1 });
    expect(spans.get("stem:gradient")).toEqual({ from: end - 1, to: end });
    const there = [...offsets].filter(([name]) => spans.get(name)!.from <= end - 1 && spans.get(name)!.to >= end - 1);
    const ranges = there
      .map(([name, offset]) => [offset, offset + 8 * appended.values.get(name)!.elements] as const)
      .sort(([a], [b]) => a - b);
    for (const [index, [start]] of ranges.entries()) expect(start).toBeGreaterThanOrEqual(ranges[index - 1]?.[1] ?? 0);
  });

  it("of what several steps write are there until the last has", () => {
    const values = { x: activation(4), s: scratch(4), y: activation(4) };
    const { spans } = place(placeable(["x -> s", "s -> y", "y -> s"], values, ["y"]), 1);
    expect(spans.get("s")).toEqual({ from: 0, to: 2 });
    expect(spans.get("y")).toEqual({ from: 1, to: 3 });
  });

  it("are whole words of the arena", () => {
    const { offsets, arenaBytes } = place(placeable(["x -> y"], { x: activation(3), y: activation(5) }), 1);
    expect([...offsets.values()].every((offset) => offset % 16 === 0)).toBe(true);
    expect(arenaBytes).toBeGreaterThanOrEqual(4 * 8);
  });
});

describe("what a backend asks of a plan", () => {
  const planned = plan(model);
  const [stem, , , sum] = planned.steps;

  it("is what a step reads and writes, by kind", () => {
    expect(operandsOf(planned, stem!)).toEqual({
      activations: ["input"],
      parameters: ["stem/kernel", "stem/bias"],
      written: "stem",
    });
    expect(operandsOf(planned, sum!)).toEqual({ activations: ["stem", "wide"], parameters: [], written: "sum" });
  });

  it("is where a value lies; a parameter and a stranger lie nowhere", () => {
    expect(lyingAt(planned, "stem")).toEqual(planned.values.get("stem"));
    for (const name of ["stem/kernel", "nobody"]) expect(() => lyingAt(planned, name)).toThrow(InternalError);
  });

  it("is whether numbers can take a parameter's place", () => {
    expect(() => checkPlanParameter(planned, "stem/bias", new Float32Array(8))).not.toThrow();
    for (const [name, count] of [
      ["stem/bias", 7],
      ["stem/bias", 9],
      ["stem", 128],
      ["nobody", 0],
    ] as const)
      expect(() => checkPlanParameter(planned, name, new Float32Array(count)), name).toThrow(InternalError);
  });

  it("is that parameters are there from before the first step to behind the last", () => {
    const always = { from: -1, to: planned.steps.length };
    for (const value of planned.values.values()) if (value.kind === "parameter") expect(value).toMatchObject(always);
    expect(planned.values.get("input")).toMatchObject({ from: -1, to: 0 });
  });
});

describe("the plan", () => {
  it("is plain data that survives being sent, offsets in whole vectors", () => {
    const planned = plan(model, { batch: 3, taps: ["stem"] });
    expect(structuredClone(planned)).toEqual(planned);
    for (const { kind, offset, from, to } of planned.values.values()) {
      expect(from).toBeLessThanOrEqual(to);
      expect(offset === undefined).toBe(kind === "parameter");
      if (offset !== undefined) expect(offset % 16).toBe(0);
    }
    expect(planned.outputs).toEqual({
      logits: { value: "logits", shape: [5] },
      features: { value: "mean", shape: [8] },
    });
    expect(planned.taps).toEqual({ stem: { value: "stem", shape: [4, 4, 8] } });
  });
});
