/** @slow: it takes 5 seconds. */

/** What is passed belongs to the caller again when the call returns, whoever waits for what. */

import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { type CompileOptions, compile } from "../../src/session/compile.ts";
import type { Profile } from "../../src/session/index.ts";
import { recipe } from "../golden/vectors.ts";

const OPTIONS = { alpha: 0.25, resolution: 32, classes: 7 };
const model = mobileNetV1(OPTIONS);
const other = mobileNetV1({ ...OPTIONS, seed: 2 });
const SIZE = 32 * 32 * 3;
const numbers = (seed: number) => recipe([1, 32, 32, 3], seed, -1, 1).data;

const script = resolve(import.meta.dirname, "../../dist/esm/worker.js");
const started: Worker[] = [];
const worker = () => {
  const made = new Worker(script);
  started.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.terminate()));
});

const BACKENDS: [string, CompileOptions][] = [
  ["wasm", {}],
  ["wasm, two threads", { threads: 2, worker }],
  ["plain", { backend: "plain" }],
  ["reference", { backend: "reference" }],
];

function transferred(data: Float32Array): Float32Array {
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

describe.each(BACKENDS)("on %s", (_name, options) => {
  const answers = async (seeds: readonly number[], network = model) => {
    using session = await compile(network, options);
    const results = [];
    for (const seed of seeds) results.push((await session.run(numbers(seed))).logits.data);
    return results;
  };

  it("five images through one buffer give five answers", async () => {
    using session = await compile(model, options);
    const buffer = new Float32Array(SIZE);
    const runs = [1, 2, 3, 4, 5].map((seed) => {
      buffer.set(numbers(seed));
      return session.run(buffer);
    });
    buffer.fill(9);
    const logits = (await Promise.all(runs)).map((result) => result.logits.data);
    expect(logits).toEqual(await answers([1, 2, 3, 4, 5]));
  });

  it("a buffer that is overwritten, transferred, or shared after the call makes no difference", async () => {
    using session = await compile(model, options);
    const [expected] = await answers([1]);
    const x = numbers(1).slice();
    const overwritten = session.run(x);
    x.fill(0);
    expect((await overwritten).logits.data).toEqual(expected);

    const y = numbers(1).slice();
    const running = session.run(tensor(y, [1, 32, 32, 3]));
    transferred(y);
    expect((await running).logits.data).toEqual(expected);

    const z = new Float32Array(new SharedArrayBuffer(4 * SIZE));
    z.set(numbers(1));
    const runs = [session.run(z), session.run(z)];
    z.fill(0);
    for (const run of runs) expect((await run).logits.data).toEqual(expected);
  });

  it("a batch of bytes and of float64 is read at the call as well", async () => {
    using session = await compile(model, { ...options, batch: 2 });
    for (const data of [new Uint8Array(2 * SIZE).fill(3), new Float64Array(2 * SIZE).fill(0.1)]) {
      const expected = (await session.run(data.slice())).logits.data;
      const runs = [session.run(data), session.run(data)];
      data.fill(0);
      for (const run of runs) expect((await run).logits.data).toEqual(expected);
    }
  });

  it("parameters replaced between runs change only the runs after them, whatever becomes of them", async () => {
    using session = await compile(model, options);
    const [before] = await answers([1]);
    const [after] = await answers([2], other);
    const copies = () => new Map([...other.parameters].map(([name, t]) => [name, { ...t, data: t.data.slice() }]));
    const spoil = (parameters: Map<string, FloatTensor>) => {
      for (const { data } of parameters.values()) data.fill(0);
      for (const { data } of parameters.values()) transferred(data);
      parameters.clear();
    };
    // Behind a run whose input lies in the memory that packing goes through.
    const first = session.run(numbers(1));
    const queued = copies();
    const replaced = session.replaceParameters(queued);
    spoil(queued);
    const second = session.run(numbers(2));
    expect((await first).logits.data).toEqual(before);
    await replaced;
    expect((await second).logits.data).toEqual(after);
    // And with nobody before them.
    await session.replaceParameters(model.parameters);
    expect((await session.run(numbers(1))).logits.data).toEqual(before);
    const idle = copies();
    const done = session.replaceParameters(idle);
    spoil(idle);
    const third = session.run(numbers(2));
    await done;
    expect((await third).logits.data).toEqual(after);
  });

  it("profile takes its turn and reads its input at the call", async () => {
    using session = await compile(model, options);
    const order: string[] = [];
    const x = numbers(1).slice();
    const profile = session.profile(x, { runs: 1 }).then(() => order.push("profile"));
    transferred(x);
    const run = session.run(numbers(2)).then(({ logits }) => {
      order.push("run");
      return logits.data;
    });
    await profile;
    expect([await run]).toEqual(await answers([2]));
    expect(order).toEqual(["profile", "run"]);
  });

  it("a session closed after the call rejects, and an aborted one leaves the next run its own input", async () => {
    using session = await compile(model, options);
    const [, expected] = await answers([1, 2]);
    const controller = new AbortController();
    const reason = new Error("enough");
    const aborted = session.run(numbers(1), { signal: controller.signal });
    controller.abort(reason);
    const next = session.run(numbers(2));
    await expect(aborted).rejects.toBe(reason);
    expect((await next).logits.data).toEqual(expected);
    const closed = session.run(numbers(1));
    session.close();
    await expect(closed).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });

  it("a buffer that was transferred before is refused by name", async () => {
    using session = await compile(model, options);
    const gone = () => transferred(numbers(1).slice());
    const calls = [
      () => session.run(gone()),
      () => session.run({ dtype: "float32", shape: [1, 32, 32, 3], data: gone() }),
      () => session.profile(gone()),
    ];
    for (const call of calls) {
      const error = (await call().catch((caught: unknown) => caught)) as Error;
      expect(error).toMatchObject({ code: "SHAPE_MISMATCH" });
      expect(error.message).toContain("transferred");
    }
  });
});

describe("an abort while something waits", () => {
  /** A session that is busy until it is told, which no amount of waiting does. */
  async function busy() {
    const slow = await compile(mobileNetV1({ resolution: 224 }), { backend: "reference" });
    let isDone = false;
    const running = slow.run(new Float32Array(224 * 224 * 3)).then(() => {
      isDone = true;
    });
    return { slow, running, isDone: () => isDone };
  }
  const input = new Float32Array(224 * 224 * 3);

  it.each(["run", "profile"] as const)("is heard at once by %s, which then never runs", async (door) => {
    const { slow, running, isDone } = await busy();
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = slow[door](input, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 1);
    await expect(waiting).rejects.toBe(reason);
    expect(isDone()).toBe(false);
    // What was behind it has its turn all the same.
    const behind = slow.run(input);
    await running;
    expect((await behind).logits.shape).toEqual([1, 1000]);
    slow.close();
  });

  it("of one among many leaves the others alone, and the signal without listeners", async () => {
    using session = await compile(model);
    const expected = (await session.run(numbers(3))).logits.data;
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const counted = Object.assign(signal, {
      addEventListener: (...args: Parameters<AbortSignal["addEventListener"]>) => {
        listeners++;
        AbortSignal.prototype.addEventListener.apply(signal, args);
      },
      removeEventListener: (...args: Parameters<AbortSignal["removeEventListener"]>) => {
        listeners--;
        AbortSignal.prototype.removeEventListener.apply(signal, args);
      },
    });
    const runs = Array.from({ length: 20 }, (_, index) =>
      session.run(numbers(3), index % 2 === 1 ? { signal: counted } : {}),
    );
    expect((await runs[1]!).logits.data).toEqual(expected);
    controller.abort();
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.filter(({ status }) => status === "rejected").length).toBe(9);
    expect(listeners).toBe(0);
    const others = await Promise.all([1, 2, 3].map(() => session.run(numbers(3))));
    for (const { logits } of others) expect(logits.data).toEqual(expected);
  });

  it("reaches a profile of more runs than anybody waits for", async () => {
    using session = await compile(model);
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 20);
    await expect(session.profile(undefined, { runs: 50_000, signal: controller.signal })).rejects.toBe(reason);
  });

  it("reaches runs that wait in a row, though each is short", async () => {
    using session = await compile(model);
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 20);
    const runs = Array.from({ length: 5000 }, () => session.run(numbers(1), { signal: controller.signal }));
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.at(-1)).toEqual({ status: "rejected", reason });
  });
});

describe("a worker that is lost", () => {
  it("is replaced when the others have ended: until then they may write to the memory of the next run", async () => {
    const events: string[] = [];
    const made: Worker[] = [];
    const factory = () => {
      events.push("made");
      const one = worker();
      made.push(one);
      return {
        on: one.on.bind(one),
        unref: one.unref.bind(one),
        postMessage: (message: unknown) => one.postMessage(message),
        async terminate() {
          await one.terminate();
          // As on a machine that has other things to do.
          await new Promise((next) => setTimeout(next, 30));
          events.push("ended");
        },
      };
    };
    using session = await compile(model, { threads: 3, worker: factory });
    const expected = (await session.run(numbers(1))).logits.data;
    events.length = 0;
    await made[0]!.terminate();
    const x = numbers(1).slice();
    const run = session.run(x);
    x.fill(0);
    expect((await run).logits.data).toEqual(expected);
    const [firstMade, lastMade] = [events.indexOf("made"), events.lastIndexOf("made")];
    expect(lastMade).toBe(firstMade + 1);
    expect(events.slice(0, firstMade).filter((event) => event === "ended").length).toBeGreaterThanOrEqual(2);
  });

  it("closed while the new ones start, the session rejects the run", async () => {
    const session = await compile(model, { threads: 2, worker });
    await started[0]!.terminate();
    await session.run(numbers(1)).catch(() => undefined);
    const run = session.run(numbers(1));
    await Promise.resolve();
    session.close();
    await run.then(
      () => expect.unreachable(),
      (error: unknown) => expect(error).toMatchObject({ code: "SESSION_CLOSED" }),
    );
  });
});

it("a session names its backend by a type of its own, not by any string", async () => {
  using session = await compile(model);
  expectTypeOf(session.backend).toEqualTypeOf<"wasm" | "plain" | "reference">();
  expectTypeOf<Profile["backend"]>().toEqualTypeOf<"wasm" | "plain" | "reference">();
  expect(["wasm", "plain"]).toContain(session.backend);
});

describe("what is no signal and no worker", () => {
  const notSignals = [{}, true, "signal", { aborted: false }, new AbortController(), () => undefined];

  it.each(notSignals)("%o is refused as a signal", async (signal) => {
    using session = await compile(model);
    const options = { signal } as never;
    const calls = [
      () => compile(model, options),
      () => session.run(numbers(1), options),
      () => session.profile(undefined, options),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: "OPTION_INVALID", fields: { option: "signal" } });
    }
  });

  it.each([
    ["nothing", () => null],
    ["undefined", () => undefined],
    ["a promise", async () => worker()],
    ["an object", () => ({ postMessage: () => undefined })],
    ["a string", () => "worker.js"],
  ])("a function that makes %s is refused as worker, with any number of threads", async (_name, factory) => {
    for (const threads of [2, 3]) {
      const error = await compile(model, { threads, worker: factory }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "OPTION_INVALID", fields: { option: "worker" } });
    }
  });

  it("one that makes the first worker and not the second ends the first", async () => {
    let calls = 0;
    const factory = () => (calls++ === 0 ? worker() : null);
    await expect(compile(model, { threads: 3, worker: factory })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(started).toHaveLength(1);
    await new Promise((ended) => started[0]!.on("exit", ended));
  });
});

describe("memory that the system refuses", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("for the copy of what waits is an error with a name, and the session goes on", async () => {
    const session = await compile(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 }), { backend: "reference" });
    const x = new Float32Array(32 * 32 * 3);
    const first = session.run(x);
    vi.stubGlobal(
      "Float32Array",
      class {
        constructor() {
          throw new RangeError("Array buffer allocation failed");
        }
      },
    );
    await expect(session.run(x)).rejects.toMatchObject({ code: "MEMORY_EXCEEDED", fields: { bytes: 12_288 } });
    await expect(session.profile(x)).rejects.toMatchObject({ code: "MEMORY_EXCEEDED" });
    vi.unstubAllGlobals();
    expect((await first).logits.data).toEqual((await session.run(x)).logits.data);
    session.close();
  });
});
