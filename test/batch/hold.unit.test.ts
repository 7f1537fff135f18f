import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import files, { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
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
/** By the true clock. */
const inFact = setTimeout;
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
    // The timers' files are asked for before these. A slow disk has its time too.
    for (let turn = 0; turn < 12; turn++) await stat(folder);
    await new Promise((done) => inFact(done, 1));
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
  expect(isHeld).toBe(false);
  for (let waited = 0; !readFileSync(place, "utf8").startsWith("first "); waited++) {
    expect(waited).toBeLessThan(5000);
    await new Promise((done) => inFact(done, 1));
  }
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

it("is taken from a dead one by one of those that wait, though another is about to take it", async () => {
  writeFileSync(place, "killed 7");
  const { rm } = files;
  let [holders, most, isFirst] = [0, 0, true];
  // The first to take it away is slow: another has it by then, unless that one has to wait.
  files.rm = (async (...args: Parameters<typeof rm>) => {
    const isSlow = isFirst && args[0] === place;
    if (isSlow) isFirst = false;
    for (let turn = 0; isSlow && turn < 40 && holders === 0; turn++) {
      await new Promise((done) => setTimeout(done, STEP_MS));
    }
    return rm(...args);
  }) as typeof rm;
  try {
    const waiting = ["one", "other"].map(async (token) => {
      const release = await hold(place, token, undefined);
      most = Math.max(most, ++holders);
      await new Promise((done) => setTimeout(done, 1_000));
      holders--;
      await release();
    });
    await pass(20_000);
    await Promise.all(waiting);
  } finally {
    files.rm = rm;
  }
  expect([most, isFirst]).toEqual([1, false]);
  expect(readdirSync(folder).filter((name) => name.startsWith(basename(place)))).toEqual([]);
});

it("is taken though whoever took it from a dead one was killed in the midst of it", async () => {
  writeFileSync(place, "killed 7");
  writeFileSync(`${place}-guard`, "");
  let isHeld = false;
  const next = hold(place, "next", undefined).then((given) => {
    isHeld = true;
    return given;
  });
  await pass(25_000);
  expect(isHeld).toBe(true);
  await (await next)();
  expect(readdirSync(folder).filter((name) => name.startsWith(basename(place)))).toEqual([]);
});

it("is kept, and given up, though the disk is full for a moment", async () => {
  const release = await hold(place, "first", undefined);
  await pass(1_500);
  const { open, writeFile } = files;
  const full = () => Promise.reject(Object.assign(new Error("no room"), { code: "ENOSPC" }));
  // As the system does it: what is opened to be written anew is empty at once.
  files.writeFile = (async (...[path]: Parameters<typeof writeFile>) => {
    await (await open(path as string, "w")).close();
    return full();
  }) as typeof writeFile;
  files.open = (async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    file.write = full as never;
    file.writeFile = full as never;
    return file;
  }) as typeof open;
  try {
    await pass(2_500);
    await expect(hold(`${place}-other`, "other", undefined)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(existsSync(`${place}-other`)).toBe(false);
  } finally {
    Object.assign(files, { open, writeFile });
  }
  const before = readFileSync(place, "utf8");
  expect(before.startsWith("first")).toBe(true);
  await pass(2_500);
  expect(readFileSync(place, "utf8")).not.toBe(before);
  await release();
  expect(existsSync(place)).toBe(false);
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
