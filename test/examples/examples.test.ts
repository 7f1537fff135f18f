import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { describeShared, sharedRoot } from "../shared.ts";

const root = resolve(import.meta.dirname, "../..");
const run = (example: string, ...args: string[]) =>
  execFileSync(process.execPath, [resolve(root, "examples", example), ...args], { cwd: root, encoding: "utf8" });

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

  it("start: names what is in the drawings, beside cost and time of the networks and their twins", () => {
    const out = run("start.mjs");
    const lines = out.trimEnd().split("\n");
    const drawings = readdirSync(resolve(root, "examples/drawings"));
    for (const drawing of drawings) expect(out).toContain(`examples/drawings/${drawing}`);
    const predictions = [...out.matchAll(/ {2}(\w+) +[█▏▎▍▌▋▊▉]* +[<>]?\d+\.\d %/g)];
    expect(predictions.length).toBe(3 * drawings.length);
    expect(out).toMatch(
      new RegExp(`drawings, made by scripts/drawings; named as meant: \\d+ of ${drawings.length}\\.`),
    );
    expect(lines.filter((line) => /^(digits|cifar10) +[\d,]+ +[\d,]+ +[\d.,]+$/.test(line)).length).toBe(2);
    expect(lines.filter((line) => /^ {2}with standard convolutions +[\d,]+ +[\d,]+ +[\d.,]+$/.test(line)).length).toBe(
      2,
    );
    expect(out.match(/one part in +[\d.]+ +[\d.]+ +[\d.]+/g)?.length).toBe(2);
    expect(out).not.toMatch(/NaN|undefined|Infinity/);
    expect(out).toBe(stripVTControlCharacters(out));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(78);
  });

  it("start: a picture without weights is told what it needs", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(root, "examples/start.mjs"), "photo.jpg"], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("A picture needs weights: npm start -- photo.jpg --weights mobilenet.safetensors\n");
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
