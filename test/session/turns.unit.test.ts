/** @slow: it takes 2 seconds. */

/** A session among other work: it breathes, it hears an abort wherever it waits, and what was given up is let go. */

import { execFileSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { Turns } from "../../src/session/turns.ts";

const root = resolve(import.meta.dirname, "../..");
const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
const image = new Float32Array(32 * 32 * 3);
const reason = new Error("enough");

const started: Worker[] = [];
const keep = (made: Worker) => {
  started.push(made);
  return made;
};
const good = () => keep(new Worker(resolve(root, "dist/esm/worker.js")));
/** One that never says it is ready. */
const silent = () => keep(new Worker("setInterval(() => {}, 1000)", { eval: true }));
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await Promise.all(started.splice(0).map((one) => one.terminate()));
});

const later = (ms: number) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), ms);
  return controller.signal;
};

describe("runs one after the other, each awaited", () => {
  it.each([
    ["wasm", {}],
    ["two threads", { threads: 2, worker: good }],
    ["plain", { backend: "plain" as const }],
  ])("let timers have their turn, and so hear an abort, on %s", async (_name, options) => {
    using session = await compile(model, options);
    const signal = later(20);
    const start = performance.now();
    const loop = async () => {
      while (performance.now() - start < 5000) await session.run(image, { signal });
    };
    await expect(loop()).rejects.toBe(reason);
  });

  it("do so with new parameters between them too", async () => {
    using session = await compile(model);
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 20);
    const start = performance.now();
    while (!fired && performance.now() - start < 5000) await session.replaceParameters(model.parameters);
    expect(fired).toBe(true);
  });
});

describe("workers in place of lost ones", () => {
  async function bereft(...factories: (() => Worker)[]) {
    const session = await compile(model, { threads: 2, worker: () => (factories.shift() ?? silent)() });
    const expected = (await session.run(image)).logits.data;
    await started[0]!.terminate();
    return { session, expected };
  }

  it("are not waited for by a run that is aborted; the next run does, and starts no others", async () => {
    let wake = (): void => undefined;
    /** Ready, but not before it is told. */
    const slow = () => {
      const made = good();
      const told = new Promise<void>((onTold) => {
        wake = onTold;
      });
      const { postMessage } = made;
      made.postMessage = (message: unknown) => void told.then(() => postMessage.call(made, message));
      return made;
    };
    const { session, expected } = await bereft(good, slow);
    const outcome = await Promise.race([
      session.run(image, { signal: later(50) }).catch((error: unknown) => error),
      new Promise((done) => setTimeout(done, 5000, "still waiting")),
    ]);
    expect(outcome).toBe(reason);
    const next = session.run(image);
    await new Promise((done) => setTimeout(done, 20));
    wake();
    expect((await next).logits.data).toEqual(expected);
    expect(started).toHaveLength(2);
    session.close();
  });

  it("that cannot be started either are reported as such, not as a script that was moved", async () => {
    const broken = () => {
      throw new Error("no more workers");
    };
    const { session, expected } = await bereft(good, broken, good);
    const error = (await session.run(image).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ code: "WORKER_LOST" });
    expect(error.message).toContain("no more workers");
    expect(error.message).toContain("the next one starts new workers");
    expect(error.message).not.toContain("bundler");
    expect((await session.run(image)).logits.data).toEqual(expected);
    session.close();
  });
});

describe("compile", () => {
  it.each([1, 2])("on %d threads hears an abort while the modules are instantiated", async (threads) => {
    const controller = new AbortController();
    const { instantiate } = WebAssembly;
    vi.spyOn(WebAssembly, "instantiate").mockImplementation(((...args: Parameters<typeof instantiate>) => {
      controller.abort(reason);
      return instantiate(...args);
    }) as typeof instantiate);
    const { signal } = controller;
    await expect(compile(model, { threads, worker: good, signal })).rejects.toBe(reason);
    expect([started.length, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
  });

  it("hears one while a backend is loaded", async () => {
    const controller = new AbortController();
    const compiling = compile(model, { backend: "reference", signal: controller.signal });
    controller.abort(reason);
    await expect(compiling).rejects.toBe(reason);
  });

  it("listens to a signal once, however many sessions start with it", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const many = Array.from({ length: 4 }, () => compile(model, { threads: 2, worker: silent, signal }));
    while (started.length < 4) await new Promise((done) => setTimeout(done, 5));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort(reason);
    for (const outcome of await Promise.allSettled(many)) expect(outcome).toMatchObject({ reason });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("names all the bytes that the system refused, weights and scratch too", async () => {
    const { bytes } = (await compile(model)).explain();
    vi.stubGlobal("WebAssembly", {
      ...Object.fromEntries(
        Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]),
      ),
      Memory: class {
        constructor() {
          throw new RangeError("could not allocate memory");
        }
      },
    });
    const error = (await compile(model).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({
      code: "MEMORY_EXCEEDED",
      fields: { bytes, batch: 1 },
      cause: expect.any(RangeError),
    });
    expect(error.message).toContain(`the system refused ${bytes.toLocaleString("en-US")} bytes`);
  });
});

describe("what was given up while it waited", () => {
  it("is let go at once, though those before it are not done", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const turns = new Turns();
    let end = (): void => undefined;
    const first = turns.take(
      () =>
        new Promise<void>((done) => {
          end = done;
        }),
    );
    const controller = new AbortController();
    /** Its own function: what it makes is held by nobody here. */
    const queue = () => {
      const held = { large: new Uint8Array(1000) };
      return {
        held: new WeakRef(held),
        turn: turns.take(async () => held.large.length, controller.signal).catch((error: unknown) => error),
      };
    };
    const { held, turn } = queue();
    controller.abort(reason);
    expect(await turn).toBe(reason);
    for (let i = 0; i < 10 && held.deref() !== undefined; i++) {
      await new Promise((done) => setTimeout(done, 5));
      gc();
    }
    expect(held.deref()).toBeUndefined();
    end();
    await first;
  });

  it("gives the memory of its input back", () => {
    const script = `
      const { compile, mobileNetV1 } = await import(${JSON.stringify(resolve(root, "dist/esm/index.js"))});
      const session = await compile(mobileNetV1({ resolution: 224, classes: 3 }), { batch: 16, backend: "plain" });
      const images = new Float32Array(16 * 224 * 224 * 3);
      const settled = async () => {
        await new Promise((next) => setTimeout(next, 30));
        gc();
        return process.memoryUsage().arrayBuffers / 2 ** 20;
      };
      const before = await settled();
      let isDone = false;
      const first = session.run(images).then(() => { isDone = true; });
      const controller = new AbortController();
      const waiting = Array.from({ length: 20 }, () => session.run(images, { signal: controller.signal }).catch(() => 0));
      const queued = await settled();
      controller.abort();
      await Promise.all(waiting);
      // V8 gives buffers back in its own time, but these while the first run goes on.
      let after = await settled() - before;
      while (after > 20 && !isDone) after = await settled() - before;
      console.log(queued - before, after, isDone ? 1 : 0);
      process.exit();`;
    const out = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 110_000,
    });
    const [queued, after, isDone] = out.trim().split(" ").map(Number);
    // 20 copies of 9 MB each.
    expect(queued).toBeGreaterThan(150);
    expect(after).toBeLessThan(20);
    expect(isDone).toBe(0);
  });
});
