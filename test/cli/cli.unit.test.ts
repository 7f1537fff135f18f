/** The command line as a user types it: the built file in a process of its own. */

import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { version } from "../../src/cli/version.ts";
import { cost, paper } from "../../src/cost/index.ts";
import { mobileNetV1, saveModel } from "../../src/index.ts";

const root = resolve(import.meta.dirname, "../..");
const command = resolve(root, "dist/cli/depthwise.js");
let folder = "";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `classify --json` prints for a file. */
interface Line {
  readonly file: string;
  readonly predictions?: readonly object[];
  readonly error?: { readonly name: string; readonly message: string };
}

function run(...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    execFile(process.execPath, [command, ...args], { cwd: folder, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-cli-"));
  const labels = ["cat", "dog", "bird"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 3, labels }), join(folder, "tiny.safetensors"));
  const image = sharp({ create: { width: 80, height: 60, channels: 3, background: "#3a7" } });
  await image.clone().png().toFile(join(folder, "a.png"));
  await image.clone().jpeg().toFile(join(folder, "b c.jpg"));
  writeFileSync(join(folder, "text.jpg"), "this is no picture, only called one");
  writeFileSync(join(folder, "empty.png"), "");
  mkdirSync(join(folder, "folder.png"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("depthwise", () => {
  it("has the version of package.json, in --version and in the source", async () => {
    const manifest = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { version: string };
    expect(version).toBe(manifest.version);
    expect(await run("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it.each([[], ["summary"], ["cost"], ["paper"], ["budget"], ["classify"], ["profile"], ["doctor"]])(
    "%s --help says what it does",
    async (...name) => {
      const { code, stdout } = await run(...name.filter(Boolean), "--help");
      expect(code).toBe(0);
      expect(stdout).toContain("Usage: depthwise");
    },
  );

  it.each([
    [["frobnicate"], 2, "unknown command"],
    [["cost", "--alhpa", "1"], 2, "--alpha"],
    [["cost", "--alpha", "wide"], 2, "not a number"],
    [["cost", "--alpha", "-1"], 2, "alpha"],
    [["cost", "--convention", "papre"], 2, "papre"],
    [["budget"], 2, "at least one of --mult-adds"],
    [["classify", "a.png", "--weights", "none.safetensors"], 1, "FILE_NOT_FOUND"],
    [["classify", "a.png", "--weights", "text.jpg"], 1, "FORMAT_UNKNOWN"],
  ])("%j ends with code %i and says %s", async (args, code, text) => {
    const outcome = await run(...args);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(text);
    expect(outcome.stderr).not.toContain("    at ");
  });

  it("cost --json prints the object of the library", async () => {
    const { stdout } = await run("cost", "--alpha", "0.25", "--resolution", "128", "--convention", "keras", "--json");
    expect(JSON.parse(stdout)).toEqual(
      JSON.parse(JSON.stringify(cost(mobileNetV1({ alpha: 0.25, resolution: 128 }), { convention: "keras" }))),
    );
  });

  it("cost reads the network from a file", async () => {
    const { stdout } = await run("cost", "--weights", "tiny.safetensors", "--json");
    expect(JSON.parse(stdout)).toEqual(
      JSON.parse(JSON.stringify(cost(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 3 })))),
    );
  });

  it("paper --json prints the object of the library, paper the tables", async () => {
    expect(JSON.parse((await run("paper", "--json")).stdout)).toEqual(JSON.parse(JSON.stringify(paper())));
    expect((await run("paper")).stdout).toContain("68 figures of the paper recounted: 56 agree, 12 differ.");
    expect((await run("paper", "--markdown")).stdout).toContain("### Table 1.");
  });

  it("summary lists the layers", async () => {
    const { stdout } = await run("summary");
    expect(stdout).toContain("conv_pw_13 ");
    expect(stdout).toContain("parameters 4,253,864, of them trainable 4,231,976");
  });

  it("budget names the best network, and fails where nothing fits", async () => {
    expect((await run("budget", "--mult-adds", "100e6")).stdout).toContain("Best: 0.5-160");
    expect((await run("budget", "--mult-adds", "1")).code).toBe(1);
    expect((await run("budget", "--mult-adds", "1", "--json")).code).toBe(1);
  });

  it("classify prints one line of JSON a file, goes on after bad ones, and says so in its code", async () => {
    const { code, stdout } = await run(
      "classify",
      "*.png",
      "b c.jpg",
      "text.jpg",
      "missing.jpg",
      "folder.png",
      "--weights",
      "tiny.safetensors",
      "--json",
      "--top-k",
      "2",
    );
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(code).toBe(1);
    expect(lines.map(({ file, error }) => [file, error?.name])).toEqual([
      ["a.png", undefined],
      ["empty.png", "FILE_EMPTY"],
      ["b c.jpg", undefined],
      ["text.jpg", "IMAGE_UNREADABLE"],
      ["missing.jpg", "FILE_NOT_FOUND"],
      ["folder.png", "FILE_UNREADABLE"],
    ]);
    const [first] = lines;
    expect(Object.keys(first!)).toEqual(["file", "predictions", "milliseconds"]);
    expect(first!.predictions).toHaveLength(2);
    expect(Object.keys(first!.predictions![0]!)).toEqual(["index", "label", "probability"]);
  });

  it("ends cleanly when interrupted", async () => {
    const many = Array.from({ length: 400 }, () => "a.png");
    const files = many.map((_, i) => join(folder, `copy-${i}.png`));
    for (const file of files) writeFileSync(file, readFileSync(join(folder, "a.png")));
    const child = spawn(
      process.execPath,
      [command, "classify", "copy-*.png", "--weights", "tiny.safetensors", "--json"],
      { cwd: folder },
    );
    let stdout = "";
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((done) => {
      child.stdout.on("data", (chunk) => {
        if (stdout === "") child.kill("SIGINT");
        stdout += chunk;
      });
      child.on("close", done);
    });
    expect(code).toBe(130);
    expect(stderr).toBe("");
    for (const line of stdout.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
    expect(stdout.trim().split("\n").length).toBeLessThan(400);
  });
});
