/** @slow: it takes 10 seconds. */

/** A session in a worker of its own: the same interface, the same bits, and an end that nobody waits for. */

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { kernelModules } from "../../src/backends/wasm/kernel-modules.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { type CompileOptions, compile } from "../../src/session/compile.ts";
import { recipe } from "../golden/vectors.ts";

const root = resolve(import.meta.dirname, "../..");
const script = resolve(root, "dist/esm/session-worker.js");
const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11 });
const image = (seed: number) => recipe([1, 64, 64, 3], seed, -1, 1);

const started: Worker[] = [];
const worker = () => {
  const made = new Worker(script);
  started.push(made);
  return made;
};
const inWorker = (options: CompileOptions = {}) => compile(model, { inWorker: true, worker, ...options });
const ended = (one: Worker | undefined) => one?.threadId === -1 || new Promise((done) => one?.once("exit", done));
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.terminate()));
});

describe("a session in a worker", () => {
  it.each([1, 2, 3])("gives the bits of one that is here, with %i threads", async (threads) => {
    using here = await compile(model, { batch: 2, taps: ["conv_pw_6"] });
    using session = await compile(model, { inWorker: true, worker, threads, batch: 2, taps: ["conv_pw_6"] });
    expect(session.threads).toBe(threads);
    expect([session.batch, session.backend, session.arenaBytes]).toEqual([2, here.backend, here.arenaBytes]);
    expect(session.explain()).toMatchObject({ inWorker: true, reasons: here.explain().reasons, fallbackSteps: [] });
    expect(here.explain().inWorker).toBe(false);
    for (const input of [image(1), image(2), recipe([2, 64, 64, 3], 3, -1, 1)]) {
      expect(await session.run(input)).toEqual(await here.run(input));
    }
    expect(Object.isFrozen((await session.run(image(1))).logits)).toBe(
      Object.isFrozen((await here.run(image(1))).logits),
    );
  });

  it("goes on with new threads when one of them died, idle or in the middle of what is queued", async () => {
    using here = await compile(model);
    const expected = await here.run(image(1));
    using session = await inWorker({ threads: 2 });
    await session.run(image(1));
    const first = started[1];
    await first?.terminate();
    // Whoever learns of it only now is told so, and the next has new threads.
    const answers = await Promise.allSettled([session.run(image(1)), session.run(image(1))]);
    for (const answer of answers) {
      if (answer.status === "fulfilled") expect(answer.value).toEqual(expected);
      else expect(answer.reason).toMatchObject({ code: "WORKER_LOST" });
    }
    expect(await session.run(image(1))).toEqual(expected);
    const queued = Array.from({ length: 5 }, () => session.run(image(1)));
    void started.at(-1)?.terminate();
    for (const answer of await Promise.allSettled(queued)) {
      if (answer.status === "fulfilled") expect(answer.value).toEqual(expected);
      else expect(answer.reason).toMatchObject({ code: "WORKER_LOST" });
    }
    expect(await session.run(image(1))).toEqual(expected);
    await session.replaceParameters(model.parameters);
    expect(await session.run(image(1))).toEqual(expected);
  });

  it.each(["plain", "reference"] as const)("runs the %s backend", async (backend) => {
    using here = await compile(model, { backend });
    using session = await inWorker({ backend });
    expect(session.backend).toBe(backend);
    expect(await session.run(image(1))).toEqual(await here.run(image(1)));
  });

  it("runs modules that a build wrote", async () => {
    const modules = Object.fromEntries(
      Object.entries(kernelModules(model)).map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]),
    );
    using here = await compile(model, { modules });
    using session = await inWorker({ modules });
    expect(await session.run(image(1))).toEqual(await here.run(image(1)));
  });

  it("reads what it is given at the call, and leaves it its caller's", async () => {
    using here = await compile(model);
    const before = new Map([...model.parameters].map(([name, { data }]) => [name, data.slice()]));
    using session = await inWorker();
    const input = image(1).data.slice();
    const expected = (await here.run(input)).logits.data;
    const runs = [1, 2, 3].map(() => session.run(input));
    const copy = input.slice();
    input.fill(9);
    for (const { logits } of await Promise.all(runs)) expect(logits.data).toEqual(expected);
    expect(input.every((value) => value === 9)).toBe(true);
    expect((await session.run(Float64Array.from(copy))).logits.data).toEqual(expected);
    for (const [name, { data }] of model.parameters) expect([name, data]).toEqual([name, before.get(name)]);
  });

  it("replaces parameters between the runs that were asked for before and after", async () => {
    const other = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed: 2 });
    using first = await compile(model);
    using second = await compile(other);
    using session = await inWorker();
    const parameters = new Map(
      [...other.parameters].map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
    );
    const before = session.run(image(1));
    const replaced = session.replaceParameters(parameters);
    for (const { data } of parameters.values()) data.fill(Number.NaN);
    const after = session.run(image(1));
    await replaced;
    expect(await before).toEqual(await first.run(image(1)));
    expect(await after).toEqual(await second.run(image(1)));
  });

  it("measures its steps", async () => {
    using session = await inWorker();
    const { steps, totalMs } = await session.profile(image(1), { runs: 2 });
    expect(steps.map(({ name }) => name)).toEqual(session.plan.steps.map(({ name }) => name));
    expect(totalMs).toBeGreaterThan(0);
  });

  it("ends a run at once when it is aborted, and no other", async () => {
    using here = await compile(model);
    using session = await inWorker();
    const abort = new AbortController();
    const runs = Array.from({ length: 40 }, (_, at) =>
      session.run(image(1), at % 2 === 0 ? {} : { signal: abort.signal }),
    );
    const reason = new Error("enough");
    abort.abort(reason);
    const settled = await Promise.allSettled(runs);
    const expected = await here.run(image(1));
    for (const [at, one] of settled.entries()) {
      expect(one).toEqual(at % 2 === 0 ? { status: "fulfilled", value: expected } : { status: "rejected", reason });
    }
    await expect(session.run(image(1), { signal: abort.signal })).rejects.toBe(reason);
    await expect(session.profile(undefined, { signal: abort.signal })).rejects.toBe(reason);
    expect(await session.run(image(1))).toEqual(expected);
  });

  it("that is being compiled ends with the signal, and leaves no worker", async () => {
    const abort = new AbortController();
    const late = () => {
      // Its answer is awaited by then.
      setTimeout(() => abort.abort("enough"));
      return worker();
    };
    await expect(inWorker({ signal: abort.signal, worker: late })).rejects.toBe("enough");
    expect(started).toHaveLength(1);
    await Promise.all(started.map(ended));
  });

  it("rejects what is under way when it is closed, and ends its worker", async () => {
    const session = await inWorker({ threads: 2 });
    const runs = [1, 2, 3].map((seed) => session.run(image(seed)));
    session.close();
    session.close();
    for (const run of runs) await expect(run).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await expect(session.run(image(1))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await expect(session.profile()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await expect(session.replaceParameters(model.parameters)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    expect([session.arenaBytes, session.explain().bytes]).toEqual([0, 0]);
    await Promise.all(started.map(ended));
  });

  it("whose worker dies rejects what is under way and what comes after, with how to go on", async () => {
    const session = await inWorker();
    // So many that the last cannot be answered before the blow falls.
    const running = Array.from({ length: 500 }, () => session.run(image(1)));
    void started[0]?.terminate();
    for (const settled of await Promise.allSettled(running)) {
      if (settled.status === "rejected") expect(settled.reason).toMatchObject({ code: "WORKER_LOST" });
    }
    await expect(running.at(-1)).rejects.toMatchObject({ code: "WORKER_LOST" });
    await expect(session.run(image(1))).rejects.toThrow(/its worker is lost: .* Compile the network again/);
    session.close();
    await expect(session.run(image(1))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });

  it("says of a wrong input what a session here says, and asks nobody", async () => {
    using here = await compile(model);
    using session = await inWorker();
    for (const wrong of [new Float32Array(5), "cat", null, recipe([2, 64, 64, 3], 1, -1, 1)]) {
      const expected = await here.run(wrong as never).catch((error: unknown) => error);
      await expect(session.run(wrong as never)).rejects.toEqual(expected);
    }
    await expect(session.run(image(1), { sginal: 1 } as never)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(session.replaceParameters(new Map())).rejects.toMatchObject({ code: "PARAMETERS_MISMATCH" });
    await expect(session.profile(undefined, { runs: 0 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it.each<[string, object, string]>([
    ["too large a network", { batch: 100_000 }, "MEMORY_EXCEEDED"],
    ["a tap that is not there", { taps: ["conv_pw_66"] }, "NAME_UNKNOWN"],
    ["a wrong number of threads", { threads: 0 }, "OPTION_INVALID"],
  ])("starts no worker for %s", async (_, options, code) => {
    await expect(inWorker(options)).rejects.toMatchObject({ code });
    expect(started).toEqual([]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["is not there", () => new Worker(resolve(root, "dist/esm/none.js")), /Cannot find module/],
    ["is an HTML page", () => new Worker("<!doctype html>", { eval: true }), /Unexpected token/],
    [
      "is that of threads",
      () => new Worker(resolve(root, "dist/esm/worker.js")),
      /its script is depthwise\/worker, and not depthwise\/session-worker/,
    ],
    [
      "says what ours once said",
      () => new Worker('require("worker_threads").parentPort.postMessage("loaded")', { eval: true }),
      /cannot be started: loaded/,
    ],
    [
      "says something else",
      () => new Worker('require("worker_threads").parentPort.postMessage("hello")', { eval: true }),
      /hello/,
    ],
    ["ends at once", () => new Worker("", { eval: true }), /it was ended/],
    [
      "is refused",
      () => {
        throw new Error("no workers here");
      },
      /no workers here/,
    ],
  ])("is on this thread where the script %s, and says why", async (_, broken, why) => {
    const factory = () => {
      const made = broken() as Worker;
      started.push(made);
      return made;
    };
    using here = await compile(model);
    using session = await compile(model, { inWorker: true, worker: factory });
    expect(session.explain()).toMatchObject({ inWorker: false, threads: 1 });
    const [reason = ""] = session.explain().reasons.filter((one) => one.startsWith("on this thread: "));
    expect(reason).toMatch(why);
    expect(reason).toContain("depthwise/session-worker");
    expect(await session.run(image(1))).toEqual(await here.run(image(1)));
    await Promise.all(started.map(ended));
  });

  it("that dies while it compiles is no reason to do the same here", async () => {
    const dying = () => {
      const made = worker();
      made.on("message", () => void made.terminate());
      return made;
    };
    await expect(inWorker({ worker: dying })).rejects.toThrow(/its worker is lost: it was ended/);
  });

  it("says so, with one thread, where neither its worker nor those of threads can be started", async () => {
    const refused = () => {
      throw new Error("no workers here");
    };
    using session = await compile(model, { inWorker: true, threads: 2, worker: refused });
    // Beside the sources there is no script of threads.
    expect(session.explain()).toMatchObject({ inWorker: false, threads: 1 });
    expect(session.explain().reasons.join()).toMatch(/on this thread: .*one thread: a worker cannot be started/);
  });

  it("is not disturbed by messages that are not its own, and is lost by answers to nothing", async () => {
    const session = await inWorker();
    for (const message of ["ping", 1, null, undefined, {}, { id: "x" }, { id: 99, type: "abort" }]) {
      started[0]?.postMessage(message);
    }
    expect((await session.run(image(1))).logits.data).toHaveLength(11);
    const wrong = () => {
      const made = worker();
      return {
        postMessage: () => undefined,
        terminate: () => made.terminate(),
        on: (event: string, listener: (data: unknown) => void) => {
          if (event !== "message") return;
          setTimeout(listener, 1, "depthwise/session-worker");
          setTimeout(listener, 2, { id: 1234, value: {} });
        },
      };
    };
    await expect(inWorker({ worker: wrong })).rejects.toMatchObject({ code: "WORKER_LOST" });
    session.close();
  });

  /** A worker that says its first word, and then what it is told. */
  const says = (...said: readonly unknown[]) => ({
    postMessage: () => undefined,
    terminate: () => undefined,
    on(event: string, listener: (data: unknown) => void) {
      if (event === "message")
        for (const [at, one] of ["depthwise/session-worker", ...said].entries()) setTimeout(listener, at, one);
    },
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a number", 7],
    ["an error that is none", { id: 0, error: null }],
    ["an error without words", { id: 0, error: { code: "X" } }],
    ["an error of numbers", { id: 0, error: { name: "E", message: 5 } }],
    ["nothing", { id: 0 }],
    ["an empty session", { id: 0, value: { plan: {}, choice: {}, bytes: -1 } }],
    ["an answer to nothing", { id: 99, value: {} }],
    [
      "what throws when it is looked at",
      {
        get id() {
          throw new Error("no");
        },
      },
    ],
  ])("is lost where its worker answers %s", async (_, answer) => {
    await expect(inWorker({ worker: () => says(answer) })).rejects.toMatchObject({ code: "WORKER_LOST" });
  });

  it.each(["on", "postMessage", "ref", "unref"])("is on this thread where %s of its worker throws", async (name) => {
    const broken = () => ({
      ...says(),
      [name]: () => {
        throw new Error("not here");
      },
    });
    if (name === "on" || name === "postMessage") {
      using session = await inWorker({ worker: broken });
      expect(session.explain().inWorker).toBe(false);
    } else {
      const control = new AbortController();
      setTimeout(() => control.abort("enough"), 20);
      await expect(inWorker({ worker: broken, signal: control.signal })).rejects.toBe("enough");
    }
  });

  it("refuses numbers that were transferred away meanwhile, as a session here does", async () => {
    const other = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed: 3 });
    const { parameters } = other;
    const compiling = compile(other, { inWorker: true, worker });
    for (const { data } of parameters.values())
      structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    await expect(compiling).rejects.toMatchObject({ code: "PARAMETERS_MISMATCH" });
  });

  it("takes a network whose layers are proxies or carry functions", async () => {
    const { parameters, layers, ...rest } = model;
    const odd = { ...rest, parameters, layers: layers.map((layer) => new Proxy({ ...layer, hook() {} }, {})) };
    using here = await compile(model);
    using session = await compile(odd as typeof model, { inWorker: true, worker });
    expect(session.explain().inWorker).toBe(true);
    expect(await session.run(image(1))).toEqual(await here.run(image(1)));
  });

  it("takes a worker that was started before, and refuses one that has a session", async () => {
    const early = worker();
    await new Promise((done) => early.once("message", done));
    using session = await inWorker({ worker: () => early });
    expect(session.explain().inWorker).toBe(true);
    await expect(inWorker({ worker: () => early })).rejects.toThrow(/a worker for one session/);
  });

  it("whose worker a browser ended without a word is lost when it has been silent for long", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const made = worker();
      let isEnded = false;
      const quiet = {
        postMessage: (message: unknown, transfer: never) => made.postMessage(message, transfer),
        terminate: () => made.terminate(),
        addEventListener: (event: string, listener: (event: { readonly data: unknown }) => void) => {
          if (event === "message") made.on("message", (data) => isEnded || listener({ data }));
        },
      };
      const session = await inWorker({ worker: () => quiet });
      const before = await session.run(image(1));
      isEnded = true;
      const running = session.run(image(1));
      await vi.advanceTimersByTimeAsync(59_000);
      expect(before.logits.data).toHaveLength(11);
      const lost = expect(running).rejects.toThrow(/it has said nothing for 60 seconds/);
      await vi.advanceTimersByTimeAsync(3_000);
      await lost;
    } finally {
      vi.useRealTimers();
    }
  });

  it("goes on saying where it was when it is closed", async () => {
    const session = await inWorker();
    session.close();
    expect(session.explain().inWorker).toBe(true);
  });

  it.each<[object, RegExp]>([
    [{ worker: true }, /inWorker: true/],
    [{ inWorker: true, worker: () => 3 }, /depthwise\/session-worker, found 3/],
    [{ inWorker: "yes" }, /inWorker: expected true or false/],
  ])("refuses %j", async (options, message) => {
    await expect(compile(model, options)).rejects.toThrow(message);
  });
});

const program = (body: string) => `
  import { compile, mobileNetV1 } from "depthwise";
  const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 10 });
  const image = new Float32Array(64 * 64 * 3).fill(0.25);
  ${body}`;
const run = (body: string, ...flags: readonly string[]) =>
  execFileSync(process.execPath, [...flags, "--input-type=module", "-e", program(body)], {
    cwd: root,
    encoding: "utf8",
    timeout: 110_000,
  });

describe("a process with a session in a worker", () => {
  it("waits for the answer, and not for the session to be closed", () => {
    const out = run(`
      const session = await compile(model, { inWorker: true, threads: 2 });
      const idle = await compile(model, { inWorker: true });
      session.run(image).then(({ logits }) => console.log(session.threads, session.explain().inWorker, logits.shape.join()));`);
    expect(out).toBe("2 true 1,10\n");
  });

  it("ends the worker of a session that nobody holds, and of none that owes an answer", () => {
    const out = run(
      `
      const { Worker } = await import("node:worker_threads");
      let living = 0;
      const worker = () => {
        const made = new Worker(new URL("dist/esm/session-worker.js", "file://${root}/"));
        living++;
        made.on("exit", () => living--);
        return made;
      };
      const run = async () => (await compile(model, { inWorker: true, worker })).run(image);
      for (let round = 0; round < 5; round++) {
        const answer = run();
        gc();
        await new Promise((done) => setTimeout(done, 1));
        gc();
        if ((await answer).logits.data.length !== 10) throw new Error("no answer");
      }
      const until = Date.now() + 20_000;
      while (living > 0 && Date.now() < until) {
        gc();
        await new Promise((done) => setTimeout(done, 20));
      }
      console.log(living);`,
      "--expose-gc",
    );
    expect(out).toBe("0\n");
  });
});
