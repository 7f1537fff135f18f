/** Plans of small networks, as data: which layers are one step, what each reads, and where it lies. */

import { describe, expect, it } from "vitest";
import { network } from "../../src/layers/index.ts";
import type { NodeDefinition } from "../../src/layers/node.ts";
import { fuse } from "../../src/plan/fuse.ts";
import {
  checkReplacement,
  heldParameters,
  type Plan,
  type PlanOptions,
  parametersOf,
  plan,
} from "../../src/plan/plan.ts";

const conv = (name: string, inputs?: readonly string[]): NodeDefinition =>
  layer(name, "conv2d", { kernel: 3, filters: 2 }, inputs);
const norm = (name: string, inputs?: readonly string[]): NodeDefinition => layer(name, "batchNorm", {}, inputs);
const relu = (name: string, inputs?: readonly string[]): NodeDefinition =>
  layer(name, "activation", { function: "relu" }, inputs);
const leaky = (name: string, inputs?: readonly string[]): NodeDefinition =>
  layer(name, "activation", { function: "leakyRelu" }, inputs);

function layer(name: string, type: string, attributes: object, inputs?: readonly string[]): NodeDefinition {
  return {
    name,
    type,
    attributes: attributes as Readonly<Record<string, unknown>>,
    ...(inputs === undefined ? {} : { inputs }),
  };
}

/** Of images of 4 × 4 with 2 channels, 32 numbers. */
function build(layers: readonly NodeDefinition[], ...outputs: string[]) {
  const wanted = outputs.length === 0 ? [layers[layers.length - 1]?.name ?? ""] : outputs;
  return network({ inputShape: [4, 4, 2], layers, outputs: Object.fromEntries(wanted.map((name) => [name, name])) });
}

/** Where a value lies, in numbers. */
const offsetIn = ({ values }: Plan, name = "") => values.get(name)!.offset! / 4;
/** A step in a line: its layers, the offsets it reads and writes. */
const lines = (found: Plan) =>
  found.steps.map(({ layers, reads, writes, joined }) => {
    const activations = reads.filter((name) => found.values.get(name)?.kind === "activation");
    const offsets = activations.map((name) => offsetIn(found, name));
    return `${layers.join("+")}: ${offsets.join(",")} → ${offsetIn(found, writes[0])}${joined ? " joined" : ""}`;
  });
const planned = (layers: readonly NodeDefinition[], outputs: readonly string[] = [], options?: PlanOptions) =>
  lines(plan(build(layers, ...outputs), options));

describe("steps", () => {
  const unit = [conv("c"), norm("n"), relu("r")];

  it.each<[string, NodeDefinition[], string[], PlanOptions, string[]]>([
    ["take in the batch norm and the activation behind them", unit, [], {}, ["c+n+r: 0 → 32"]],
    ["do not fold where it is not wanted", unit, [], { fold: false }, ["c: 0 → 32", "n+r: 32 → 0"]],
    ["keep a value apart that is an output", unit, ["c", "r"], {}, ["c: 0 → 32", "n+r: 32 → 0"]],
    ["keep a value apart behind the batch norm", unit, ["n", "r"], {}, ["c+n: 0 → 32", "r: 32 → 0"]],
    ["keep a value apart that is tapped", unit, [], { taps: ["n"] }, ["c+n: 0 → 32", "r: 32 → 0"]],
    [
      "take in nothing for a tap of the convolution, which is its activated output",
      unit,
      [],
      { taps: ["c"] },
      ["c+n+r: 0 → 32"],
    ],
    [
      "take in nothing that two read",
      [conv("c"), relu("r"), layer("s", "add", {}, ["c", "r"])],
      [],
      {},
      ["c: 0 → 32", "r: 32 → 0", "s: 32,0 → 64"],
    ],
    [
      "take in nothing that another reads behind it",
      [conv("c"), relu("r"), norm("n", ["c"])],
      [],
      {},
      ["c: 0 → 32", "r: 32 → 0", "n: 32 → 0"],
    ],
    [
      "take in nothing that reads something else",
      [conv("c"), relu("r", ["input"])],
      ["c", "r"],
      {},
      ["c: 0 → 32", "r: 0 → 64"],
    ],
    [
      "take in nothing that reads something else, though another alone reads them",
      [conv("c"), relu("r", ["input"]), layer("s", "add", {}, ["c", "r"])],
      [],
      {},
      ["c: 0 → 32", "r: 0 → 64", "s: 32,64 → 0"],
    ],
    [
      "take in a sum's activation, not its batch norm",
      [layer("s", "add", {}, ["input", "input"]), norm("n"), relu("r")],
      [],
      {},
      ["s: 0,0 → 32", "n+r: 32 → 0"],
    ],
    [
      "run an activation in place whose input nobody needs",
      [conv("c"), leaky("l"), conv("d")],
      [],
      {},
      ["c: 0 → 32", "l: 32 → 32", "d: 32 → 0"],
    ],
    [
      "run none in place that is needed afterwards",
      [conv("c"), leaky("l"), layer("s", "add", {}, ["c", "l"])],
      [],
      {},
      ["c: 0 → 32", "l: 32 → 0", "s: 32,0 → 64"],
    ],
    ["run none in place that is an output", [conv("c"), leaky("l")], ["c", "l"], {}, ["c: 0 → 32", "l: 32 → 0"]],
    [
      "run none in place on the input, which is the caller's",
      [leaky("l"), conv("c")],
      [],
      {},
      ["l: 0 → 32", "c: 32 → 0"],
    ],
    [
      "run in place one after the other",
      [conv("c"), leaky("l"), leaky("m"), leaky("k")],
      [],
      {},
      ["c: 0 → 32", "l: 32 → 32", "m: 32 → 32", "k: 32 → 32"],
    ],
    [
      "are none for a view, which is what it reads",
      [conv("c"), layer("v", "flatten", {}), layer("w", "dropout", { rate: 0.5 }), relu("r")],
      [],
      {},
      ["c: 0 → 32", "r: 32 → 32"],
    ],
    ["are none for a view of the input", [layer("v", "dropout", { rate: 0.5 }), conv("c")], [], {}, ["c: 0 → 32"]],
    [
      "keep what the last of them reads alive",
      [conv("c"), conv("d"), conv("e"), layer("s", "add", {}, ["c", "e"])],
      [],
      {},
      ["c: 0 → 32", "d: 32 → 0", "e: 0 → 64", "s: 32,64 → 0"],
    ],
  ])("%s", (_, layers, outputs, options, expected) => {
    expect(planned(layers, outputs, options)).toEqual(expected);
  });

  it("say what they compute, count and read by name", () => {
    const model = build([...unit, layer("s", "add", {}, ["r", "input"])]);
    const { steps, values } = plan(model, { batch: 3 });
    const [step, sum] = steps;
    const sizes = (names?: readonly string[]) => names?.map((name) => values.get(name)?.elements);
    expect(step).toMatchObject({
      name: "c",
      layers: ["c", "n", "r"],
      call: { kernel: "conv2d", inChannels: 2, outChannels: 2, activation: "relu" },
      reads: ["input", "c/kernel", "c/bias"],
      writes: ["c"],
      multAdds: 3 * 3 * 2 * 32,
    });
    expect(step?.weights).toEqual({
      kernel: "c/kernel",
      bias: "c/bias",
      batchNorm: {
        gamma: "n/gamma",
        beta: "n/beta",
        mean: "n/moving_mean",
        variance: "n/moving_variance",
        epsilon: 1e-3,
      },
    });
    expect(step).not.toHaveProperty("joined");
    expect([sizes(step?.reads), sizes(step?.writes)]).toEqual([[32, 36, 2], [32]]);
    expect(sum).toMatchObject({ name: "s", reads: ["c", "input"], writes: ["s"], multAdds: 0 });
    expect([sizes(sum?.reads), sizes(sum?.writes)]).toEqual([[32, 32], [32]]);
    expect(sum).not.toHaveProperty("weights");
  });

  it("of a convolution alone read its kernel and its bias, if it has one", () => {
    const [one, two] = plan(build([conv("c"), layer("p", "pointwiseConv2d", { filters: 2, bias: false })])).steps;
    expect(one?.weights).toEqual({ kernel: "c/kernel", bias: "c/bias" });
    expect(two?.weights).toEqual({ kernel: "p/kernel" });
  });

  it("of what stands alone know the shape that it gives", () => {
    const layers = [norm("n"), layer("m", "maxPool", { kernel: 2, stride: 2 }), relu("r"), layer("s", "softmax", {})];
    expect(plan(build(layers)).steps.map(({ call }) => call)).toMatchObject([
      { kernel: "scaleShift", pixels: 16, channels: 2 },
      { kernel: "maxPool", channels: 2 },
      { kernel: "activation", elements: 8, activation: "relu" },
      { kernel: "softmax", rows: 4, channels: 2 },
    ]);
  });

  it("of a batch norm alone read its statistics and no kernel", () => {
    const [step] = plan(build([layer("n", "batchNorm", { scale: false, epsilon: 0.5 })])).steps;
    const weights = {
      batchNorm: { beta: "n/beta", mean: "n/moving_mean", variance: "n/moving_variance", epsilon: 0.5 },
    };
    expect(step?.weights).toEqual(weights);
  });
});

describe("groups", () => {
  it("are their lead, their nodes and what they read; a batch norm and an activation where there are any", () => {
    const model = build([conv("c"), norm("n"), relu("r"), conv("d"), leaky("l")]);
    const [c, n, r, d, l] = model.layers;
    expect(fuse(model).groups).toStrictEqual([
      { lead: c, batchNorm: n, activation: r, nodes: [c, n, r], reads: ["input"] },
      { lead: d, activatedBy: "l", nodes: [d], reads: ["c"] },
      { lead: l, nodes: [l], reads: ["d"] },
    ]);
  });

  it("say which activation has a step of its own behind them", () => {
    const groups = (layers: NodeDefinition[]) =>
      fuse(build(layers)).groups.map(({ lead, activatedBy }) => [lead.name, activatedBy]);
    expect(groups([conv("c"), norm("n"), leaky("l")])).toEqual([
      ["c", "l"],
      ["l", undefined],
    ]);
    expect(groups([conv("c"), relu("r")])).toEqual([["c", undefined]]);
    expect(groups([layer("p", "maxPool", { kernel: 2 }), leaky("l")])).toEqual([
      ["p", undefined],
      ["l", undefined],
    ]);
  });

  it("hold every layer, and the input", () => {
    const layers = [
      layer("v", "dropout", { rate: 0 }),
      conv("c"),
      norm("n"),
      layer("f", "flatten", {}),
      layer("d", "dense", { filters: 2 }),
    ];
    expect(Object.fromEntries(fuse(build(layers)).holder)).toEqual({
      input: "input",
      v: "input",
      c: "c",
      n: "c",
      f: "c",
      d: "d",
    });
  });
});

describe("joined steps", () => {
  const chain = [conv("a"), conv("b"), conv("c"), conv("d")];
  const sum = (...inputs: string[]) => layer("s", "add", {}, inputs);

  it.each<[string, NodeDefinition[], outputs: string[], joined: string[]]>([
    ["are pairs", chain, [], ["a", "c"]],
    ["are none behind an output", chain, ["a", "d"], ["b"]],
    ["are none behind what two read", [conv("a"), conv("b"), sum("a", "b")], [], []],
    ["are none where the next reads something else", [conv("a"), conv("b", ["input"]), sum("a", "b")], [], []],
    ["are none where the next reads it twice", [conv("a"), sum("a", "a")], [], []],
    ["are none where the next reads it second", [conv("a"), sum("input", "a")], [], []],
    ["may be read first by what reads two", [conv("a"), sum("a", "input")], [], ["a"]],
  ])("%s", (_, layers, outputs, joined) => {
    const model = build(layers, ...outputs);
    const joinedOf = (options: PlanOptions) =>
      plan(model, options).steps.flatMap((step) => (step.joined ? [step.name] : []));
    expect(joinedOf({ joins: () => true })).toEqual(joined);
    expect(joinedOf({ joins: () => false })).toEqual([]);
    expect(joinedOf({})).toEqual([]);
  });

  it("have no place for what lies between, and leave what the first reads until the second has run", () => {
    const layers = [conv("c"), layer("w", "depthwiseConv2d", { kernel: 3, multiplier: 8 }), conv("d"), conv("e")];
    const model = build(layers);
    expect(plan(model).arenaBytes).toBe(4 * (8 * 32 + 32));
    const found = plan(model, { joins: (first) => first.kernel === "depthwiseConv2d" });
    expect(found.arenaBytes).toBe(4 * (32 + 32));
    expect(offsetIn(found, "d")).not.toBe(offsetIn(found, "c"));
    const first = plan(build(layers.slice(1, 3)), { joins: () => true });
    expect([offsetIn(first, "input"), offsetIn(first, first.steps[1]?.writes[0]), first.arenaBytes]).toEqual([
      0, 32, 256,
    ]);
  });

  it("are those that the backend says", () => {
    const asked: string[] = [];
    const isDepthwise = (first: { kernel: string }, second: { kernel: string }) => {
      asked.push(`${first.kernel} ${second.kernel}`);
      return first.kernel === "depthwiseConv2d" && second.kernel === "pointwiseConv2d";
    };
    const layers = [
      conv("c"),
      layer("w", "depthwiseConv2d", { kernel: 3 }),
      layer("p", "pointwiseConv2d", { filters: 2 }),
    ];
    expect(plan(build(layers), { joins: isDepthwise }).steps.map(({ joined }) => joined ?? false)).toEqual([
      false,
      true,
      false,
    ]);
    expect(asked).toEqual(["conv2d depthwiseConv2d", "depthwiseConv2d pointwiseConv2d"]);
  });
});

describe("a plan", () => {
  it("holds a batch of each value, the network's outputs, and the taps by the names they were asked for", () => {
    const layers = [conv("c"), relu("r"), layer("p", "globalAveragePool", {}), layer("d", "dense", { filters: 5 })];
    const model = network({
      name: "mine",
      inputShape: [4, 4, 2],
      layers,
      outputs: { y: "d", pooled: "p" },
      aliases: { block: "r" },
    });
    const found = plan(model, { batch: 3, taps: ["block", "c", "p"] });
    expect(found).toMatchObject({
      network: "mine",
      batch: 3,
      inputShape: [4, 4, 2],
      input: "input",
      arenaBytes: 4 * 192,
    });
    expect(offsetIn(found, "input")).toBe(0);
    expect(found.outputs).toEqual({ y: { value: "d", shape: [5] }, pooled: { value: "p", shape: [2] } });
    expect(found.taps).toEqual({
      block: { value: "c", shape: [4, 4, 2] },
      c: { value: "c", shape: [4, 4, 2] },
      p: { value: "p", shape: [2] },
    });
    expect(found.parameterInfo).toBe(model.parameterInfo);
  });

  it("is of one image, folded, without taps, unless it is said", () => {
    const model = build([conv("c"), norm("n")]);
    expect(plan(model)).toEqual(plan(model, { batch: 1, fold: true, taps: [] }));
    expect(plan(model)).toMatchObject({ batch: 1, taps: {} });
  });

  it("means by a tap what comes out behind the activation, its own step or not, and a view by what it shows", () => {
    const layers = [conv("c"), norm("n"), leaky("l"), layer("f", "flatten", {}), layer("d", "dense", { filters: 2 })];
    const found = plan(build(layers), { taps: ["c", "n", "l", "f", "input"] });
    const { taps } = found;
    expect(taps["c"]).toEqual({ value: "l", shape: [4, 4, 2] });
    expect(taps["l"]).toEqual(taps["c"]);
    expect(taps["f"]).toEqual({ value: "l", shape: [32] });
    expect(taps["n"]).toEqual({ value: "c", shape: [4, 4, 2] });
    expect(offsetIn(found, "c")).not.toBe(offsetIn(found, "l"));
    expect(taps["input"]?.shape).toEqual([4, 4, 2]);
  });

  it("refuses a tap of no layer, with the nearest there is", () => {
    const model = network({ inputShape: [4], layers: [relu("alpha")], outputs: {}, aliases: { block_1: "alpha" } });
    const refused = (tap: string) =>
      expect.objectContaining({ code: "NAME_UNKNOWN", fields: { name: tap, known: ["alpha", "block_1"] } });
    expect(() => plan(model, { taps: ["alhpa"] })).toThrow(refused("alhpa"));
    expect(() => plan(model, { taps: ["alhpa"] })).toThrow(/^compile: taps: .*Did you mean "alpha"/);
  });

  it("refuses what is no network", () => {
    expect(() => plan({} as never)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
  });

  const manyNames = () =>
    network({ inputShape: [4, 4, 2], layers: [relu("r")], outputs: { a: "r", b: "r", c: "r", d: "r", e: "r" } });

  it.each<[string, () => unknown, number, RegExp]>([
    [
      "activations and parameters",
      // 2²⁹ numbers go in and come out; a bias and a kernel are just too much.
      () =>
        plan(
          network({
            inputShape: [2 ** 15, 2 ** 14, 1],
            layers: [layer("p", "pointwiseConv2d", { filters: 1 })],
            outputs: {},
          }),
        ),
      4 * (2 ** 30 + 2),
      /^network with batch 1: activations and parameters: .*smaller alpha/,
    ],
    [
      "a batch of them",
      () => plan(build([relu("r")]), { batch: 2 ** 25 }),
      4 * 2 ** 25 * 64,
      /^network with batch 33554432: activations and parameters/,
    ],
    [
      "copies of the outputs and taps",
      () => plan(manyNames(), { batch: 2 ** 23, taps: ["input"] }),
      4 * 2 ** 23 * 6 * 32,
      /^network with batch 8388608: outputs, of which each run makes copies,/,
    ],
  ])("refuses %s that cannot be addressed", (_, call, bytes, message) => {
    const refusal = { code: "MEMORY_EXCEEDED", message: expect.stringMatching(message) };
    expect(call).toThrow(
      expect.objectContaining({ ...refusal, fields: expect.objectContaining({ bytes, batch: expect.any(Number) }) }),
    );
  });
});

describe("parameters of a plan", () => {
  const model = build([conv("c"), norm("n")]);

  it("are held in a Map of their own, in the network's order, over the same numbers", () => {
    const held = parametersOf(model);
    expect(held).not.toBe(model.parameters);
    expect([...held.keys()]).toEqual([...model.parameterInfo.keys()]);
    for (const [name, value] of held) {
      expect(value).toEqual(model.parameters.get(name));
      expect(value.data).toBe(model.parameters.get(name)?.data);
    }
    const copied = heldParameters(model, model.parameters, (data) => data.slice());
    expect(copied.get("c/kernel")?.data).toEqual(held.get("c/kernel")?.data);
    expect(copied.get("c/kernel")?.data).not.toBe(held.get("c/kernel")?.data);
    expect(heldParameters(model, new Map(), (data) => data).size).toBe(0);
  });

  it("are checked, those that replace them as well", () => {
    const some = new Map([...model.parameters].slice(1));
    const without = { name: "mine", parameterInfo: model.parameterInfo, parameters: some };
    const said = (owner: string, name: string) =>
      expect.objectContaining({
        code: "PARAMETERS_MISMATCH",
        message: expect.stringMatching(new RegExp(`^${owner}: 1 tensor does not fit ${name}`)),
      });
    expect(() => parametersOf(without)).toThrow(said("compile", "mine"));
    expect(() => checkReplacement(plan(model), some)).toThrow(said("replaceParameters", "network"));
    expect(checkReplacement(plan(model), model.parameters)).toBeUndefined();
  });
});
