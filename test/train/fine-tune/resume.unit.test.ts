import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Network } from "../../../src/layers/index.ts";
import { type FineTuneOptions, fineTune } from "../../../src/train/fine-tune/index.ts";
import type { EpochRecord, FitEvent } from "../../../src/train/fit/events.ts";
import { fit as runOf } from "../../../src/train/fit/fit.ts";
import { loadModel, replaceHead } from "../../../src/weights/index.ts";
import { worker } from "../../backends.ts";
import { counted } from "../few-shot/shapes.ts";
import { base, COLOURS, colours } from "./colours.ts";

const data = colours(11);
const validation = colours(4, 700);

function memoryStore() {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    read: async (name: string) => files.get(name)?.slice(),
    write: async (name: string, bytes: Uint8Array) => void files.set(name, bytes.slice()),
    remove: async (name: string) => void files.delete(name),
  };
}

const options: FineTuneOptions = {
  ...{ epochs: 3, frozenEpochs: 2, batch: 8, validation, averageDecay: 0.9, checkpointSeconds: 0 },
  augment: { flip: "random", paddedCrop: { padding: 1 } },
};

const outcomeOf = ({ model, history }: { readonly model: Network; readonly history: readonly EpochRecord[] }) => ({
  parameters: [...model.parameters].map(([name, { data: values }]) => [
    name,
    [...new Int32Array(values.slice().buffer)],
  ]),
  history: history.map(({ time: _time, ...record }) => record),
});

it("ends with the bits and the history of a run that was never stopped, wherever it was stopped", async () => {
  const expected = outcomeOf(await fineTune(base(), data, options).done);
  const next = counted(11);
  const store = memoryStore();
  let stops = 0;
  for (;;) {
    const aborting = new AbortController();
    const run = fineTune(base(), data, {
      ...options,
      checkpoint: store,
      resume: true,
      threads: stops % 2 === 0 ? 1 : 2,
      worker,
      prefetch: stops % 3,
      signal: aborting.signal,
    });
    const { done } = run;
    done.catch(() => undefined);
    let left = Math.floor(next() * 12);
    const events: FitEvent[] = [];
    for await (const event of run) {
      events.push(event);
      if (stops < 8 && event.type === "checkpoint" && left-- === 0) aborting.abort("stop");
    }
    const epochs = events.flatMap((event) => (event.type === "epoch" ? [event.epoch] : []));
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    const resumed = events.flatMap((event) => (event.type === "resumed" ? [event.epoch] : []));
    expect(Math.max(0, ...resumed)).toBeLessThanOrEqual(6);
    if (!aborting.signal.aborted) {
      expect(stops).toBeGreaterThan(2);
      expect(outcomeOf(await done)).toEqual(expected);
      return;
    }
    await expect(done).rejects.toBe("stop");
    stops++;
  }
});

it("gives what it gave when it has ended already", async () => {
  const store = memoryStore();
  const first = await fineTune(base(), data, { ...options, checkpoint: store }).done;
  const again = await fineTune(base(), data, { ...options, checkpoint: store, resume: true }).done;
  expect(outcomeOf(again)).toEqual(outcomeOf(first));
});

it("keeps the network in the directory, and refuses to write over a run of another kind before it trains", async () => {
  const directory = await mkdtemp(join(tmpdir(), "fine-tune-"));
  try {
    const place = join(directory, "run");
    const { model } = await fineTune(base(), data, { ...options, checkpoint: place }).done;
    expect(await readdir(place)).toEqual(expect.arrayContaining(["head", "history.jsonl", "model.safetensors"]));
    const loaded = await loadModel(join(place, "model.safetensors"));
    expect(outcomeOf({ model: loaded as Network, history: [] })).toEqual(outcomeOf({ model, history: [] }));
    const other = join(directory, "other");
    await runOf(replaceHead(base(), { labels: COLOURS }), data, { epochs: 1, batch: 8, checkpoint: other }).done;
    const refusal = { code: "OPTION_INVALID", message: expect.stringContaining("resume: true") };
    for (const checkpoint of [place, other]) {
      const events: FitEvent[] = [];
      const run = fineTune(base(), data, { ...options, checkpoint });
      const { done } = run;
      await expect(done).rejects.toMatchObject(refusal);
      expect(events).toEqual([]);
    }
    expect(await readdir(other)).not.toContain("head");
  } finally {
    await rm(directory, { recursive: true });
  }
});

it("is refused with other options than it was begun with", async () => {
  const store = memoryStore();
  await fineTune(base(), data, { ...options, epochs: 1, checkpoint: store }).done;
  const other = { ...options, checkpoint: store, resume: true };
  const mismatch = { code: "CHECKPOINT_MISMATCH" };
  await expect(fineTune(base(), data, { ...other, batch: 4 }).done).rejects.toMatchObject(mismatch);
  await expect(fineTune(base(), data, { ...other, epochs: 1, firstRate: 0.5 }).done).rejects.toMatchObject(mismatch);
});
