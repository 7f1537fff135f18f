/** Checkpoints that somebody else wrote, or that a disk has spoiled: nothing but their own files is touched. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { directoryStore } from "../../../src/train/fit/directory-store.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import type { FitOptions } from "../../../src/train/fit/fit-options.ts";
import { hashOfText } from "../../../src/train/fit/hash.ts";
import { constant } from "../../../src/train/schedules.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { tinyData, tinyModel } from "./tiny.ts";

const root = mkdtempSync(join(tmpdir(), "depthwise-hostile-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = tinyData(24);
const OPTIONS = { batch: 12, schedule: constant({ rate: 0.01 }), resume: true } as const satisfies FitOptions;
const INDEX = "checkpoint.json";

// biome-ignore lint/suspicious/noExplicitAny: it is to be spoiled anywhere.
type Index = any;

async function kept(): Promise<MemoryStore> {
  const store = memoryStore();
  await fit(tinyModel(), data, { ...OPTIONS, epochs: 2, checkpoint: store }).done;
  return store;
}

/** Changes the index; with the hash that it should have then, as somebody would who knows how. */
function spoil(store: MemoryStore, change: (index: Index) => void): void {
  const index: Index = JSON.parse(new TextDecoder().decode(store.files.get(INDEX)));
  change(index);
  const { hash: _, ...rest } = index;
  const text = JSON.stringify({ ...rest, hash: hashOfText(JSON.stringify(rest)) });
  store.files.set(INDEX, new TextEncoder().encode(text));
}

const resumed = (store: MemoryStore) => fit(tinyModel(), data, { ...OPTIONS, epochs: 3, checkpoint: store }).done;

describe("an index that was made to do harm", () => {
  it.each<[string, (index: Index) => void]>([
    ["a file beside the place", (index) => Object.assign(index.previous.state, { name: "../victim.txt" })],
    ["a file of the place", (index) => Object.assign(index.previous.state, { name: "model.safetensors" })],
    ["the best one's name for a state", (index) => Object.assign(index.current.state, { name: "best-a.safetensors" })],
    [
      "a best one with another name",
      (index) => Object.assign(index.current, { best: { epoch: 1, file: index.current.state } }),
    ],
    ["a length below 0", (index) => Object.assign(index.current.state, { bytes: -1 })],
    ["a history of nothing", (index) => Object.assign(index.current.position, { history: [null] })],
    ["a history of texts", (index) => Object.assign(index.current.position, { history: [{ epoch: "1" }] })],
    ["sums of texts", (index) => Object.assign(index.current.position.sums, { loss: "much" })],
    ["an epoch before the first", (index) => Object.assign(index.current.position, { epoch: -1 })],
  ])("and names %s is refused, and nothing is removed or written", async (_what, change) => {
    const store = await kept();
    store.files.set("../victim.txt", new Uint8Array(1));
    spoil(store, change);
    const before = new Map(store.files);
    await expect(resumed(store)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    expect(store.files).toEqual(before);
  });

  it("of which any number is another thing, or beyond what it can be, is refused", async () => {
    const store = memoryStore();
    // In the middle of the second epoch, which has sums.
    const controller = new AbortController();
    const first = { ...OPTIONS, epochs: 5, checkpointSeconds: 0, validation: data, patience: 5 } as const;
    const write = async (name: string, bytes: Uint8Array) => {
      await store.write(name, bytes);
      if (store.writes.filter((each) => each === INDEX).length === 4) controller.abort(new Error("enough"));
    };
    const { done } = fit(tinyModel(), data, { ...first, checkpoint: { ...store, write }, signal: controller.signal });
    await expect(done).rejects.toThrow("enough");
    expect(positionOf(store)).toMatchObject({ epoch: 1, example: 12, updates: 3, sums: { examples: 12 } });
    const whole = new Map(store.files);
    const onward = { ...first, epochs: 3, checkpoint: store };
    expect((await fit(tinyModel(), data, onward).done).history.length).toBe(3);
    const spoilt: (readonly [string, unknown])[] = [
      ...placesIn(positionOf({ files: whole })).flatMap((place) =>
        [undefined, null, "<b>", {}, [], -5, 2 ** 53].map((value) => [`position.${place}`, value] as const),
      ),
      ["position.history", []],
      ["position.sums.correct", 13],
      ["position.sums.examples", 13],
      ["position.sums.steps", 4],
      ["position.updates", 37],
      ["position.example", 25],
      ["position.history.0.epoch", 2],
      ["position.history.0.accuracy", 1.5],
      ["best.epoch", 2],
    ];
    const taken: unknown[] = [];
    for (const [path, value] of spoilt) {
      // Loss and rate have no bounds; validation may be left out; what was skipped may be anything.
      if (/loss|learningRate/.test(path) && typeof value === "number") continue;
      if (/\.(?:validation|time|sums)$/.test(path) && typeof value !== "string") continue;
      if (
        /seconds$|PerSecond|gradientNorm|milliseconds|waited$|history.0.(?:skipped|examples)/.test(path) &&
        value === 2 ** 53
      )
        continue;
      store.files.clear();
      for (const [name, bytes] of whole) store.files.set(name, bytes);
      spoil(store, (index) => put(index.current, path, value));
      const found = await fit(tinyModel(), data, onward).done.then(
        () => "taken",
        (error: { code?: string }) => error.code ?? String(error),
      );
      if (found !== "FILE_CORRUPT") taken.push([path, value, found]);
    }
    expect(taken).toEqual([]);
  }, 60_000);

  it.each(["run", "current"])("by nesting %s beyond every stack is refused", async (part) => {
    const store = await kept();
    const text = new TextDecoder().decode(store.files.get(INDEX));
    const deep = `${'{"a":'.repeat(1e5)}1${"}".repeat(1e5)}`;
    const spoilt = text.replace(`"${part}": {`, `"${part}": {"deep":${deep},`);
    store.files.set(INDEX, new TextEncoder().encode(spoilt));
    await expect(resumed(store)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it("with its own hash is what it was", async () => {
    const store = await kept();
    spoil(store, () => undefined);
    expect((await resumed(store)).history.length).toBe(3);
  });
});

const positionOf = ({ files }: Pick<MemoryStore, "files">): Index =>
  JSON.parse(new TextDecoder().decode(files.get(INDEX))).current.position;

/** All that has a value, at any depth. */
function placesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...placesIn(each).map((place) => `${name}.${place}`)]);
}

function put(index: Index, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let at = index;
  for (const name of names) at = at[name];
  at[last] = value;
}

describe("an index of which a digit has flipped", () => {
  it.each([
    ["epoch", /"epoch": 2,/, '"epoch": 1,'],
    ["example", /"example": 0,/, '"example": 12,'],
    ["updates", /"updates": 4,/, '"updates": 5,'],
    ["a loss", /"loss": [1-9]\.\d/, '"loss": 0.5'],
  ])("is refused: %s", async (_what, written, flipped) => {
    const store = await kept();
    const text = new TextDecoder().decode(store.files.get(INDEX));
    expect(text).toMatch(written);
    store.files.set(INDEX, new TextEncoder().encode(text.replace(written, flipped)));
    const before = new Map(store.files);
    await expect(resumed(store)).rejects.toMatchObject({
      code: "FILE_CORRUPT",
      message: expect.stringContaining("not as it was written"),
    });
    expect(store.files).toEqual(before);
  });
});

describe("a directory", () => {
  it.each(["../victim.txt", "sub/file", "..", ".", "", "a\\b", "C:file", "nul\0"])("has no file %j", async (name) => {
    const directory = join(root, "names", "inner");
    mkdirSync(directory, { recursive: true });
    const victim = join(root, "names", "victim.txt");
    writeFileSync(victim, "mine");
    const store = directoryStore(directory);
    for (const attempt of [store.read(name), store.write(name, new Uint8Array(1)), store.remove(name)]) {
      await expect(attempt).rejects.toMatchObject({ code: "OPTION_INVALID", fields: { option: "name" } });
    }
    expect(existsSync(victim)).toBe(true);
  });

  it.runIf(process.platform === "linux")("is not waited for, nor read without end, for what is no file", async () => {
    const directory = join(root, "pipes");
    mkdirSync(directory);
    execFileSync("mkfifo", [join(directory, "pipe")]);
    symlinkSync("/dev/zero", join(directory, "zeros"));
    for (const name of ["pipe", "zeros"]) {
      await expect(directoryStore(directory).read(name)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    }
  });

  it("gives of a file that is longer than asked for no more than tells it", async () => {
    const directory = join(root, "long");
    mkdirSync(directory);
    writeFileSync(join(directory, "long"), new Uint8Array(1e6));
    const store = directoryStore(directory);
    expect((await store.read("long", 10))?.length).toBe(11);
    expect((await store.read("long", 1e6))?.length).toBe(1e6);
    expect((await store.read("long"))?.length).toBe(1e6);
  });
});

it("asks a store for no more bytes than the index says", async () => {
  const store = await kept();
  const asked = new Map<string, number | undefined>();
  const checkpoint = {
    ...store,
    read: (name: string, atMost?: number) => {
      asked.set(name, atMost);
      return store.read(name);
    },
  };
  await fit(tinyModel(), data, { ...OPTIONS, epochs: 3, checkpoint }).done;
  const states = [...asked].filter(([name]) => name.startsWith("state-"));
  expect(states.length).toBe(1);
  for (const [name, atMost] of asked) expect(atMost, name).toBeGreaterThan(0);
  expect(states[0]?.[1]).toBeLessThan(1e5);
});
