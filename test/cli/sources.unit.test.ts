/** Pictures that are no single file, standard input and folders, and weights on standard input. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { run, shell } from "./command.ts";

let folder = "";
const weights = ["--weights", "tiny.safetensors", "--json"];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-sources-"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  const picture = await sharp({ create }).png().toBuffer();
  for (const inner of ["album [1]/cat/deep", "none"]) mkdirSync(join(folder, inner), { recursive: true });
  for (const name of ["z.png", "A.PNG", "cat/b.jpg", "cat/deep/c.webp", ".hidden.png", "notes.txt"]) {
    writeFileSync(join(folder, "album [1]", name), picture);
  }
  writeFileSync(join(folder, "none/notes.txt"), "no picture");
  writeFileSync(join(folder, "a.png"), picture);
  execFileSync("mkfifo", [join(folder, "waiting")]);
  const labels = ["cat", "dog"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels }), join(folder, "tiny.safetensors"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const ALBUM = ["A.PNG", "cat/b.jpg", "cat/deep/c.webp", "z.png"].map((name) => `album [1]/${name}`);

describe("a folder", () => {
  it.each(["album [1]", "album [1]/"])(
    "gives its image files, those within folders too, in order: %j",
    async (name) => {
      const { code, stdout, stderr } = await run(["classify", name, ...weights], { cwd: folder });
      expect([code, stderr, linesOf(stdout).map(({ file }) => file)]).toEqual([0, "", ALBUM]);
    },
  );

  it("without image files is an error that names it, and the others go on", async () => {
    const { code, stdout } = await run(["classify", "none", "a.png", ...weights], { cwd: folder });
    const [first, second] = linesOf(stdout);
    expect(code).toBe(1);
    expect(first.error.message).toMatch(/^none: .*no image files/);
    expect(second.predictions).toHaveLength(2);
  });

  it("is taken by verify too, with or without image files", async () => {
    const full = await run(["verify", "tiny.safetensors", "--json", "--images", "album [1]"], { cwd: folder });
    expect(JSON.parse(full.stdout).images).toEqual(ALBUM);
    const empty = await run(["verify", "tiny.safetensors", "--json", "--images", "none"], { cwd: folder });
    expect([empty.code, empty.stdout]).toEqual([1, ""]);
    expect(empty.stderr).toMatch(/none: .*no image files/);
  });
});

describe("- is standard input", () => {
  it("of classify, beside files, and given twice is the same picture", async () => {
    const args = ["classify", "-", "a.png", "-", ...weights];
    const { code, stdout, stderr } = await shell('cat a.png | "$@"', args, folder);
    const lines = linesOf(stdout);
    expect([code, stderr, lines.map(({ file }) => file)]).toEqual([0, "", ["-", "a.png", "-"]]);
    expect(lines[0].predictions).toEqual(lines[1].predictions);
    expect(lines[2].predictions).toEqual(lines[1].predictions);
  });

  it("of verify, which looks at it more than once", async () => {
    const args = ["verify", "tiny.safetensors", "--json", "--images", "-"];
    const { code, stdout, stderr } = await shell('cat a.png | "$@"', args, folder);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout).images).toEqual(["-"]);
  });

  it("that is empty is an error of that picture", async () => {
    const { code, stdout } = await shell('"$@" < /dev/null', ["classify", "-", "a.png", ...weights], folder);
    const [first, second] = linesOf(stdout);
    expect([code, first.file, first.error.name]).toEqual([1, "-", "FILE_EMPTY"]);
    expect(second.predictions).toHaveLength(2);
  });

  it("without an end is refused once it is larger than any picture", async () => {
    const { code, stderr } = await shell('"$@" < /dev/zero', ["classify", "-", ...weights], folder);
    expect(code).toBe(1);
    expect(stderr).toContain("FILE_TOO_LARGE");
  });
});

describe("- as weights is standard input", () => {
  const from = (args: readonly string[], script = 'cat tiny.safetensors | "$@"') => shell(script, args, folder);

  it("of every command that takes weights", async () => {
    const inspected = await from(["inspect", "-", "--no-tensors"]);
    expect([inspected.code, inspected.stderr]).toEqual([0, ""]);
    expect(inspected.stdout).toMatch(/^standard input: safetensors\n/);
    const file = await run(["convert", "tiny.safetensors", "from-file.safetensors"], { cwd: folder });
    const stream = await from(["convert", "-", "from-input.safetensors"]);
    expect([file.code, stream.code, stream.stderr]).toEqual([0, 0, ""]);
    const verified = await from(["verify", "-", "--images", "a.png", "--against", "from-file.safetensors", "--json"]);
    expect([verified.code, JSON.parse(verified.stdout).rows.at(-1).agreement]).toEqual([0, 1]);
    for (const name of ["summary", "cost"]) {
      const piped = await from([name, "--weights", "-"]);
      expect(piped).toEqual(await run([name, "--weights", "tiny.safetensors"], { cwd: folder }));
    }
  });

  it("of classify and of the model to compare with, beside pictures from files", async () => {
    const right = await run(["classify", "a.png", ...weights], { cwd: folder });
    const piped = await from(["classify", "--weights", "-", "--json", "a.png"]);
    expect([piped.code, piped.stderr]).toEqual([0, ""]);
    expect(linesOf(piped.stdout)[0].predictions).toEqual(linesOf(right.stdout)[0].predictions);
    const against = await from(["verify", "tiny.safetensors", "--images", "a.png", "--against", "-"]);
    expect([against.code, against.stdout]).toEqual([0, expect.stringContaining("standard input")]);
  });

  it.each([
    ["classify", "--weights", "-", "-"],
    ["classify", "a.png", "-", "--weights", "-"],
    ["verify", "-", "--images", "a.png", "-"],
    ["verify", "tiny.safetensors", "--against", "-", "--images", "-"],
    ["verify", "-", "--against", "-", "--images", "a.png"],
    ["inspect", "-", "-"],
    ["convert", "-", "-", "out.safetensors"],
  ])("for two things at once is a wrong command line, before anything is read: %s %s %s", async (...args) => {
    // Nothing comes: whoever reads first waits until the test fails.
    const { code, stdout, stderr } = await from(args, '"$@" <> waiting');
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("expected standard input for one thing, found weights");
  });

  it("is refused by its first bytes, or once it is larger than it may be", async () => {
    const endless = await from(["inspect", "-"], '"$@" < /dev/zero');
    expect([endless.code, endless.stderr]).toEqual([1, expect.stringContaining("FORMAT_UNKNOWN")]);
    const script = '(cat tiny.safetensors; cat /dev/zero) | "$@"';
    const large = await from(["inspect", "-", "--max-bytes", "3MB"], script);
    expect([large.code, large.stderr]).toEqual([1, expect.stringContaining("FILE_TOO_LARGE")]);
    const empty = await from(["inspect", "-"], '"$@" < /dev/null');
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining("FILE_EMPTY")]);
  });
});

it("a directory on standard input is said to be one", async () => {
  for (const args of [
    ["inspect", "-"],
    ["classify", "-", ...weights],
  ]) {
    const { code, stderr } = await shell('"$@" < none', args, folder);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/on standard input, found a directory\. Redirect a file/),
    ]);
  }
});
