/** The pictures of examples/drawings are what scripts/drawings draws. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const committed = join(root, "examples/drawings");
const names = readdirSync(committed).sort();
const digits = names.filter((name) => name.startsWith("digit-"));
const scenes = names.filter((name) => !name.startsWith("digit-"));
const CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

let drawn = "";
beforeAll(() => {
  drawn = mkdtempSync(join(tmpdir(), "depthwise-drawings-"));
  execFileSync(process.execPath, [join(root, "scripts/drawings/draw.mjs"), drawn], { cwd: root });
});
afterAll(() => rmSync(drawn, { recursive: true, force: true }));

/** Grey as one byte a pixel, colour as three. */
async function pixelsOf(file: string) {
  const { channels, width, height } = await sharp(file).metadata();
  const image = sharp(file).toColourspace(channels === 1 ? "b-w" : "srgb");
  return { channels, width, height, data: [...(await image.raw().toBuffer())] };
}

describe("drawings", () => {
  it("are all drawn by the script, and at least six digits and five classes", () => {
    expect(readdirSync(drawn).sort()).toEqual(names);
    expect(digits.length).toBeGreaterThanOrEqual(6);
    expect(scenes.length).toBeGreaterThanOrEqual(5);
    for (const name of digits) expect(name).toMatch(/^digit-\d\.png$/);
    for (const name of scenes) expect(CIFAR10).toContain(name.replace(".png", ""));
  });

  // Rasterizers differ in the last bits of an edge.
  it.each(names)("%s: drawn again it is the same, to 2 of 255", async (name) => {
    const [mine, theirs] = await Promise.all([pixelsOf(join(drawn, name)), pixelsOf(join(committed, name))]);
    expect({ ...mine, data: mine.data.length }).toEqual({ ...theirs, data: theirs.data.length });
    const difference = mine.data.map((byte, at) => Math.abs(byte - (theirs.data[at] ?? Number.NaN)));
    expect(Math.max(...difference)).toBeLessThanOrEqual(2);
  });

  it.each(digits)("%s is as MNIST's: white on black, its weight in the middle of 28 × 28 grey pixels", async (name) => {
    const { channels, width, height, data } = await pixelsOf(join(committed, name));
    expect([width, height, channels, data.length]).toEqual([28, 28, 1, 784]);
    const sum = data.reduce((a, b) => a + b, 0);
    const middle = (place: (at: number) => number) =>
      data.reduce((total, byte, at) => total + byte * (place(at) + 0.5), 0) / sum;
    expect(middle((at) => at % 28)).toBeCloseTo(14, 0);
    expect(middle((at) => Math.floor(at / 28))).toBeCloseTo(14, 0);
    expect(Math.max(...data)).toBeGreaterThan(240);
    // The edge is black: a digit has 20 × 20 pixels, and a margin.
    const onEdge = (at: number) => at % 28 === 0 || at % 28 === 27 || at < 28 || at >= 756;
    expect(data.filter((_, at) => onEdge(at)).every((byte) => byte === 0)).toBe(true);
  });

  it.each(scenes)("%s is a picture of 32 × 32 pixels in colour", async (name) => {
    const { channels, width, height, data } = await pixelsOf(join(committed, name));
    expect([width, height, channels, data.length]).toEqual([32, 32, 3, 3072]);
  });
});
