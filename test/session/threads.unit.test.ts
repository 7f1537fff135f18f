/** @slow: it takes 11 seconds. */

/** Workers: they compute the same bits, die without hanging anybody, and never keep a process alive. */

import { execFileSync, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { recipe } from "../golden/vectors.ts";

const root = resolve(import.meta.dirname, "../..");
const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11 });
const image = (seed: number) => recipe([1, 64, 64, 3], seed, -1, 1);

const started: Worker[] = [];
const worker = () => {
  const made = new Worker(resolve(root, "dist/esm/worker.js"));
  started.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.terminate()));
});

describe("threads", () => {
  it("queue calls, and give each what one thread gives it, to the bit", async () => {
    using alone = await compile(model);
    using session = await compile(model, { threads: 2, worker });
    expect(session.threads).toBe(2);
    const expected = [];
    for (const seed of [1, 2, 3, 4, 5]) expected.push((await alone.run(image(seed))).logits.data);
    const together = await Promise.all([1, 2, 3, 4, 5].map((seed) => session.run(image(seed))));
    expect(together.map(({ logits }) => logits.data)).toEqual(expected);
  });

  it("of two sessions run at once do not disturb each other", async () => {
    const other = mobileNetV1({ alpha: 0.5, resolution: 64, classes: 11, seed: 2 });
    using a = await compile(model, { threads: 2, worker });
    using b = await compile(other, { threads: 3, worker });
    using c = await compile(other);
    const expected = (await c.run(image(1))).logits.data;
    const first = (await a.run(image(1))).logits.data;
    for (let round = 0; round < 20; round++) {
      const [left, right] = await Promise.all([a.run(image(1)), b.run(image(1))]);
      expect(left.logits.data).toEqual(first);
      expect(right.logits.data).toEqual(expected);
    }
  });

  it("that are killed at a random moment, a hundred times over, reject the run or come too late; the next run works", async () => {
    using alone = await compile(model);
    const expected = (await alone.run(image(1))).logits.data;
    using session = await compile(model, { threads: 3, worker });
    let rejected = 0;
    for (let round = 0; round < 100; round++) {
      const running = (async () => {
        // Several in a row, so that the blow falls in the middle of some of them, and at barriers.
        for (let i = 0; i < 20; i++) expect((await session.run(image(1))).logits.data).toEqual(expected);
      })();
      const victim = started[started.length - 1 - (round % 2)] as Worker;
      if (round % 3 === 0) await session.run(image(1));
      const ended = victim.terminate();
      await running.catch((error: unknown) => {
        expect(error).toMatchObject({ code: "WORKER_LOST" });
        rejected++;
      });
      await ended;
      expect((await session.run(image(1))).logits.data).toEqual(expected);
      await Promise.all(started.splice(0, started.length - 2).map((one) => one.terminate()));
    }
    expect(rejected).toBeGreaterThan(50);
  });

  it("that die at a barrier while the others sleep before it do not hang the run", async () => {
    using session = await compile(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11 }), { threads: 2, worker });
    await session.run(image(1));
    // The worker sleeps before the start; it is gone before the run begins, and its end is not yet known.
    void started[0]?.terminate();
    await session.run(image(1)).catch((error: unknown) => expect(error).toMatchObject({ code: "WORKER_LOST" }));
    expect((await session.run(image(1))).logits.shape).toEqual([1, 11]);
  });

  it("are ended by close, also in the middle of a run", async () => {
    const session = await compile(model, { threads: 2, worker });
    const exits = started.map((one) => new Promise((onExit) => one.on("exit", onExit)));
    const runs = [session.run(image(1)), session.run(image(2))].map((run) =>
      run.then(
        () => "done",
        ({ code }) => code as string,
      ),
    );
    await Promise.resolve();
    session.close();
    for (const outcome of await Promise.all(runs)) expect(["done", "SESSION_CLOSED"]).toContain(outcome);
    await Promise.all(exits);
    await expect(session.run(image(1))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });

  it("closed at any moment of a run end it, sixty times over", async () => {
    const larger = mobileNetV1({ alpha: 0.5, resolution: 160, classes: 11 });
    const input = recipe([1, 160, 160, 3], 1, -1, 1);
    for (let round = 0; round < 60; round++) {
      const session = await compile(larger, { threads: 3, worker });
      await session.run(input);
      const run = session.run(input).then(
        () => "done",
        ({ code }) => code as string,
      );
      await new Promise((resolve) => setTimeout(resolve, round % 12));
      session.close();
      expect(["done", "SESSION_CLOSED"]).toContain(await run);
      await Promise.all(started.splice(0).map((one) => one.terminate()));
    }
  });

  it("that are being started end with the signal", async () => {
    const reason = new Error("enough");
    // A worker that never says it is ready.
    const silent = () => new Worker("setTimeout(() => {}, 60_000)", { eval: true });
    const controller = new AbortController();
    const compiling = compile(model, { threads: 2, worker: silent, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(compiling).rejects.toBe(reason);
  });

  it("stop computing when a run is aborted, and serve the next one", async () => {
    const slow = mobileNetV1({ alpha: 1, resolution: 192, classes: 11 });
    using session = await compile(slow, { threads: 2, batch: 6, worker });
    const input = recipe([6, 192, 192, 3], 1, -1, 1);
    const expected = (await session.run(input)).logits.data;
    const reason = new Error("enough");
    const controller = new AbortController();
    const run = session.run(input, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 1);
    await expect(run).rejects.toBe(reason);
    expect((await session.run(input)).logits.data).toEqual(expected);
  });

  it("that cannot be started leave one thread, with the reason", async () => {
    const missing = () => new Worker(resolve(root, "dist/esm/no-such-worker.js"));
    using session = await compile(model, { threads: 2, worker: missing });
    expect(session.threads).toBe(1);
    expect(session.explain().reasons.join()).toMatch(
      /one thread: a worker cannot be started: .*pass worker: \(\) => new Worker/,
    );
    const broken = () => {
      throw new Error("no workers here");
    };
    using other = await compile(model, { threads: 2, worker: broken });
    expect(other.explain().reasons.join()).toContain("no workers here");
  });
});

it("threads: auto does with one where no worker can be started, and says why", async () => {
  const broken = () => {
    throw new Error("no workers here");
  };
  using session = await compile(model, { threads: "auto", worker: broken });
  expect(session.threads).toBe(1);
  // A machine of one core never tries.
  if (availableParallelism() > 1) expect(session.explain().reasons.join()).toContain("no workers here");
  expect((await session.run(image(1))).logits.shape).toEqual([1, 11]);
});

describe("a process", () => {
  const script = (body: string) => `
    const { compile, mobileNetV1 } = await import(${JSON.stringify(resolve(root, "dist/esm/index.js"))});
    const session = await compile(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 3 }), { threads: 2 });
    ${body}`;

  it("ends by itself with a session that nobody closed", () => {
    const out = execFileSync(
      process.execPath,
      ["--input-type=module", "-e", script("await session.run(new Float32Array(64 * 64 * 3)); console.log('ran');")],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect(out).toBe("ran\n");
  });

  it("ends on SIGINT in the middle of runs", () => {
    const body = `
      setTimeout(() => process.kill(process.pid, "SIGINT"), 50);
      for (;;) { await session.run(new Float32Array(64 * 64 * 3)); await new Promise((next) => setImmediate(next)); }`;
    const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script(body)], { timeout: 60_000 });
    expect(signal).toBe("SIGINT");
  });
});
