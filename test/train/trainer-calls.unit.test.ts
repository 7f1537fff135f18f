/** Calls of a trainer: they reject and do not throw, know their options, and take no state that is not theirs. */

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import type { TrainerState } from "../../src/train/trainer.ts";
import { CLASSES, errorOf, labelsOf, pictures, smallNetwork } from "./small-network.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

const BATCH = 4;
const x = pictures(BATCH, 1) as FloatTensor;
const make = (options: object = {}) =>
  createTrainer(smallNetwork(), { batch: BATCH, ...TRAINING_BACKENDS[1]!.options, ...options });

describe("a trainer", () => {
  it("rejects and never throws, so that one place catches", async () => {
    using trainer = await make();
    const calls: (() => Promise<unknown>)[] = [
      () => trainer.step(x, [9, 9, 9, 9]),
      () => trainer.evaluate(x, [9, 9, 9, 9]),
      () => trainer.profile(x, [9, 9, 9, 9]),
      () => trainer.averages(),
      () => trainer.restore({ updates: -1, tensors: new Map() }),
    ];
    for (const call of calls) {
      let promise: Promise<unknown> | undefined;
      expect(() => {
        promise = call();
        promise.catch(() => undefined);
      }, String(call)).not.toThrow();
      await expect(promise).rejects.toMatchObject({ name: "DepthwiseError" });
    }
  });

  it("has no averages that nobody asked for", async () => {
    using trainer = await make();
    const error = await errorOf(() => trainer.averages());
    expect(error).toMatchObject({ code: "OPTION_INVALID" });
    expect(error.message).toContain("averageDecay");
    expect(await errorOf(() => trainer.evaluate(x, labelsOf(BATCH), { average: true }))).toMatchObject({
      code: "OPTION_INVALID",
    });
  });

  it("evaluates the parameters that are passed as they are at the call", async () => {
    using trainer = await make();
    const labels = labelsOf(BATCH);
    const parameters = await trainer.parameters();
    const lossOf = async (given: Map<string, FloatTensor>) =>
      (await trainer.evaluate(x, labels, { parameters: given })).loss;
    const first = await lossOf(parameters);
    const bias = parameters.get("logits/bias")!;
    const other = { ...bias, data: bias.data.map((_, i) => (i === 0 ? 3 : -1)) };
    parameters.set("logits/bias", other);
    const second = await lossOf(parameters);
    expect(second).not.toBe(first);
    expect(await lossOf(new Map(parameters))).toBe(second);
    // Numbers in place, and what changes while another call is under way.
    other.data.set(bias.data);
    expect(await lossOf(parameters)).toBe(first);
    const before = trainer.step(x, labels);
    const waiting = lossOf(parameters);
    bias.data.fill(0);
    other.data.fill(7);
    parameters.delete("logits/bias");
    await before;
    expect(await waiting).toBe(first);
  });

  it("refuses parameters that are not the network's", async () => {
    using trainer = await make();
    const parameters = await trainer.parameters();
    const evaluating = (given: unknown) =>
      errorOf(() => trainer.evaluate(x, labelsOf(BATCH), { parameters: given as Map<string, FloatTensor> }));
    for (const none of [7, null, {}, []]) expect(await evaluating(none)).toMatchObject({ code: "OPTION_INVALID" });
    for (const value of [undefined, null, 7, {}, { ...parameters.get("logits/bias"), data: null }]) {
      const spoilt = new Map<string, unknown>(parameters).set("logits/bias", value);
      expect(await evaluating(spoilt)).toMatchObject({ code: "PARAMETERS_MISMATCH" });
    }
    expect(await evaluating(new Map())).toMatchObject({ code: "PARAMETERS_MISMATCH" });
  });

  it("refuses options that are none", async () => {
    using trainer = await make();
    for (const none of [null, 3]) {
      for (const call of ["evaluate", "profile"] as const) {
        const error = await errorOf(() => trainer[call](x, labelsOf(BATCH), none as never));
        expect(error, call).toMatchObject({ code: "OPTION_INVALID" });
      }
    }
  });

  it("takes shares and states of another realm", async () => {
    const foreign = ({ length }: { readonly length: number }, numbers: ArrayLike<number>) =>
      runInNewContext("Float32Array.from(numbers)", { numbers: Array.from({ length }, (_, i) => numbers[i]) });
    using trainer = await make();
    const shares = new Float32Array(BATCH * CLASSES).fill(1 / CLASSES);
    const given = foreign(shares, shares) as Float32Array;
    expect(given instanceof Float32Array).toBe(false);
    const { updates, tensors } = await trainer.state();
    const result = await trainer.step(x, shares);
    const entries = [...tensors].map(([name, value]) => [name, { ...value, data: foreign(value.data, value.data) }]);
    await trainer.restore({ updates, tensors: new Map(entries as [string, FloatTensor][]) });
    expect(await trainer.step(x, given)).toEqual(result);
  });

  it("knows its own options", async () => {
    using trainer = await make();
    const labels = labelsOf(BATCH);
    const calls = [
      () => trainer.evaluate(x, labels, { averages: true } as object),
      () => trainer.evaluate(x, labels, { average: "yes" } as object),
      () => trainer.evaluate(x, labels, null as unknown as object),
      () => trainer.profile(x, labels, { runs: 0 }),
      () => trainer.profile(x, labels, { runs: 1.5 }),
      () => trainer.profile(x, labels, { run: 3 } as object),
    ];
    for (const call of calls) expect(await errorOf(call), String(call)).toMatchObject({ code: "OPTION_INVALID" });
  });

  it.each<[string, (state: TrainerState) => unknown]>([
    ["nothing", () => undefined],
    ["no tensors", ({ updates }) => ({ updates })],
    ["no map", ({ updates, tensors }) => ({ updates, tensors: Object.fromEntries(tensors) })],
    ["no count", ({ tensors }) => ({ tensors })],
    ["half an update", ({ tensors }) => ({ updates: 0.5, tensors })],
    ["one tensor less", ({ updates, tensors }) => ({ updates, tensors: new Map([...tensors].slice(1)) })],
    [
      "another shape of as many numbers",
      (state) => ({
        ...state,
        tensors: new Map(state.tensors).set("logits/kernel", tensor(new Float32Array(12 * CLASSES), [CLASSES, 12])),
      }),
    ],
    [
      "another count",
      (state) => ({ ...state, tensors: new Map(state.tensors).set("logits/bias", tensor(new Float32Array(3), [3])) }),
    ],
    [
      "integers",
      (state) => ({
        ...state,
        tensors: new Map(state.tensors).set("logits/bias", {
          dtype: "int32",
          shape: [CLASSES],
          data: new Int32Array(CLASSES),
        } as never),
      }),
    ],
    [
      "a tensor that is none",
      (state) => ({ ...state, tensors: new Map(state.tensors).set("logits/bias", null as never) }),
    ],
    [
      "a tensor without a shape",
      (state) => ({
        ...state,
        tensors: new Map(state.tensors).set("logits/bias", { data: new Float32Array(3) } as never),
      }),
    ],
  ])("restores no state with %s, and stays as it is", async (_name, spoil) => {
    using trainer = await make();
    await trainer.step(x, labelsOf(BATCH));
    const state = await trainer.state();
    const error = await errorOf(() => trainer.restore(spoil(state) as TrainerState));
    expect(error).toMatchObject({ code: "PARAMETERS_MISMATCH", name: "DepthwiseError" });
    expect(error.message).toMatch(/^restore: /);
    expect(await trainer.state()).toEqual(state);
  });
});
