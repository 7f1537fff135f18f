/** What makes the networks of the package, on a made-up MNIST of two hundred pictures: run, killed, and called wrongly. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { idxBytes } from "../cli/tiny-data.ts";

const script = resolve(import.meta.dirname, "../../scripts/make/digits.mjs");
const folders: string[] = [];

/** A folder to work in, with data in it or without. */
function place(hasData = true): string {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-make-"));
  folders.push(folder);
  if (!hasData) return folder;
  const data = join(folder, "data/mnist");
  mkdirSync(data, { recursive: true });
  for (const [part, count] of [
    ["train", 200],
    ["t10k", 50],
  ] as const) {
    // A stripe, further down the larger the digit.
    const pixel = (i: number) => (Math.floor((i % 784) / 56) === Math.floor(i / 784) % 10 ? 200 + (i % 50) : 0);
    writeFileSync(join(data, `${part}-images-idx3-ubyte`), idxBytes([count, 28, 28], pixel));
    writeFileSync(
      join(data, `${part}-labels-idx1-ubyte`),
      idxBytes([count], (i) => i % 10),
    );
  }
  return folder;
}

interface Ended {
  readonly code: number;
  readonly text: string;
}

function make(folder: string, ...flags: readonly string[]): Ended {
  try {
    const text = execFileSync(process.execPath, [script, ...flags], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    return { code: 0, text };
  } catch (error) {
    const { status, stderr } = error as { readonly status: number; readonly stderr: string };
    return { code: status, text: stderr };
  }
}

const sha256In = (text: string) => /sha256 ([0-9a-f]{64})/.exec(text)?.[1];

let whole = "";
beforeAll(() => {
  const folder = place();
  const { code, text } = make(folder);
  expect([code, text]).toEqual([0, expect.stringContaining("right of 50: ")]);
  whole = folder;
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const figuresIn = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "docs/models/digits.json"), "utf8")) as Record<string, unknown>;

describe("npm run make:digits", () => {
  it("writes the network, its figures, its card and its curve, and nothing half-made beside them", () => {
    expect(readdirSync(join(whole, "docs/models")).sort()).toEqual(["digits.json", "digits.md", "digits.svg"]);
    expect(readdirSync(join(whole, "src/pretrained"))).toEqual(["digits-file.ts"]);
    const figures = figuresIn(whole);
    expect(figures).toMatchObject({ name: "digits", examples: { train: 200, nothing: 4, test: 50 } });
    const card = readFileSync(join(whole, "docs/models/digits.md"), "utf8");
    for (const part of ["# digits", String(figures["sha256"]), "Gradient-Based Learning", "What it is not for"])
      expect(card).toContain(part);
    expect(card).not.toMatch(/undefined|NaN|\[object/);
    const curve = readFileSync(join(whole, "docs/models/digits.svg"), "utf8");
    expect(curve).not.toMatch(/undefined|NaN/);
  });

  it("gives the same bytes after it was killed in the middle, with another number of threads", async () => {
    const folder = place();
    const child = spawn(process.execPath, [script, "--threads", "1"], { cwd: folder, stdio: "pipe" });
    await printed(child, /epoch 3 of 20/);
    child.kill("SIGKILL");
    await new Promise((done) => child.once("exit", done));
    expect(readdirSync(folder)).toEqual(["data"]);
    const { code, text } = make(folder);
    expect(code).toBe(0);
    expect(text).toMatch(/goes on in epoch [2-9]/);
    // Of the shortened run, which is made before; the whole one has 20.
    expect(text).not.toMatch(/epoch 1 of 20/);
    expect(figuresIn(folder)["sha256"]).toBe(figuresIn(whole)["sha256"]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("stopped by %s says that it goes on, and writes nothing but where from", async (signal, exitCode) => {
    const folder = place();
    const child = spawn(process.execPath, [script], { cwd: folder, stdio: "pipe" });
    const said = printed(child, /goes on from/);
    const ended = new Promise((done) => child.once("exit", done));
    await printed(child, /epoch 2 of 20/);
    child.kill(signal);
    expect(await ended).toBe(exitCode);
    expect(await said).toMatch(/Stopped\. The same command goes on from data.make.digits-1-[0-9a-f]{8}\./);
    expect(readdirSync(folder)).toEqual(["data"]);
  });

  it("says in a line what cannot be written", () => {
    const folder = place();
    writeFileSync(join(folder, "docs"), "in the way");
    const { code, text } = make(folder);
    expect([code, text]).toEqual([1, expect.stringMatching(/^E[A-Z]+: .*docs.*\n$/)]);
    // Else a new network would lie beside the old card.
    expect(existsSync(join(folder, "src/pretrained/digits-file.ts"))).toBe(false);
  });

  it("refuses other data than the card that is there was made of", () => {
    const folder = place();
    cpSync(join(whole, "docs"), join(folder, "docs"), { recursive: true });
    const labels = join(folder, "data/mnist/train-labels-idx1-ubyte");
    const bytes = readFileSync(labels);
    bytes[bytes.length - 1] = (Number(bytes.at(-1)) + 1) % 10;
    writeFileSync(labels, bytes);
    const { code, text } = make(folder);
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/^data\/mnist holds other pictures than docs\/models.*\n$/),
    ]);
    expect(figuresIn(folder)).toEqual(figuresIn(whole));
  });

  it.each([
    ["t10k", [50, 28, 28], 5, /test: expected pictures of 28 × 28 × 1 of 10 classes, found 28 × 28 × 1 of 5 classes/],
    [
      "train",
      [200, 20, 20],
      10,
      /train: expected pictures of 28 × 28 × 1 of 10 classes, found 20 × 20 × 1 of 10 classes/,
    ],
  ] as const)("refuses %s of other pictures or classes before it trains", (part, shape, classes, words) => {
    const folder = place();
    const name = (ending: string) => join(folder, `data/mnist/${part}-${ending}-ubyte`);
    writeFileSync(
      name("images-idx3"),
      idxBytes([...shape], () => 7),
    );
    writeFileSync(
      name("labels-idx1"),
      idxBytes([shape[0]], (i) => i % classes),
    );
    const { code, text } = make(folder);
    expect([code, text]).toEqual([1, expect.stringMatching(words)]);
    expect(readdirSync(folder)).toEqual(["data"]);
  });

  it("names the checkpoint that it cannot go on from", async () => {
    const folder = place();
    const child = spawn(process.execPath, [script], { cwd: folder, stdio: "pipe" });
    const ended = new Promise((done) => child.once("exit", done));
    await printed(child, /epoch 2 of 20/);
    child.kill("SIGTERM");
    await ended;
    const [checkpoint = ""] = readdirSync(join(folder, "data/make"));
    writeFileSync(join(folder, "data/make", checkpoint, "checkpoint.json"), "{");
    const { code, text } = make(folder);
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/To begin anew remove data.make.digits-1-[0-9a-f]{8}\.\n$/),
    ]);
  });

  it("shortened gives the bytes that the figures name, with any number of threads, and writes nothing", () => {
    const folder = place();
    const { code, text } = make(folder, "--quick", "--threads", "1");
    expect([code, sha256In(text)]).toEqual([0, figuresIn(whole)["quickSha256"]]);
    expect(readdirSync(folder)).toEqual(["data"]);
    expect(readdirSync(join(folder, "data"))).toEqual(["mnist"]);
  });

  it.each([
    [false, [], /^data\/mnist is not there: npm run data:mnist makes it\.\n$/],
    [true, ["--seeds", "3"], /^Usage: npm run make:digits/],
    [true, ["--seed", "none"], /^Usage: npm run make:digits/],
    [true, ["--threads", "0"], /^Usage: npm run make:digits/],
  ] as const)("refuses in a line: data %s, %j", (hasData, flags, words) => {
    const { code, text } = make(place(hasData), ...flags);
    expect([code, text]).toEqual([1, expect.stringMatching(words)]);
  });
});

/** Waits for words of a process, and gives all it said till then. */
function printed(child: ChildProcess, words: RegExp): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    const hear = (chunk: Buffer) => {
      text += chunk;
      if (words.test(text)) done(text);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("close", () => fail(new Error(`it ended, and said: ${text}`)));
  });
}
