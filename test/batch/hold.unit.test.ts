import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { hold } from "../../src/batch/hold.ts";
import { openPictures } from "../../src/batch/input.ts";

const made = vi.hoisted(() => ({ indices: 0 }));
vi.mock("../../src/batch/line-places.ts", async (original) => {
  const real = await original<typeof import("../../src/batch/line-places.ts")>();
  const indexLines: typeof real.indexLines = (...args) => {
    made.indices++;
    return real.indexLines(...args);
  };
  return { ...real, indexLines };
});

const folder = mkdtempSync(join(tmpdir(), "hold-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEP_MS = 100;
let places = 0;
let place: string;
beforeEach(() => {
  place = join(folder, `place-${++places}`);
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearInterval", "performance"] });
});
afterEach(() => vi.useRealTimers());

/** Lets time pass, and files be read and written between its steps. */
async function pass(milliseconds: number): Promise<void> {
  for (let ms = 0; ms < milliseconds; ms += STEP_MS) {
    await vi.advanceTimersByTimeAsync(STEP_MS);
    // The timers' files are asked for before these.
    for (let turn = 0; turn < 12; turn++) await stat(folder);
  }
}

it("lets the next have it when the first gives it up, however long that takes", async () => {
  const release = await hold(place, "first", undefined);
  let isHeld = false;
  const next = hold(place, "next", undefined).then((given) => {
    isHeld = true;
    return given;
  });
  await pass(60_000);
  expect([isHeld, readFileSync(place, "utf8").startsWith("first ")]).toEqual([false, true]);
  await release();
  await pass(200);
  expect([isHeld, readFileSync(place, "utf8")]).toEqual([true, "next"]);
  await (await next)();
  expect(existsSync(place)).toBe(false);
});

it("is taken from one that was killed, after ten seconds", async () => {
  writeFileSync(place, "killed 7");
  let isHeld = false;
  const next = hold(place, "next", undefined).then((given) => {
    isHeld = true;
    return given;
  });
  await pass(9_000);
  expect(isHeld).toBe(false);
  await pass(3_000);
  expect(isHeld).toBe(true);
  await (await next)();
});

it("one that is taken for dead does not take it back", async () => {
  const release = await hold(place, "first", undefined);
  writeFileSync(place, "another");
  await pass(3_000);
  await release();
  expect(readFileSync(place, "utf8")).toBe("another");
});

it("whoever waits can be ended", async () => {
  writeFileSync(place, "first");
  const ending = new AbortController();
  const waiting = hold(place, "next", ending.signal);
  const ended = expect(waiting).rejects.toThrow("enough");
  await pass(500);
  ending.abort(new Error("enough"));
  await pass(200);
  await ended;
  expect(readFileSync(place, "utf8")).toBe("first");
});

it("the index of a list is made once, by whichever of those that begin together is first", async () => {
  vi.useRealTimers();
  const list = join(folder, "list.txt");
  writeFileSync(list, Array.from({ length: 5000 }, (_, line) => `photos/${line}.jpg\n`).join(""));
  const before = made.indices;
  const opened = await Promise.all(Array.from({ length: 6 }, () => openPictures(list, folder, true)));
  expect(new Set(opened.map(({ count, sha256 }) => `${count} ${sha256}`)).size).toBe(1);
  expect(opened[0]?.count).toBe(5000);
  expect(made.indices - before).toBe(1);
});
