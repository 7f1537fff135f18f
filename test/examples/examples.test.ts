import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const root = resolve(import.meta.dirname, "../..");
// Whoever runs the tests may ask for colours; what goes into a pipe has none by itself.
const { FORCE_COLOR: _force, ...env } = process.env;
const run = (example: string, ...args: string[]) =>
  execFileSync(process.execPath, [resolve(root, "examples", example), ...args], { cwd: root, encoding: "utf8", env });

const PICTURE = /^examples\/drawings\/([\w-]+\.png)$/;

/** What the first run says of each drawing: the lines under its name, on a page of two columns. */
function saidOf(page: string): ReadonlyMap<string, readonly string[]> {
  const rows = page.split("\n");
  const columns = [rows.map((row) => row.slice(0, 39).trimEnd()), rows.map((row) => row.slice(39))];
  const pictures = columns.flatMap((lines) =>
    lines.flatMap((line, at) => {
      const [, drawing] = PICTURE.exec(line) ?? [];
      return drawing === undefined ? [] : [[drawing, lines.slice(at + 1, at + 4)] as const];
    }),
  );
  return new Map(pictures);
}

let firstRun = "";
beforeAll(() => {
  firstRun = run("start.mjs");
});

describe("examples", () => {
  it("eager: the same output shape, fewer operations", () => {
    const out = run("eager.mjs");
    expect(out).toContain("standard convolution    1 × 6 × 6 × 8  10368 mult-adds");
    expect(out).toContain("depthwise + pointwise   1 × 6 × 6 × 8  2448 mult-adds");
  });

  it("count-ops: one layer and the network, counted and timed", () => {
    const out = run("count-ops.mjs");
    expect(out).toMatch(/standard {3}462,422,016 {3}2,359,296 +[\d.]+/);
    expect(out).toMatch(/separable {3}52,283,392 {5}266,752 +[\d.]+/);
    expect(out).toMatch(/separable {3}76,524,800 {3}1,319,648 +[\d.]+/);
  });

  it("start: names what is in each drawing, and counts those named as meant", () => {
    const said = saidOf(firstRun);
    const drawings = readdirSync(resolve(root, "examples/drawings"));
    expect([...said.keys()].sort()).toEqual(drawings.sort());
    for (const predictions of said.values()) {
      expect(predictions.length).toBe(3);
      for (const line of predictions) expect(line).toMatch(/^ {2}\w+ +█*[▏▎▍▌▋▊▉]? +[<>]?\d+\.\d %$/);
      const shares = predictions.map((line) => Number(/(\d+\.\d) %$/.exec(line)?.[1]));
      expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    }
    const asMeant = [...said].filter(([drawing, [best = ""]]) => {
      const [, meant = ""] = /^(?:digit-)?(\w+)\.png$/.exec(drawing) ?? [];
      return best.startsWith(`  ${meant} `);
    });
    expect(firstRun).toContain(
      `These are drawings, made by scripts/drawings; named as meant: ${asMeant.length} of ${drawings.length}.\n`,
    );
  });

  it("start: shows what both networks cost beside their twins, on lines of 78 columns without colours", () => {
    const rows = [/^(digits|cifar10) +[\d,]+ +[\d,]+ +[\d.,]+$/gm, /^ {2}with standard convolutions( +[\d.,]+){3}$/gm];
    for (const row of rows) expect(firstRun.match(row)?.length).toBe(2);
    const ratios = [...firstRun.matchAll(/^ {2}one part in +([\d.]+) +([\d.]+) +[\d.]+$/gm)];
    expect(ratios.length).toBe(2);
    // 3 × 3 convolutions: up to nine times, and less by what the pointwise and first layers cost.
    for (const ratio of ratios.flatMap(([, ...figures]) => figures)) {
      expect(Number(ratio)).toBeGreaterThan(5);
      expect(Number(ratio)).toBeLessThan(9);
    }
    expect(firstRun).not.toMatch(/NaN|undefined|Infinity/);
    expect(firstRun).toBe(stripVTControlCharacters(firstRun));
    for (const line of firstRun.split("\n")) expect(line.length).toBeLessThanOrEqual(78);
  });

  it("start: the twin differs from its network in the convolutions alone, and both are counted as cost counts", () => {
    const options = {
      alpha: 0.25,
      resolution: 24,
      inputChannels: 1,
      classes: 7,
      shallow: true,
      multiplier: 1,
    } as const;
    const program = `
      import { mobileNetV1 } from "depthwise";
      import { compareWithTwin } from "./examples/start/twin.mjs";
      console.log(JSON.stringify(await compareWithTwin(mobileNetV1(${JSON.stringify(options)}), 1)));`;
    const args = ["--input-type=module", "-e", program];
    const { network, twin } = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" }));
    const counted = ({ multAdds, parameters }: { readonly multAdds: number | null; readonly parameters: number }) => [
      multAdds,
      parameters,
    ];
    expect(counted(network)).toEqual(counted(cost(mobileNetV1(options)).totals));
    expect(counted(twin)).toEqual(counted(cost(mobileNetV1({ ...options, standardConvolution: true })).totals));
    expect(network.ms).toBeGreaterThan(0);
    expect(twin.ms).toBeGreaterThan(0);
  });

  it("start: a picture without weights is told what it needs", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(root, "examples/start.mjs"), "photo.jpg"], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Pictures and weights go together\.\nUsage: npm start /);
  });

  it.each([
    [["--bogus"], /^Unknown option '--bogus'.*\nUsage: npm start /],
    [["--weights", "digits"], /^Pictures and weights go together\.\nUsage: npm start /],
  ])("start: %j is no command line", (args, words) => {
    const { status, stderr } = spawnSync(process.execPath, [resolve(root, "examples/start.mjs"), ...args], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(words)]);
    expect(stderr).not.toContain("    at ");
  });

  it("start: takes the networks of the package by their names", () => {
    const picture = resolve(root, "examples/drawings/digit-3.png");
    expect(run("start.mjs", picture, "--weights", "digits")).toMatch(/digit-3\.png\n +[\d.]+ % {2}3\n/);
  });
});

describeShared("examples with weights", () => {
  const weights = resolve(sharedRoot ?? "", "derived/mobilenet_v1_0.25_128.safetensors");

  it("start: names what is in a picture", () => {
    expect(run("start.mjs", resolve(sharedRoot ?? "", "reference/photos/bird.jpg"), "--weights", weights)).toContain(
      "chickadee",
    );
  });

  it("classify: a folder, bad files included", () => {
    const out = run("classify.mjs", resolve(sharedRoot ?? "", "datasets/corrupt"), weights);
    expect(out).toMatch(/zeros\.png +IMAGE_UNREADABLE/);
    expect(out).toMatch(/control\.jpg +[\d.]+ %/);
    expect(out.trim().split("\n").length).toBeGreaterThanOrEqual(77);
  });
});
