/** Checkpoints: exact resume from any step, what is refused, and stores that fail. */

import { describe, expect, it } from "vitest";
import { ARITHMETIC } from "../../../src/backends/training/arithmetic.ts";
import type { FitEvent, FitResult } from "../../../src/train/fit/events.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import type { FitOptions } from "../../../src/train/fit/fit-options.ts";
import { hashOfText } from "../../../src/train/fit/hash.ts";
import { adam, sgd } from "../../../src/train/optimizers.ts";
import { constant, cosine } from "../../../src/train/schedules.ts";
import { loadModel } from "../../../src/weights/index.ts";
import { NOT_WIDE, SIMD } from "../../backends.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { tinyData, tinyModel } from "./tiny.ts";

const validation = tinyData(12, { seed: 5 });
/** All that has a state: momentum, averages, accumulation, augmentation, dropout, validation, patience. */
const OPTIONS = {
  epochs: 3,
  batch: 12,
  accumulate: 2,
  optimizer: adam({}),
  schedule: cosine({ rate: 0.02 }),
  averageDecay: 0.9,
  augment: { paddedCrop: { padding: 1 }, flip: "random", mixup: { alpha: 0.3 } },
  validation,
  patience: 2,
  checkpointSeconds: 0,
} as const satisfies FitOptions;
const data = tinyData(40);

/** What must be equal: everything but times. */
function facts({ model, history, ...rest }: FitResult) {
  return { parameters: [...model.parameters], history: history.map(({ time: _, ...record }) => record), ...rest };
}

function stateOf({ files }: MemoryStore) {
  const index = JSON.parse(new TextDecoder().decode(files.get("checkpoint.json"))) as {
    current: {
      position: { epoch: number; example: number; updates: number; history: object[] };
      state: { name: string; hash: string };
    };
    previous?: { state: { name: string } };
  };
  return index;
}

/** Runs until so many updates are done, then ends by signal. */
async function stopAfter(updates: number, checkpoint: MemoryStore, options: FitOptions = {}): Promise<void> {
  const controller = new AbortController();
  let left = updates;
  const counting = data.map(({ image }) => image);
  const run = fit(tinyModel(), counting, {
    ...OPTIONS,
    checkpoint,
    resume: true,
    ...options,
    signal: controller.signal,
  });
  for await (const event of run) {
    if (event.type === "checkpoint" && --left === 0) controller.abort(new Error("stop"));
  }
  await run.done.catch(() => undefined);
}

describe("a run that was stopped after any step, and resumed", () => {
  it("ends with the bytes of one that never was", async () => {
    const whole = memoryStore();
    const expected = facts(await fit(tinyModel(), data, { ...OPTIONS, checkpoint: whole }).done);
    // An epoch has four steps and an end.
    for (const after of [1, 4, 5, 7, 11, 15]) {
      const store = memoryStore();
      await stopAfter(after, store);
      const events: FitEvent[] = [];
      const run = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true, prefetch: after % 4 });
      for await (const event of run) events.push(event);
      expect(facts(await run.done)).toEqual(expected);
      expect(events[1]).toMatchObject({ type: "resumed" });
      expect(stateOf(store).current.state.hash).toBe(stateOf(whole).current.state.hash);
      expect(store.files.get("model.safetensors")).toEqual(whole.files.get("model.safetensors"));
    }
  });

  it("stopped again and again as well", async () => {
    const store = memoryStore();
    for (let turn = 0; turn < 12; turn++) await stopAfter(2, store);
    const resumed = facts(await fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true }).done);
    expect(resumed).toEqual(facts(await fit(tinyModel(), data, OPTIONS).done));
  });

  it("gives what it gave, if it had ended", async () => {
    const store = memoryStore();
    const first = facts(await fit(tinyModel(), data, { ...OPTIONS, checkpoint: store }).done);
    const { length } = store.writes;
    expect(facts(await fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true }).done)).toEqual(first);
    expect(store.writes.length).toBe(length);
    // And without patience, where the last epoch counts and nothing of it is held.
    const { patience: _, ...options } = OPTIONS;
    const other = memoryStore();
    const last = facts(await fit(tinyModel(), data, { ...options, checkpoint: other }).done);
    expect(facts(await fit(tinyModel(), data, { ...options, checkpoint: other, resume: true }).done)).toEqual(last);
  });

  it("remembers the best epoch, when that was before", async () => {
    // Rates beyond all reason: from some epoch on it becomes worse.
    const options = { ...OPTIONS, optimizer: sgd({}), schedule: constant({ rate: 2 }), epochs: 30, averageDecay: 0.5 };
    const whole = await fit(tinyModel(), data, options).done;
    expect(whole.stopped).toBe("early");
    expect(whole.best).toBe(whole.history.length - 2);
    const store = memoryStore();
    // Into the epoch after the best one.
    await stopAfter(5 * whole.best! + 1, store, options);
    expect(stateOf(store).current.position.epoch).toBe(whole.best);
    const resumed = await fit(tinyModel(), data, { ...options, checkpoint: store, resume: true }).done;
    expect(facts(resumed)).toEqual(facts(whole));
    expect(facts(await fit(tinyModel(), data, { ...options, checkpoint: store, resume: true }).done)).toEqual(
      facts(whole),
    );
  });

  it("goes on for more epochs, where its rates do not depend on how many there are", async () => {
    const options = { ...OPTIONS, schedule: constant({ rate: 0.02 }) };
    const store = memoryStore();
    await fit(tinyModel(), data, { ...options, epochs: 2, checkpoint: store }).done;
    const more = await fit(tinyModel(), data, { ...options, checkpoint: store, resume: true }).done;
    expect(facts(more)).toEqual(facts(await fit(tinyModel(), data, options).done));
  });
});

describe("the files of a checkpoint", () => {
  it("are a model that loads, a line an epoch, and two states", async () => {
    const store = memoryStore();
    const { model, history } = await fit(tinyModel(), data, { ...OPTIONS, checkpoint: store }).done;
    expect([...store.files.keys()].filter((name) => name.startsWith("state-")).length).toBe(2);
    const loaded = await loadModel(store.files.get("model.safetensors")!);
    expect([...loaded.parameters]).toEqual([...model.parameters]);
    const lines = new TextDecoder().decode(store.files.get("history.jsonl")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(history);
    const { current, previous } = stateOf(store);
    expect(current.position).toMatchObject({ epoch: 3, example: 0, updates: 12 });
    expect(current.state.name).not.toBe(previous?.state.name);
  });

  it.each([
    ["damaged", (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 3 ? byte ^ 1 : byte))],
    ["cut", (bytes: Uint8Array) => bytes.subarray(0, 1000)],
    ["gone", () => undefined],
  ])("when the newest is %s, the one before is gone on from", async (_what, damage) => {
    const store = memoryStore();
    await stopAfter(6, store);
    const { name } = stateOf(store).current.state;
    const damaged = damage(store.files.get(name)!);
    if (damaged === undefined) store.files.delete(name);
    else store.files.set(name, damaged);
    const run = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true });
    const events: FitEvent[] = [];
    for await (const event of run) events.push(event);
    expect(facts(await run.done)).toEqual(facts(await fit(tinyModel(), data, OPTIONS).done));
    for (const { state } of [stateOf(store).current, stateOf(store).previous!]) store.files.delete(state.name);
    await expect(fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true }).done).rejects.toMatchObject({
      code: "FILE_CORRUPT",
    });
  });

  it.each(["", "{", "[]", "{}", '{"format":"depthwise checkpoint","version":1,"current":{}}'])(
    "an index that is %j is refused",
    async (text) => {
      const store = memoryStore();
      store.files.set("checkpoint.json", new TextEncoder().encode(text));
      const run = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true });
      await expect(run.done).rejects.toMatchObject({ code: "FILE_CORRUPT" });
      expect([...store.files.keys()]).toEqual(["checkpoint.json"]);
    },
  );

  it("are not written over by another run", async () => {
    const store = memoryStore();
    await stopAfter(2, store);
    const before = new Map(store.files);
    const run = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store });
    await expect(run.done).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("resume: true"),
    });
    expect(store.files).toEqual(before);
  });
});

describe("a checkpoint of another run is refused, with what differs", () => {
  const store = memoryStore();
  const begun = stopAfter(2, store);
  it.each<[string, FitOptions, string]>([
    ["the batch", { batch: 6 }, "options.batch: 12 then, 6 now"],
    ["the optimizer", { optimizer: sgd({}) }, 'options.optimizer.type: "adam" then, "sgd" now'],
    ["the schedule", { epochs: 4 }, "options.schedule.steps: 12 then, 16 now"],
    ["the seed", { seed: 2 }, "options.seed: 1 then, 2 now"],
    ["augmentation", { augment: undefined }, "options.augment: {"],
    ["what is trained", { train: ["head/kernel"] }, "options.parameters.conv/kernel: {"],
    ["the validation", { validation: tinyData(15, { seed: 5 }) }, "data.validation.size: 12 then, 15 now"],
    ["the backend", { backend: "reference" }, 'arithmetic.backend: "wasm" then, "reference" now'],
  ])("%s", async (_name, options, difference) => {
    await begun;
    const before = new Map(store.files);
    const run = fit(tinyModel(), data, { ...OPTIONS, ...options, checkpoint: store, resume: true });
    await expect(run.done).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      fields: { differences: expect.arrayContaining([expect.stringContaining(difference)]) },
    });
    expect(store.files).toEqual(before);
  });

  it("the network, and the data", async () => {
    await begun;
    const small = tinyData(40, { classes: 2 });
    const other = fit(tinyModel({ classes: 2 }), small, {
      ...OPTIONS,
      validation: tinyData(4, { classes: 2 }),
      checkpoint: store,
      resume: true,
    });
    await expect(other.done).rejects.toThrow(/model\.classes: 3 then, 2 now; model\.parameters\.head\/kernel/);
    const fewer = fit(tinyModel(), tinyData(39), { ...OPTIONS, checkpoint: store, resume: true });
    await expect(fewer.done).rejects.toThrow("data.size: 40 then, 39 now");
  });
});

describe("a store that fails at its n-th write", () => {
  it("leaves a checkpoint from which the run goes on to the same end", async () => {
    const expected = facts(await fit(tinyModel(), data, OPTIONS).done);
    let failures = 0;
    for (let write = 1; ; write += 5) {
      const store = memoryStore();
      store.failAt(write);
      const first = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true });
      const failed = await first.done.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failed === undefined) break;
      failures++;
      const { message } = failed as Error;
      // Of an epoch's four steps, two writes each; of its end five. Before the first there is nothing.
      expect(message.includes("The last checkpoint is untouched"), message).toBe(write > 2);
      expect(message.includes("model.safetensors can be begun from"), message).toBe(write > 4 * 2 + 5);
      expect(failed).toMatchObject({ code: "FILE_UNREADABLE", cause: { message: "ENOSPC: no space left on device" } });
      expect(facts(await fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true }).done)).toEqual(
        expected,
      );
    }
    expect(failures).toBeGreaterThan(6);
  });

  it("is what is heard of, when the run was to end by a signal", async () => {
    const store = memoryStore();
    const controller = new AbortController();
    const run = fit(tinyModel(), data, {
      ...OPTIONS,
      checkpointSeconds: 60,
      checkpoint: store,
      signal: controller.signal,
    });
    store.failAt(1);
    await expect(
      (async () => {
        for await (const event of run) if (event.type === "progress") controller.abort();
      })(),
    ).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await expect(run.done).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});

describe("numbers that cease to be finite", () => {
  it("end the run with the layer named, and the last good checkpoint stays", async () => {
    const store = memoryStore();
    // A first step that is sound; from the second on the rate is beyond float32.
    const schedule = { type: "linear", rate: 1e-3, end: 1e38, steps: 1 } as const;
    const options = { ...OPTIONS, optimizer: sgd({}), schedule, augment: undefined, checkpoint: store };
    const run = fit(tinyModel(), data, options);
    const events: FitEvent[] = [];
    const failed = await (async () => {
      for await (const event of run) events.push(event);
    })().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "VALUES_NOT_FINITE", fields: { layer: expect.any(String) } });
    await expect(run.done).rejects.toBe(failed);
    const good = new Map(store.files);
    expect(stateOf(store).current.position.updates).toBeGreaterThan(0);
    // It is one that can be gone on from: to the same fault.
    const again = fit(tinyModel(), data, { ...options, resume: true });
    await expect(again.done).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
    expect(store.files).toEqual(good);
  });
});

describe("arithmetic", () => {
  it("of another version of the library is refused, with advice", async () => {
    const store = memoryStore();
    await stopAfter(2, store);
    const { hash: _, ...index } = JSON.parse(new TextDecoder().decode(store.files.get("checkpoint.json")));
    expect(index.run.arithmetic.version).toBe(ARITHMETIC);
    index.run.arithmetic.version = ARITHMETIC + 1;
    const text = JSON.stringify({ ...index, hash: hashOfText(JSON.stringify(index)) });
    store.files.set("checkpoint.json", new TextEncoder().encode(text));
    const resumed = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true });
    await expect(resumed.done).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      message: expect.stringMatching(
        new RegExp(`arithmetic\\.version: ${ARITHMETIC + 1} then, ${ARITHMETIC} now\\. Another version of the library`),
      ),
    });
  });
});

describe("SIMD", () => {
  it("of another form is refused with advice; wide registers are relaxed SIMD", async () => {
    const store = memoryStore();
    if (SIMD.length === 1) {
      // This engine has one form alone, and the other is refused before anything is written.
      const run = fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, simd: "relaxed" });
      await expect(run.done).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
      return;
    }
    await stopAfter(2, store, { simd: "relaxed" });
    const options = { ...OPTIONS, checkpoint: store, resume: true };
    await expect(fit(tinyModel(), data, { ...options, simd: "plain" }).done).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      message: expect.stringMatching(/arithmetic\.simd: "relaxed" then, "plain" now\. Other SIMD rounds otherwise/),
    });
    if (NOT_WIDE !== undefined) return;
    const wide = facts(await fit(tinyModel(), data, { ...options, simd: "wide" }).done);
    expect(wide).toEqual(facts(await fit(tinyModel(), data, { ...OPTIONS, simd: "relaxed" }).done));
  });
});
