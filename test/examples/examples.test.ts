import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
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

  it("start: cost beside the twin, and a forward pass", () => {
    const out = run("start.mjs");
    expect(out).toMatch(/depthwise separable +568\.7 M +4\.2 M/);
    expect(out).toMatch(/standard convolutions +4867\.3 M +29\.3 M/);
    expect(out).toMatch(/forward pass .* 1000 probabilities, sum 1\.0000/);
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
