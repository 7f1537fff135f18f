/** What every backend does with a plan: writes, runs, reads; parameters one by one; and is closed in the middle. */

import { describe, expect, it } from "vitest";
import type { Backend, BoundPlan } from "../../src/backends/backend.ts";
import { plainBackend } from "../../src/backends/plain-backend.ts";
import { referenceBackend } from "../../src/backends/reference-backend.ts";
import { parametersInMemory } from "../../src/backends/wasm/parameters.ts";
import { wasmBackend } from "../../src/backends/wasm/wasm-backend.ts";
import { Breath } from "../../src/core/breath.ts";
import { InternalError } from "../../src/core/errors.ts";
import { mulberry32 } from "../../src/core/random.ts";
import { probeFeatures } from "../../src/kernels/wasm/index.ts";
import { type Network, network, withParameters } from "../../src/layers/index.ts";
import { parametersOf, plan as planNetwork } from "../../src/plan/plan.ts";
import { worker } from "../backends.ts";

const BATCH = 2;

/** Channels that fill no panel and no group, more than one panel, a kernel narrower than one, a lone batch norm. */
const model = network({
  inputShape: [9, 9, 5],
  layers: [
    { name: "stem", type: "conv2d", attributes: { filters: 18, kernel: 3, bias: false } },
    { name: "stem_bn", type: "batchNorm" },
    { name: "deep", type: "depthwiseConv2d", attributes: { kernel: 3, padding: "same", bias: false } },
    { name: "deep_bn", type: "batchNorm" },
    { name: "deep_relu", type: "activation", attributes: { function: "relu6" } },
    { name: "wide", type: "pointwiseConv2d", attributes: { filters: 37 } },
    { name: "pool", type: "maxPool", attributes: { kernel: 2 } },
    { name: "norm", type: "batchNorm" },
    { name: "mean", type: "globalAveragePool" },
    { name: "logits", type: "dense", attributes: { filters: 3 } },
  ],
  outputs: { logits: "logits" },
});

const random = mulberry32(7);
const numbers = (count: number, low = -1, high = 1) =>
  Float32Array.from({ length: count }, () => low + (high - low) * random());
for (const { name, role, shape } of model.parameterInfo.values()) {
  const [low, high] = role === "gamma" || role === "variance" ? [0.5, 1.5] : [-0.5, 0.5];
  const count = shape.reduce((product, side) => product * side, 1);
  model.parameters.set(name, { dtype: "float32", shape, data: numbers(count, low, high) });
}
const input = numbers(BATCH * 9 * 9 * 5);

const wasm = (relaxed: boolean, threads: number): Backend =>
  wasmBackend({ relaxed, threads, batch: BATCH, worker, parameters: parametersInMemory });
const BACKENDS: readonly (readonly [string, Backend])[] = [
  ["reference", referenceBackend],
  ["plain", plainBackend],
  ["wasm", wasm(false, 1)],
  ["wasm on 2 threads", wasm(false, 2)],
  ...(probeFeatures().relaxed ? [["relaxed wasm", wasm(true, 1)] as const] : []),
];

async function bind(backend: Backend, fold = true, of: Network = model) {
  const { joins } = backend;
  const plan = planNetwork(of, { batch: BATCH, fold, ...(joins === undefined ? {} : { joins }) });
  return { plan, bound: await backend.layOut(plan).bind(parametersOf(of)) };
}

async function logits(bound: BoundPlan, batch = BATCH): Promise<readonly number[]> {
  bound.write({ input: input.subarray(0, (input.length / BATCH) * batch) });
  await bound.run(batch, { breath: new Breath(performance.now()) });
  const [values] = await bound.read(["logits"], batch);
  return [...values!];
}

describe.each(BACKENDS)("%s", (_name, backend) => {
  it("writes, runs and reads; a smaller batch gives the same for its examples", async () => {
    const { bound } = await bind(backend);
    const both = await logits(bound);
    expect(both).toHaveLength(BATCH * 3);
    expect(await logits(bound, 1)).toEqual(both.slice(0, 3));
    const [first, second] = await bound.read(["logits", "logits"], 1);
    expect(first).toEqual(second);
    first!.fill(0);
    expect([...(await bound.read(["logits"], 1))[0]!]).toEqual(both.slice(0, 3));
    bound.close();
  });

  it.each([true, false])("gives its parameters back as they were put there, folded: %s", async (fold) => {
    const { plan, bound } = await bind(backend, fold);
    const { bound: reference } = await bind(referenceBackend, fold);
    const names = [...plan.values].filter(([, { kind }]) => kind === "parameter").map(([name]) => name);
    expect(names).toContain("wide/kernel");
    for (const name of names) {
      const read = await bound.parameters!.read(name);
      expect(read, name).toEqual(await reference.parameters!.read(name));
      expect(read, name).toHaveLength(plan.values.get(name)!.elements);
      const own = model.parameters.get(name)?.data;
      if (!fold && own !== undefined) expect(read, name).toEqual(own);
    }
    expect(await bound.parameters!.read("nothing/kernel")).toBeUndefined();
    bound.close();
    reference.close();
  });

  it("replaces one parameter at a time, and no other", async () => {
    const { plan, bound } = await bind(backend, false);
    const parameters = [...plan.values].filter(([, { kind }]) => kind === "parameter");
    const read = async () =>
      Object.fromEntries(
        await Promise.all(parameters.map(async ([name]) => [name, await bound.parameters!.read(name)])),
      );
    let expected = await read();
    for (const [name, { elements }] of parameters) {
      const other = numbers(elements, 0.5, 1.5);
      bound.parameters!.write(name, other);
      expected = { ...expected, [name]: other };
      expect(await read(), name).toEqual(expected);
    }
    // As if it had been made of them: what was written is what runs.
    const changed = withParameters(
      model,
      new Map(
        [...model.parameters].map(([name, value]) => [name, { ...value, data: expected[name] ?? value.data }] as const),
      ),
    );
    const { bound: fresh } = await bind(backend, false, changed);
    for (const name of ["stem_bn", "deep_bn", "norm"])
      for (const part of ["scale", "shift"]) fresh.parameters!.write(`${name}/${part}`, expected[`${name}/${part}`]!);
    expect(await logits(bound)).toEqual(await logits(fresh));
    bound.close();
    fresh.close();
  });

  it("refuses what the plan has not, and too few or too many numbers, and writes none of them", async () => {
    const { bound } = await bind(backend);
    const before = await bound.parameters!.read("wide/bias");
    for (const [name, count] of [
      ["nothing/kernel", 1],
      ["logits", 3],
      ["wide/bias", 36],
      ["wide/bias", 38],
    ] as const) {
      expect(() => bound.parameters!.write(name, new Float32Array(count).fill(9)), name).toThrow(InternalError);
    }
    expect(await bound.parameters!.read("wide/bias")).toEqual(before);
    bound.close();
  });

  it("gives no value that never lies in memory", async () => {
    const { plan, bound } = await bind(backend);
    const joined = plan.steps.filter((step) => step.joined === true);
    expect(joined.length > 0).toBe(backend.name === "wasm");
    for (const { name } of joined) {
      expect(plan.values.get(name)?.offset).toBeUndefined();
      expect(() => bound.read([name], 1)).toThrow(InternalError);
    }
    bound.close();
  });

  it("keeps what was written while parameters are replaced: packing borrows nothing of the arena", async () => {
    const { bound } = await bind(backend);
    const expected = await logits(bound);
    bound.write({ input });
    bound.replace(parametersOf(model));
    await bound.run(BATCH, { breath: new Breath(performance.now()) });
    expect([...(await bound.read(["logits"], BATCH))[0]!]).toEqual(expected);
    bound.close();
  });

  it("says that it was closed, in the middle of a run", async () => {
    const { bound } = await bind(backend);
    bound.write({ input });
    // Breath is due at every stage, and its turn is when it is closed.
    const running = bound.run(BATCH, { breath: { isDue: true, take: async () => undefined } });
    bound.close();
    await expect(running).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});
