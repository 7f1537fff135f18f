/** @slow: workers are started and killed. */

/** A trainer's workers: one that is lost rejects the step, and a state goes on to the same bits. */

import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { sgd } from "../../src/train/optimizers.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { errorOf, labelsOf, pictures, smallNetwork } from "./small-network.ts";

const BATCH = 16;
const started: Worker[] = [];
const worker = () => {
  const made = new Worker(resolve(import.meta.dirname, "../../dist/esm/worker.js"));
  started.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.terminate()));
});

const make = (threads: number) =>
  createTrainer(smallNetwork({ rate: 0.3 }), {
    batch: BATCH,
    backend: "wasm",
    optimizer: sgd({ momentum: 0.9 }),
    averageDecay: 0.9,
    threads,
    worker,
  });

const step = (trainer: Trainer, seed: number) => trainer.step(pictures(BATCH, seed), labelsOf(BATCH, seed));

async function bitsOf(trainer: Trainer) {
  const { updates, tensors } = await trainer.state();
  return { updates, bits: new Map([...tensors].map(([name, { data }]) => [name, data])) };
}

describe("workers of a trainer", () => {
  it.each([2, 4])(
    "of %s threads, one of which is lost, reject the step; restore goes on to the same bits",
    async (threads) => {
      using alone = await make(1);
      const expected = [];
      for (let seed = 1; seed <= 6; seed++) expected.push(await step(alone, seed));
      const end = await bitsOf(alone);

      using trainer = await make(threads);
      expect(trainer.threads).toBe(threads);
      const found = [];
      for (let seed = 1; seed <= 3; seed++) found.push(await step(trainer, seed));
      const state = await trainer.state();
      const losing = Array.from({ length: 200 }, (_, i) => step(trainer, i).catch((error: unknown) => error));
      await losing[3];
      await started.at(-1)?.terminate();
      const outcomes = await Promise.all(losing);
      const lost = outcomes.filter((outcome) => outcome instanceof Error);
      expect(lost.length).toBeGreaterThan(0);
      // Those that waited behind it do not go on from what it left.
      expect(outcomes.slice(outcomes.indexOf(lost[0]!)).every((outcome) => outcome instanceof Error)).toBe(true);
      for (const error of lost) expect(error).toMatchObject({ code: "WORKER_LOST" });
      for (const call of [() => step(trainer, 1), () => trainer.state(), () => trainer.parameters()]) {
        expect(await errorOf(call)).toMatchObject({ code: "WORKER_LOST" });
      }
      await trainer.restore(state);
      for (let seed = 4; seed <= 6; seed++) found.push(await step(trainer, seed));
      expect(found).toEqual(expected);
      expect(await bitsOf(trainer)).toEqual(end);
    },
  );

  it("lost while nothing is under way are replaced, and no step is lost with them", async () => {
    using alone = await make(1);
    const expected = [await step(alone, 1), await step(alone, 2)];
    using trainer = await make(2);
    const found = [await step(trainer, 1)];
    await started.at(-1)?.terminate();
    await new Promise((soon) => setTimeout(soon, 50));
    const state = await trainer.state();
    found.push(
      await step(trainer, 2).catch(async (error: unknown) => {
        expect(error).toMatchObject({ code: "WORKER_LOST" });
        await trainer.restore(state);
        return step(trainer, 2);
      }),
    );
    expect(found).toEqual(expected);
  });

  it("killed again and again at random moments leave training where it was", async () => {
    using alone = await make(1);
    for (let seed = 1; seed <= 20; seed++) await step(alone, seed);
    const end = await bitsOf(alone);
    using trainer = await make(2);
    let state = await trainer.state();
    let lost = 0;
    for (let seed = 1; seed <= 20; ) {
      const victim = started.at(-1);
      const running = step(trainer, seed);
      if (seed % 3 === 0) for (let turn = 0; turn < seed; turn++) await Promise.resolve();
      const blow = seed % 2 === 0 && lost < 10 ? victim?.terminate() : undefined;
      try {
        await running;
        await blow;
        state = await trainer.state();
        seed++;
      } catch (error) {
        expect(error).toMatchObject({ code: "WORKER_LOST" });
        lost++;
        await blow;
        await trainer.restore(state);
      }
    }
    expect(lost).toBeGreaterThan(0);
    expect(await bitsOf(trainer)).toEqual(end);
  });

  it("are gone when it is closed, in the middle of a step too", async () => {
    for (const threads of [2, 4]) {
      const trainer = await make(threads);
      const exits = started.map((one) => new Promise((onExit) => one.on("exit", onExit)));
      const steps = [step(trainer, 1), step(trainer, 2)].map((one) =>
        one.then(
          () => "done",
          ({ code }) => code as string,
        ),
      );
      await Promise.resolve();
      trainer.close();
      for (const outcome of await Promise.all(steps)) expect(["done", "SESSION_CLOSED"]).toContain(outcome);
      await Promise.all(exits);
      started.splice(0);
    }
  });

  it("are gone when it is closed while an evaluation is made ready", async () => {
    const trainer = await make(2);
    const evaluation = errorOf(() => trainer.evaluate(pictures(BATCH, 1), labelsOf(BATCH, 1)));
    // Its session has workers of its own, which are made meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1));
    trainer.close();
    expect(await evaluation).toMatchObject({ code: "SESSION_CLOSED" });
    const isLeft = ({ threadId }: Worker) => threadId !== -1;
    for (let waits = 0; waits < 100 && started.some(isLeft); waits++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(started.length).toBeGreaterThan(1);
    expect(started.filter(isLeft)).toEqual([]);
  });

  it("that cannot be started leave one thread, and the reason", async () => {
    const broken = () => new Worker("throw new Error('no')", { eval: true });
    using trainer = await createTrainer(smallNetwork(), { batch: 4, backend: "wasm", threads: 2, worker: broken });
    expect(trainer.threads).toBe(1);
    expect(trainer.explain().reasons.join()).toMatch(/one thread: .*worker/);
  });

  it("that are none are a mistake of the caller's", async () => {
    const none = await errorOf(() =>
      createTrainer(smallNetwork(), { batch: 4, backend: "wasm", threads: 2, worker: (() => 3) as never }),
    );
    expect(none).toMatchObject({ name: "DepthwiseError", code: "OPTION_INVALID" });
  });
});
