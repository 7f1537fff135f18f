/** @slow: it takes 3 seconds. */

/** Networks of thousands of layers, and definitions that are none: planned in bounded time, or refused by a code. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { cost } from "../../src/cost/index.ts";
import { activation, network, sequential, withInfo, withParameters } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { plan } from "../../src/plan/plan.ts";
import { compile } from "../../src/session/index.ts";
import { describe as describeModel, encodeModel, encodeTfjs, formatDescription } from "../../src/weights/index.ts";

const MOST = 10_000;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const relu = (name: string, input: string) => ({
  name,
  type: "activation",
  inputs: [input],
  attributes: { function: "relu" },
});

describe("a network of ten thousand layers", () => {
  // The fan took about a minute; the arena of 5,000 alone some ten seconds.
  it.each<[string, (i: number) => string, boolean]>([
    ["in a chain", (i) => (i === 0 ? "input" : `r${i - 1}`), false],
    ["in a chain, all of them results", (i) => (i === 0 ? "input" : `r${i - 1}`), true],
    ["all on the input", () => "input", false],
  ])(
    "%s is counted and planned",
    (_, inputOf, isAll) => {
      const layers = numbers(MOST).map((i) => relu(`r${i}`, inputOf(i)));
      const results = isAll ? layers : layers.slice(-1);
      const outputs = Object.fromEntries(results.map(({ name }) => [name, name]));
      const model = network({ inputShape: [4], layers, outputs });
      expect(cost(model).layers).toHaveLength(MOST);
      expect(plan(model).steps).toHaveLength(MOST);
    },
    45_000,
  );

  it("is compiled and run", async () => {
    const model = sequential({ inputShape: [2] }, Array(MOST).fill(activation("relu")));
    using session = await compile(model, { backend: "wasm" });
    const { output } = await session.run(Float32Array.of(-1, 2));
    expect([...output.data]).toEqual([0, 2]);
  }, 45_000);

  it("is the most there may be", () => {
    const layers = numbers(MOST + 1).map((i) => relu(`r${i}`, "input"));
    const refusal = { code: "NETWORK_INVALID", message: expect.stringContaining("at most 10,000, found 10,001") };
    expect(() => network({ inputShape: [4], layers, outputs: {} })).toThrow(expect.objectContaining(refusal));
    expect(() => mobileNetV1({ blocks: Array(50_000).fill({ filters: 8, stride: 1 }) })).toThrow(/at most 10,000/);
    const many = Array(1e9) as never;
    expect(() => sequential({ inputShape: [4] }, many)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});

describe("parameters under other names", () => {
  const layers = numbers(2000).map((i) => ({
    name: `layer_number_${i}`,
    type: "dense",
    attributes: { filters: 1, bias: false },
  }));
  const model = network({ inputShape: [1], layers, outputs: { output: "layer_number_0" } });
  const value = { dtype: "float32", shape: [1, 1], data: new Float32Array(1) } as const;

  // Took over a minute.
  it("are listed in short, with suggestions for those that are, and all among the fields", () => {
    const parameters = new Map(numbers(2000).map((i) => [`lager_number_${i}/kernel`, value]));
    let error: unknown;
    try {
      withParameters(model, parameters);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({
      code: "PARAMETERS_MISMATCH",
      message: expect.stringMatching(/4000 tensors .*Did you mean "lager_number_0\/kernel".*… and 3,990 more/),
      fields: { problems: expect.objectContaining({ length: 4000 }) },
    });
    expect((error as Error).message.length).toBeLessThan(3000);
  }, 30_000);

  it.each<[string, unknown]>([
    ["a symbol", Symbol("kernel")],
    ["an object", {}],
    ["a name without end", "x".repeat(1e6)],
  ])("such as %s are refused by their code", (_, name) => {
    const parameters = new Map<unknown, unknown>([...model.parameters, [name, null]]) as never;
    expect(() => withParameters(model, parameters)).toThrow(
      expect.objectContaining({ code: "PARAMETERS_MISMATCH", message: expect.stringMatching(/^.{1,2200}$/s) }),
    );
  });
});

describe("a definition", () => {
  const good = { inputShape: [4], layers: [relu("r", "input")], outputs: { output: "r" } };
  const withLayer = (entry: unknown) => ({ ...good, layers: [entry] });

  it.each<[string, unknown]>([
    ["a layer that is null", withLayer(null)],
    ["a layer that is left out", { ...good, layers: Array(3) }],
    ["a layer that is an array", withLayer([])],
    ["inputs that are a number", withLayer({ ...relu("r", "input"), inputs: 5 })],
    ["inputs that are no names", withLayer({ ...relu("r", "input"), inputs: [Symbol("input")] })],
    ["attributes that are text", withLayer({ ...relu("r", "input"), attributes: "relu" })],
    ["aliases that name no text", { ...good, aliases: { tap: 5 } }],
  ])("with %s is invalid", (_, definition) => {
    expect(() => network(definition as never)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
  });

  it.each<[string, () => unknown]>([
    ["a reshape to more sides than layers read", () => network(withLayer(reshape(9)) as never)],
    ["a row with null in it", () => sequential({ inputShape: [4] }, [null] as never)],
    ["a row with a hole", () => sequential({ inputShape: [4] }, Array(2) as never)],
  ])("with %s is refused by its code", (_, call) => {
    expect(call).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });

  it("may reshape to eight sides", () => {
    expect(network(withLayer(reshape(8)) as never).shapes.get("r")).toHaveLength(8);
  });

  it("finds a layer called as what every object has", () => {
    const model = network({ ...good, layers: [relu("constructor", "input")], outputs: { output: "constructor" } });
    expect(plan(model, { taps: ["constructor"] }).taps).toHaveProperty("constructor");
  });

  it("may not ask for more copies than memory has, by naming one layer again and again", () => {
    const outputs = Object.fromEntries(numbers(5000).map((i) => [`o${i}`, "r"]));
    const model = network({ ...good, inputShape: [512, 512, 1], outputs });
    expect(() => plan(model)).toThrow(expect.objectContaining({ code: "MEMORY_EXCEEDED" }));
  });

  function reshape(sides: number) {
    return { name: "r", type: "reshape", attributes: { shape: [4, ...Array(sides - 1).fill(1)] } };
  }
});

describe("what a maker says of a network", () => {
  const within: Record<string, unknown> = {};
  within["within"] = within;
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];

  it.each<[string, unknown]>([
    ["holds itself", within],
    ["is a bigint", { range: 1n }],
    ["is nested without end", { range: deep }],
  ])("and %s is described, and refused by its code when it is saved", (_, value) => {
    const own = sequential({ inputShape: [4] }, [activation("relu")]);
    for (const model of [own, mobileNetV1({ alpha: 0.25, resolution: 32 })]) {
      const said = withInfo<string>(model, { options: { value } });
      expect(formatDescription(describeModel(said)).length).toBeLessThan(10_000);
      for (const save of [encodeModel, encodeTfjs]) expect(codeOf(() => save(said))).toBe("NETWORK_INVALID");
      // What is said of its pictures is looked at there and then.
      expect(codeOf(() => withInfo<string>(model, { preprocessing: value } as never))).toBe("OPTION_INVALID");
    }
  });
});

/** Not the error itself: what is nested without end can be shown by no reporter. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return isDepthwiseError(error) ? error.code : String(error);
  }
}
