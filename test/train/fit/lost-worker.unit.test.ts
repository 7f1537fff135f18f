/** A worker that dies in the middle of a run: it goes on from the last checkpoint, or says so. */

import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import type { FitEvent } from "../../../src/train/fit/events.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import { memoryStore } from "./memory-store.ts";
import { tinyData, tinyModel } from "./tiny.ts";

const data = tinyData(40);

function workers() {
  const made: Worker[] = [];
  const worker = () => {
    const one = new Worker(resolve(import.meta.dirname, "../../../dist/esm/worker.js"));
    made.push(one);
    return one;
  };
  return { made, worker };
}

const OPTIONS = { epochs: 4, batch: 12, threads: 2, checkpointSeconds: 0, backend: "wasm" } as const;

/** Ends the worker of the trainer when so many steps are done. */
async function runWith(deaths: readonly number[], checkpoint: ReturnType<typeof memoryStore> | undefined) {
  const { made, worker } = workers();
  const place = checkpoint === undefined ? {} : { checkpoint };
  const run = fit(tinyModel(), data, { ...OPTIONS, ...place, worker });
  const events: FitEvent[] = [];
  let steps = 0;
  for await (const event of run) {
    events.push(event);
    if ((checkpoint === undefined ? event.type === "epoch" : event.type === "checkpoint") && deaths.includes(++steps)) {
      void made.at(-1)?.terminate();
    }
  }
  return { events, result: await run.done };
}

it("goes on from the checkpoint, to the same end", async () => {
  const expected = await fit(tinyModel(), data, { ...OPTIONS, threads: 1 }).done;
  const { events, result } = await runWith([3, 7, 11, 15], memoryStore());
  expect(result.model.parameters).toEqual(expected.model.parameters);
  const resumed = events.filter((event) => event.type === "resumed");
  // One that is found dead between two steps costs nothing.
  expect(resumed.length).toBeGreaterThan(0);
  for (const event of resumed) expect(event).toMatchObject({ error: { code: "WORKER_LOST" } });
});

it("without a checkpoint is what the run rejects with", async () => {
  await expect(runWith([1], undefined)).rejects.toMatchObject({ code: "WORKER_LOST" });
});
