/** @slow: it wants a build. */

/** Functions of the caller's that make workers, and are wrong: nobody is left behind, and nothing is thrown at nobody. */

import { once } from "node:events";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, expect, it, vi } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
const script = resolve(import.meta.dirname, "../../dist/esm/worker.js");

/** Against a test that never ends. */
const HANG = { timeout: 60_000, interval: 1 };

type Listener = (value: unknown) => void;

/** What is due in the event loop, and what that brings. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((done) => setImmediate(done));
}

/** A start waits by seconds that it counts: these go by when the test says so. */
function secondsOfTests(): void {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
}
afterEach(() => vi.useRealTimers());

/** A worker that says what it is told to say, once it is listened to. */
function puppet(event: "message" | "error", ...said: unknown[]) {
  return {
    postMessage: () => undefined,
    terminate: (): unknown => undefined,
    on(name: string, listener: Listener) {
      if (name === event) for (const one of said) setImmediate(listener, one);
    },
  };
}

it("ends a worker that is made by a function that aborts", async () => {
  const control = new AbortController();
  const made: Worker[] = [];
  const worker = () => {
    control.abort(new Error("mine"));
    made.push(new Worker(script));
    return made.at(-1);
  };
  await expect(compile(model, { threads: 3, worker, signal: control.signal })).rejects.toThrow("mine");
  expect(made).toHaveLength(1);
  if (made[0]!.threadId !== -1) await once(made[0]!, "exit");
});

it.each<[string, () => unknown]>([
  [
    "throws",
    () => {
      throw new Error("of the worker");
    },
  ],
  ["rejects", () => Promise.reject(new Error("of the worker"))],
])("does not mind a worker whose terminate %s", async (_, terminate) => {
  const worker = () => ({ ...puppet("error", new Error("boom")), terminate });
  const alone = await compile(model, { threads: 2, worker });
  expect(alone.explain().reasons.join()).toMatch("one thread: a worker cannot be started: ");
  alone.close();
  const session = await compile(model, { threads: 2, worker: () => ({ ...puppet("message", "ready"), terminate }) });
  session.close();
  // What is thrown at nobody is told by then, and fails the test.
  await turns(3);
});

it("says what a worker says that cannot be made a text", async () => {
  const worker = () => puppet("message", { toString: null });
  using session = await compile(model, { threads: 2, worker });
  expect(session.explain().reasons.join()).toMatch("one thread: a worker cannot be started: another script answers");
});

it("counts a worker that is ready twice for one", async () => {
  const silent = puppet("message");
  const workers = [puppet("message", "ready", "ready"), silent];
  const control = new AbortController();
  const compiled = compile(model, { threads: 3, worker: () => workers.pop(), signal: control.signal });
  await vi.waitUntil(() => workers.length === 0, HANG);
  // Both words have been said, and whoever counted them has gone on.
  await turns(20);
  control.abort(new Error("still waiting"));
  await expect(compiled).rejects.toThrow("still waiting");
});

it.each<[string, string]>([
  ["says nothing, as another of that name does", "setInterval(() => {}, 1000)"],
  ["never comes to an end of its first lines", "for (;;);"],
])("does not wait for long for a script that %s, and ends the worker", async (_, text) => {
  secondsOfTests();
  const made: Worker[] = [];
  const worker = () => {
    made.push(new Worker(text, { eval: true }));
    return made.at(-1);
  };
  const compiled = compile(model, { threads: 2, worker });
  await vi.waitUntil(() => made.length === 1, HANG);
  // Its script is there, as the start hears as well.
  await once(made[0]!, "online");
  vi.advanceTimersByTime(6000);
  using session = await compiled;
  // It was 30 s, with another reason.
  expect(session.explain().reasons.join()).toMatch(
    /one thread: a worker cannot be started: its script says nothing for 5 seconds: it may be another one/,
  );
  if (made[0]!.threadId !== -1) await once(made[0]!, "exit");
});

it("waits for a worker that said its first word, however long the rest of its start takes", async () => {
  secondsOfTests();
  let say: Listener | undefined;
  const late = {
    ...puppet("message"),
    on(name: string, listener: Listener) {
      if (name === "online") listener(undefined);
      if (name === "message") say = listener;
    },
  };
  const compiled = compile(model, { threads: 2, worker: () => late });
  await vi.waitUntil(() => say !== undefined, HANG);
  vi.advanceTimersByTime(4000);
  say?.("depthwise/worker");
  vi.advanceTimersByTime(20_000);
  say?.("ready");
  using session = await compiled;
  expect(session.threads).toBe(2);
});
