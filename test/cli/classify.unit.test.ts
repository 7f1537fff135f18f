/** `depthwise classify`: how it runs. What it says of bad files stands in cli.unit.test.ts. */

import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Preprocessing } from "../../src/images/index.ts";
import { createClassifier, loadModel, mobileNetV1, saveModel } from "../../src/index.ts";
import { interrupt, run } from "./command.ts";

let folder = "";
const FILES = 300;
const weights = ["--weights", "tiny.safetensors"];

interface Line {
  readonly file: string;
  readonly predictions: readonly object[];
  readonly milliseconds: number;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-classify-"));
  const labels = ["cat", "dog", "bird"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 3, labels }), join(folder, "tiny.safetensors"));
  const colours = ["#3a7", "#f00", "#123456", "#fff", "#808"];
  for (const [i, background] of colours.entries()) {
    const create = { width: 60 + 9 * i, height: 50, channels: 3, background } as const;
    await sharp({ create })
      .png()
      .toFile(join(folder, `colour-${i}.png`));
  }
  // Neither square nor of one colour, so that each option shows.
  const pixels = Uint8Array.from({ length: 90 * 70 * 3 }, (_, i) => (i * 37 + Math.floor(i / 270) * 11) % 256);
  await sharp(pixels, { raw: { width: 90, height: 70, channels: 3 } })
    .png()
    .toFile(join(folder, "striped.png"));
  for (let i = 0; i < FILES; i++) copyFileSync(join(folder, "colour-0.png"), join(folder, `many-${i}.png`));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

async function classify(...args: readonly string[]): Promise<readonly Line[]> {
  const { code, stdout, stderr } = await run(["classify", "colour-*.png", ...weights, "--json", ...args], {
    cwd: folder,
  });
  expect([code, stderr]).toEqual([0, ""]);
  return lines(stdout);
}

describe("depthwise classify", () => {
  it("says the same with any batch, concurrency and number of threads", async () => {
    const expected = (await classify()).map(({ file, predictions }) => ({ file, predictions }));
    expect(expected.map(({ file }) => file)).toEqual([0, 1, 2, 3, 4].map((i) => `colour-${i}.png`));
    for (const args of [
      ["--batch", "2"],
      ["--batch", "8", "--concurrency", "1"],
      ["--threads", "2", "--batch", "3", "--concurrency", "7"],
      ["--threads", "auto"],
    ]) {
      const found = (await classify(...args)).map(({ file, predictions }) => ({ file, predictions }));
      expect([args, found]).toEqual([args, expected]);
    }
  });

  it.each([["plain"], ["reference"]])("runs on the backend %s", async (backend) => {
    expect(await classify("--backend", backend)).toHaveLength(5);
  });

  it("prints predictions as text, best first", async () => {
    const { code, stdout } = await run(["classify", "colour-1.png", ...weights, "--simd", "plain", "--top-k", "2"], {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^colour-1\.png\n( {2}[ \d]{3}\.\d % {2}(cat|dog|bird) \(\d\)\n){2}$/);
  });

  it("feeds pictures as the library does, with each option of preprocessing", async () => {
    const model = await loadModel(join(folder, "tiny.safetensors"));
    const cases: readonly (readonly [readonly string[], Preprocessing])[] = [
      [[], {}],
      [["--resize", "stretch"], { resize: "stretch" }],
      [["--resize", "cropThenStretch", "--crop-fraction", "0.5"], { resize: "cropThenStretch", cropFraction: 0.5 }],
      [["--filter", "plain"], { filter: "plain" }],
      [["--range", "-2,3"], { range: [-2, 3] }],
      [
        ["--mean", "0.485,0.456,0.406", "--deviation", "0.2,0.3,0.4"],
        { mean: [0.485, 0.456, 0.406], deviation: [0.2, 0.3, 0.4] },
      ],
      [["--channel-order", "bgr"], { channelOrder: "bgr" }],
    ];
    for (const [args, preprocessing] of cases) {
      const { stdout } = await run(["classify", "striped.png", ...weights, "--json", "--backend", "plain", ...args], {
        cwd: folder,
      });
      using classifier = await createClassifier(model, { preprocessing, backend: "plain" });
      expect([args, lines(stdout)[0]?.predictions]).toEqual([
        args,
        await classifier.classify(join(folder, "striped.png")),
      ]);
    }
  });

  it("refuses pictures of more than --max-pixels, and goes on", async () => {
    const args = ["classify", "colour-0.png", "striped.png", ...weights, "--json", "--max-pixels", "3500"];
    const { code, stdout } = await run(args, { cwd: folder });
    const found = lines(stdout) as readonly (Line & { readonly error?: { readonly name: string } })[];
    expect([code, found.map(({ error }) => error?.name)]).toEqual([1, [undefined, "IMAGE_TOO_LARGE"]]);
  });

  it.each([
    [["--resize", "strech"], '"stretch"'],
    [["--filter", "bicubic"], "antialiased"],
    [["--crop-fraction", "2"], "cropFraction"],
    [["--mean", "0.5,0.5,0.5"], "deviation"],
    [["--mean", "0.5", "--deviation", "1"], "3 numbers"],
    [["--mean", "a,b,c"], "not a number"],
    [["--channel-order", "grb"], "rgb"],
    [["--max-pixels", "0"], "maxPixels"],
    [["--threads", "some"], "neither a number nor auto"],
    [["--threads", "1.5"], "threads"],
    [["--simd", "wider"], "relaxed"],
    [["--backend", "gpu"], "reference"],
    [["--batch", "0"], "batch"],
    [["--concurrency", "0"], "concurrency"],
    [["--concurrency", "x"], "not a number"],
  ])("%j is a wrong command line: %s", async (args, text) => {
    const outcome = await run(["classify", "colour-0.png", ...weights, ...args], { cwd: folder });
    expect([outcome.code, outcome.stdout]).toEqual([2, ""]);
    expect(outcome.stderr).toContain(text);
    expect(outcome.stderr).not.toContain("    at ");
  });

  it.each([[[]], [["--threads", "2"]], [["--threads", "2", "--batch", "4", "--concurrency", "8"]]])(
    "ends cleanly when interrupted, with %j",
    async (args) => {
      const outcome = await interrupt(["classify", "many-*.png", ...weights, "--json", ...args], {
        cwd: folder,
        when: (stdout) => stdout !== "",
      });
      // It ended itself, so its threads have; every line is whole; it did not go on to the end.
      expect(outcome).toMatchObject({ code: 130, signal: null, stderr: "" });
      expect(outcome.stdout.endsWith("\n")).toBe(true);
      const printed = lines(outcome.stdout);
      expect(printed.length).toBeLessThan(FILES);
      for (const { predictions } of printed) expect(predictions).toHaveLength(3);
      expect(readdirSync(folder).filter((file) => file.endsWith(".tmp"))).toEqual([]);
    },
  );
});
