/** A network as data: what its check completes, and what it refuses by code and name. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { type Network, network, withInfo, withParameters } from "../../src/layers/index.ts";
import { checkNetwork, networkFromJson } from "../../src/layers/network.ts";

const relu = (name: string, inputs?: readonly string[]) => ({
  name,
  type: "activation",
  attributes: { function: "relu" },
  ...(inputs === undefined ? {} : { inputs }),
});
const good = {
  inputShape: [4, 4, 2],
  layers: [
    { name: "c", type: "conv2d", attributes: { kernel: 3, filters: 3, stride: 2 } },
    { name: "n", type: "batchNorm" },
    { name: "s", type: "add", inputs: ["c", "n"] },
    { name: "p", type: "globalAveragePool" },
    { name: "d", type: "dense", attributes: { filters: 5, bias: false } },
  ],
  outputs: { y: "d" },
};

/** The error of a call, or undefined. */
function refusal(
  call: () => unknown,
): { code: string; message: string; fields: Readonly<Record<string, unknown>> } | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return error;
  }
}

describe("a network", () => {
  it("is its definition, completed: shapes without the batch, parameters by layer and weight", () => {
    const model = network({ ...good, name: "mine", aliases: { block: "s" } });
    expect([...model.shapes]).toEqual([
      ["input", [4, 4, 2]],
      ["c", [2, 2, 3]],
      ["n", [2, 2, 3]],
      ["s", [2, 2, 3]],
      ["p", [3]],
      ["d", [5]],
    ]);
    expect([...model.parameterInfo.values()]).toEqual([
      { name: "c/kernel", node: "c", role: "kernel", shape: [3, 3, 2, 3], trainable: true },
      { name: "c/bias", node: "c", role: "bias", shape: [3], trainable: true },
      { name: "n/gamma", node: "n", role: "gamma", shape: [3], trainable: true },
      { name: "n/beta", node: "n", role: "beta", shape: [3], trainable: true },
      { name: "n/moving_mean", node: "n", role: "mean", shape: [3], trainable: false },
      { name: "n/moving_variance", node: "n", role: "variance", shape: [3], trainable: false },
      { name: "d/kernel", node: "d", role: "kernel", shape: [3, 5], trainable: true },
    ]);
    expect([...model.parameterInfo.keys()]).toEqual([...model.parameters.keys()]);
    expect(model.layers.map(({ name, inputs }) => [name, ...inputs])).toEqual([
      ["c", "input"],
      ["n", "c"],
      ["s", "c", "n"],
      ["p", "s"],
      ["d", "p"],
    ]);
    expect(model).toMatchObject({ name: "mine", outputs: { y: "d" }, aliases: { block: "s" } });
    expect(model.info).toEqual({ architecture: "custom" });
  });

  it("is called network and has no aliases unless it is said", () => {
    expect(network(good)).toMatchObject({ name: "network", aliases: {} });
  });

  it("makes its parameters once", () => {
    const model = network(good);
    expect(model.parameters).toBe(model.parameters);
  });

  const withLayers = (...layers: unknown[]) => ({ ...good, layers, outputs: {} });
  it.each<[string, unknown, string, RegExp]>([
    ["no definition", undefined, "NETWORK_INVALID", /^network: definition: expected .*found undefined/],
    ["a list", [], "NETWORK_INVALID", /^network: definition/],
    ["layers that are no list", { ...good, layers: {} }, "NETWORK_INVALID", /^network: definition/],
    ["outputs that are a list", { ...good, outputs: ["d"] }, "NETWORK_INVALID", /^network: definition/],
    ["outputs that are no names", { ...good, outputs: { y: 1 } }, "NETWORK_INVALID", /^network: definition/],
    ["aliases that are null", { ...good, aliases: null }, "NETWORK_INVALID", /^network: definition/],
    ["an output called taps", { ...good, outputs: { taps: "d" } }, "NETWORK_INVALID", /^network: outputs.*"taps"/],
    [
      "an output of no layer",
      { ...good, outputs: { y: "e" } },
      "NAME_UNKNOWN",
      /^network: outputs: there is no layer "e"/,
    ],
    ["an alias of no layer", { ...good, aliases: { b: "e" } }, "NAME_UNKNOWN", /there is no layer "e"/],
    ["a name that is no text", { ...good, name: 5 }, "OPTION_INVALID", /^network: name: .*a string, found 5/],
    ["a seed that is no integer", { ...good, seed: 0.5 }, "OPTION_INVALID", /^network: seed: .*an integer, found 0.5/],
    [
      "an input of no shape",
      { ...good, inputShape: 4 },
      "OPTION_INVALID",
      /^network: inputShape: .*without the batch, found 4/,
    ],
    ["an input of two sides", { ...good, inputShape: [4, 4] }, "OPTION_INVALID", /inputShape.*found \[4, 4\]/],
    ["an input with a batch", { ...good, inputShape: [1, 4, 4, 2] }, "OPTION_INVALID", /inputShape.*without the batch/],
    [
      "an input of no pixels",
      { ...good, inputShape: [4, 0, 2] },
      "OPTION_INVALID",
      /inputShape.*positive integer, found 0/,
    ],
    ["a layer that is text", withLayers("relu"), "NETWORK_INVALID", /^network: the layer behind "input".*found "relu"/],
    [
      "inputs that are text",
      withLayers(relu("a"), { ...relu("b"), inputs: "a" }),
      "NETWORK_INVALID",
      /behind "a".*found inputs "a"/,
    ],
    [
      "attributes that are a list",
      withLayers({ ...relu("a"), attributes: [] }),
      "NETWORK_INVALID",
      /^network: the layer behind "input"/,
    ],
    ["a layer without a name", withLayers({ type: "flatten" }), "NETWORK_INVALID", /layer name undefined/],
    ["an empty name", withLayers(relu("")), "NETWORK_INVALID", /layer name ""/],
    ["a name with a slash", withLayers(relu("a/b")), "NETWORK_INVALID", /layer name "a\/b"/],
    ["the name of the input", withLayers(relu("input")), "NETWORK_INVALID", /layer name "input"/],
    ["a name given twice", withLayers(relu("a"), relu("a")), "NETWORK_INVALID", /layer name "a".*a name of its own/],
    [
      "a type that there is not",
      withLayers({ name: "a", type: "dens" }),
      "NETWORK_INVALID",
      /^a: unknown layer type "dens".*Did you mean "dense"/,
    ],
    [
      "a type like no other",
      withLayers({ name: "a", type: "transformer" }),
      "NETWORK_INVALID",
      /Known types: conv2d, depthwiseConv2d,/,
    ],
    ["a type that is no text", withLayers({ name: "a", type: 7 }), "NETWORK_INVALID", /unknown layer type 7/],
    [
      "what is read before it is there",
      withLayers(relu("a", ["b"]), relu("b")),
      "NAME_UNKNOWN",
      /^a: inputs: there is no layer "b"/,
    ],
    ["a layer that reads itself", withLayers(relu("a", ["a"])), "NAME_UNKNOWN", /^a: inputs/],
    [
      "an attribute of its layer's",
      withLayers({ name: "a", type: "dropout", attributes: { rate: 2 } }),
      "OPTION_INVALID",
      /^a: rate/,
    ],
    [
      "shapes that do not fit",
      withLayers({ name: "a", type: "dense", attributes: { filters: 2 } }),
      "SHAPE_MISMATCH",
      /^a: input/,
    ],
    ["info that is no object", { ...good, info: "mine" }, "OPTION_INVALID", /^network: info: .*an object/],
    ["info that is null", { ...good, info: [] }, "OPTION_INVALID", /^network: info: .*an object/],
  ])("with %s is refused", (_, definition, code, message) => {
    expect(refusal(() => network(definition as never))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it("of as many entries of info as may be is one", () => {
    const entries = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
    // With the architecture.
    expect(network({ ...good, info: entries(999) as never }).info).toHaveProperty("k998");
    expect(refusal(() => network({ ...good, info: entries(1000) as never }))).toMatchObject({ code: "OPTION_INVALID" });
  });

  it("has ten thousand layers at most, and says so before it looks at them", () => {
    const message = (count: number) => refusal(() => network(withLayers(...Array(count).fill({})) as never))?.message;
    expect(message(10_001)).toMatch(/^network: layers: expected at most 10,000, found 10,001\.$/);
    expect(message(10_000)).toMatch(/layer name undefined/);
  });

  it("names what there is where a name is unknown: the nearest, or some", () => {
    const layers = ["alpha", "beta"].map((name) => relu(name));
    const said = (y: string) => refusal(() => network({ inputShape: [4], layers, outputs: { y } }));
    expect(said("betta")?.message).toMatch(/there is no layer "betta"\. Did you mean "beta"\?$/);
    expect(said("something")?.message).toMatch(/Known names: input, alpha, beta\.$/);
    expect(said("something")?.fields).toMatchObject({ name: "something", known: ["input", "alpha", "beta"] });
  });
});

describe("a network of a file", () => {
  const { inputShape, layers, outputs } = good;

  it("is custom, whatever the file says", () => {
    const model = networkFromJson({ inputShape, layers, outputs, info: { architecture: "x", background: true } }, "m");
    expect(model.info).toEqual({ architecture: "custom", background: true });
    expect(model.name).toBe("network");
    expect(networkFromJson({ inputShape, layers, outputs, name: 5 }, "m").name).toBe("network");
    expect(networkFromJson({ inputShape, layers, outputs, name: "mine", aliases: { b: "c" } }, "m")).toMatchObject({
      name: "mine",
      aliases: { b: "c" },
    });
  });

  it.each<[string, object, string, RegExp]>([
    [
      "an option",
      { inputShape: [0] },
      "FILE_CORRUPT",
      /^m\.json: inputShape: expected a positive integer, found 0\. Save/,
    ],
    ["the definition", { layers: 5 }, "NETWORK_INVALID", /^m\.json: definition/],
    ["info", { info: 5 }, "FILE_CORRUPT", /^m\.json: info: expected an object, found 5\. Save/],
    ["a name", { outputs: { y: "e" } }, "NAME_UNKNOWN", /^m\.json: outputs/],
  ])("has the file's name in front of what is wrong with %s", (_, wrong, code, message) => {
    const error = refusal(() => networkFromJson({ inputShape, layers, outputs, ...wrong }, "m.json"));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error?.message).toMatch(/saveModel\. Nothing was loaded\.$/);
  });
});

describe("a network of a file, once more,", () => {
  const only = (layer: object) => ({ inputShape: [4], layers: [layer], outputs: {} });

  it("is told by all that was wrong, but for who says so", () => {
    const error = refusal(() => networkFromJson(only({ name: "a", type: "network: z" }), "m.json"));
    expect(error?.message).toMatch(/^m\.json: a: unknown layer type "network: z"\. Known types: .*, dropout\. Save/);
  });

  it("hides no error of anybody else's", () => {
    const theirs = new Error("a getter that throws");
    const layer = {
      get name() {
        throw theirs;
      },
    };
    expect(() => networkFromJson(only(layer), "m.json")).toThrow(theirs);
  });
});

describe("a function that takes a network", () => {
  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /^cost: model: expected a network.*found undefined\. Build one/],
    ["null", null, /found null/],
    ["a promise of one", Promise.resolve(), /found a promise\. Await it first\.$/],
    ["layers alone", { layers: [] }, /found an object/],
    ["text", "model.safetensors", /found "model\.safetensors".*loadModel\.$/],
  ])("refuses %s", (_, value, message) => {
    const error = refusal(() => checkNetwork("cost", value));
    expect(error).toMatchObject({ code: "NETWORK_INVALID", message: expect.stringMatching(message) });
  });

  it("takes one", () => expect(checkNetwork("cost", network(good))).toBeUndefined());
});

describe("a network with other parameters", () => {
  const model = network(good);
  const numbers = () => new Map(model.parameters);

  it("has those, in the network's order, and all else of it", () => {
    const reversed = new Map([...model.parameters].reverse());
    const changed = withParameters(model, reversed);
    expect([...changed.parameters.keys()]).toEqual([...model.parameterInfo.keys()]);
    expect(changed.parameters.get("c/bias")).toBe(model.parameters.get("c/bias"));
    for (const same of [changed, withInfo(model, {})])
      expect(Object.keys(same).sort()).toEqual(Object.keys(model).sort());
    expect({ ...changed, parameters: undefined }).toEqual({ ...model, parameters: undefined });
  });

  it.each<[string, () => Map<unknown, unknown>, readonly string[]]>([
    ["one missing", () => without("d/kernel"), ['"d/kernel" [3, 5] is missing']],
    [
      "one under another name",
      () => without("d/kernel").set("d/kernal", numbers().get("d/kernel")),
      [
        '"d/kernel" [3, 5] is missing (Did you mean "d/kernal")',
        '"d/kernal" [3, 5] is left over (Did you mean "d/kernel")',
      ],
    ],
    ["one too many", () => new Map<unknown, unknown>(numbers()).set("fc/w", 5), ['"fc/w"  is left over']],
    [
      "one under no name",
      () => new Map<unknown, unknown>(numbers()).set(5, { shape: [2], data: [] }),
      ["5 [2] is left over"],
    ],
    [
      "one of another shape",
      () => new Map<unknown, unknown>(numbers()).set("c/bias", numbers().get("d/kernel")),
      ['"c/bias": expected shape [3], found [3, 5]'],
    ],
  ])("is refused with %s, named among the fields", (_, parameters, problems) => {
    const error = refusal(() => withParameters(model, parameters() as never, "m.npz"));
    const count = problems.length === 1 ? "1 tensor does" : `${problems.length} tensors do`;
    expect(error).toMatchObject({ code: "PARAMETERS_MISMATCH", fields: { problems } });
    expect(error?.message).toContain(`m.npz: ${count} not fit network: ${problems.join("; ")}`);
  });

  it("has suggestions for the first ten of its faults, each a search among all names", () => {
    const layers = Array.from({ length: 12 }, (_, i) => ({
      name: `l${i}`,
      type: "dense",
      attributes: { filters: 1, bias: false },
    }));
    const many = network({ inputShape: [1], layers, outputs: {} });
    const renamed = new Map([...many.parameters].map(([name, value]) => [name.replace("kernel", "kernal"), value]));
    const problems = refusal(() => withParameters(many, renamed))?.fields["problems"] as readonly string[];
    expect(problems.map((problem) => problem.includes("Did you mean"))).toEqual([
      ...Array(10).fill(true),
      ...Array(14).fill(false),
    ]);
  });

  it("is refused what is no Map of tensors, and no name for errors", () => {
    expect(refusal(() => withParameters(model, {} as never))).toMatchObject({
      code: "OPTION_INVALID",
      fields: { option: "parameters" },
    });
    expect(refusal(() => withParameters(model, numbers(), 5 as never))).toMatchObject({
      code: "OPTION_INVALID",
      fields: { option: "source" },
    });
    expect(refusal(() => withParameters(undefined as never, numbers()))).toMatchObject({ code: "NETWORK_INVALID" });
    expect(refusal(() => withParameters(model, new Map()))?.message).toMatch(/^parameters: 7 tensors do not fit/);
  });

  function without(name: string): Map<unknown, unknown> {
    const parameters = numbers();
    parameters.delete(name);
    return parameters;
  }
});

describe("a network with other facts", () => {
  it("has them besides the old ones, and makes no parameters for it", () => {
    // 40 GB of them.
    const layers = [{ name: "d", type: "dense", attributes: { filters: 100_000 } }];
    const large: Network = network({
      inputShape: [100_000],
      layers,
      outputs: {},
      info: { architecture: "x", background: true },
    });
    const said = withInfo(large, { labels: ["a"], preprocessing: { range: [0, 1] } });
    expect(said.info).toEqual({ architecture: "x", background: true, labels: ["a"], preprocessing: { range: [0, 1] } });
    expect(said.layers).toBe(large.layers);
    expect(refusal(() => said.parameters)).toMatchObject({
      code: "MEMORY_EXCEEDED",
      message: expect.stringMatching(/^network: parameters: .*Nothing was allocated\.$/),
    });
  });

  it.each<[unknown, string]>([
    [{ background: 1 }, "background"],
    [{ labels: "abc" }, "labels"],
    [{ provenance: [] }, "provenance"],
    [{ provenance: null }, "provenance"],
    [{ provenance: { decisions: 5 } }, "provenance.decisions"],
    [null, "info"],
  ])("is refused %j", (info, option) => {
    const error = refusal(() => withInfo<string>(network(good), info as never));
    expect(error).toMatchObject({ code: "OPTION_INVALID", fields: { owner: "withInfo", option } });
  });

  it("is of no network refused", () => {
    expect(refusal(() => withInfo({} as never, {}))).toMatchObject({ code: "NETWORK_INVALID" });
  });
});
