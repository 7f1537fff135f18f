/** What a trainer says of what trains and why, where it is not what was asked for. */

import { expect, it } from "vitest";
import { createTrainer } from "../../src/train/create-trainer.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { worker } from "../backends.ts";
import { tinyModel } from "./fit/tiny.ts";

async function explained(options: TrainerOptions) {
  const trainer = await createTrainer(tinyModel(), { batch: 4, ...options });
  const x = Float32Array.from({ length: 4 * 8 * 8 * 3 }, (_, i) => ((i * 7) % 11) / 5 - 1);
  const { loss } = await trainer.step(x, [0, 1, 2, 0]);
  const { backend, simd, threads, reasons, bytes } = trainer.explain();
  expect(trainer.threads).toBe(threads);
  expect(bytes).toBe(trainer.bytes);
  trainer.close();
  return { backend, simd, threads, reasons: reasons.join("; "), loss };
}

it("a worker that cannot be started leaves one thread, a reason and the bits of one", async () => {
  const none = () => {
    throw new Error("the script was left out");
  };
  const one = await explained({ simd: "plain" });
  expect(await explained({ simd: "plain", threads: 2, worker: none })).toEqual({
    ...one,
    reasons: expect.stringMatching(/^one thread: a worker cannot be started: the script was left out/),
  });
});

it("a worker that is none is the caller's fault, and no reason for one thread", async () => {
  await expect(explained({ threads: 2, worker: () => 5 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

it("threads are a power of two", async () => {
  const { threads, reasons } = await explained({ simd: "plain", threads: 3, worker });
  expect({ threads, reasons }).toEqual({ threads: 2, reasons: "2 threads instead of 3: training takes 1, 2, 4 or 8" });
});

it("plain is reference: training has no other loops in JavaScript", async () => {
  expect(await explained({ backend: "plain", threads: 2 })).toMatchObject({
    backend: "reference",
    simd: "none",
    threads: 1,
    reasons:
      "one thread: only the wasm backend has more; reference instead of plain: training has no other loops in JavaScript",
  });
});

it("using ends it", async () => {
  const trainer = await createTrainer(tinyModel(), { batch: 4 });
  trainer[Symbol.dispose]();
  await expect(trainer.parameters()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
});
