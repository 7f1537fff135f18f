import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../../src/core/errors.ts";
import { idx } from "../../../src/train/data/idx.ts";
import { bytes, refused } from "./pictures.ts";

function images(shape: readonly number[], values: Uint8Array, type = 8): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, (type << 8) | shape.length);
  for (const [axis, side] of shape.entries()) view.setUint32(4 + 4 * axis, side);
  file.set(values, 4 + 4 * shape.length);
  return file;
}

const pixels = bytes(3 * 2 * 4);
const good = images([3, 2, 4], pixels);
const labels = images([3], Uint8Array.of(1, 0, 2));

describe("an IDX file", () => {
  it.each([
    ["as it is", good, labels],
    ["packed", new Uint8Array(gzipSync(good)), new Uint8Array(gzipSync(labels))],
    ["a Blob", new Blob([good as Uint8Array<ArrayBuffer>]), new Blob([new Uint8Array(gzipSync(labels))])],
  ])("gives its pictures and labels: %s", async (_, pictures, digits) => {
    const data = await idx(pictures, digits);
    expect([data.size, data.classes, data.labelType]).toEqual([3, ["0", "1", "2"], "indices"]);
    const example = await data.at(1);
    expect(example).toMatchObject({ label: 0, image: { width: 4, height: 2, channels: 1 } });
    expect((example.image as { data: Uint8Array }).data).toEqual(pixels.subarray(8, 16));
  });

  it("is the caller's again when it was read", async () => {
    const own = good.slice();
    const data = await idx(own, labels);
    own.fill(0);
    expect(((await data.at(0)).image as { data: Uint8Array }).data).toEqual(pixels.subarray(0, 8));
  });

  it("is sliced out of its packing by a reader of pieces", async () => {
    const many = images([5000, 28, 28], bytes(5000 * 784));
    const data = await idx(new Uint8Array(gzipSync(many)), images([5000], new Uint8Array(5000)));
    expect(((await data.at(4999)).image as { data: Uint8Array }).data).toEqual(many.subarray(-784));
  });

  it("takes names for its classes", async () => {
    expect((await idx(good, labels, { classes: ["a", "b", "c", "d"] })).classes).toEqual(["a", "b", "c", "d"]);
    expect(await refused(() => idx(good, labels, { classes: 2 }))).toBe(
      "CLASSES_MISMATCH idx: labels: expected class indices below 2, as classes says, found 2. Indices count from 0. " +
        "Pass as many classes as there are, or correct the label.",
    );
  });
});

describe("a hostile IDX file", () => {
  const huge = images([0xffffffff, 0xffff, 0xffff], pixels);
  const large = images([60_000, 28, 28], pixels);

  it.each([
    ["claims more than memory", huge, "FILE_TOO_LARGE"],
    ["claims more than memory, packed", new Uint8Array(gzipSync(huge)), "FILE_TOO_LARGE"],
    ["claims more than it has", large, "FILE_TRUNCATED"],
    ["claims more than so few packed bytes hold", new Uint8Array(gzipSync(large)), "FILE_CORRUPT"],
    ["has more than it claims", images([2, 2, 4], pixels), "FILE_CORRUPT"],
    ["has more than it claims, packed", new Uint8Array(gzipSync(images([2, 2, 4], pixels))), "FILE_CORRUPT"],
    ["has less than it claims, packed", new Uint8Array(gzipSync(images([4, 2, 4], pixels))), "FILE_CORRUPT"],
    ["claims pictures of no pixels", images([3, 0, 4], new Uint8Array(0)), "FILE_CORRUPT"],
    ["ends within its head", good.subarray(0, 10), "FILE_TRUNCATED"],
    ["ends within its magic number", good.subarray(0, 3), "FORMAT_UNKNOWN"],
    ["is empty", new Uint8Array(0), "FILE_EMPTY"],
    ["is of floats", images([3, 2, 4], pixels, 13), "FORMAT_UNKNOWN"],
    ["is of no type", images([3, 2, 4], pixels, 77), "FORMAT_UNKNOWN"],
    ["is a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), "FORMAT_UNKNOWN"],
    ["is packed and cut", new Uint8Array(gzipSync(good)).subarray(0, 20), "FILE_CORRUPT"],
    [
      "is packed and damaged",
      new Uint8Array(gzipSync(good)).map((byte, at) => (at === 14 ? 0xff : byte)),
      "FILE_CORRUPT",
    ],
    ["is the beginning of a packed file", Uint8Array.of(0x1f, 0x8b), "FILE_CORRUPT"],
  ])("is refused: %s", async (_, file, code) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(await refused(() => idx(file, labels))).toMatch(new RegExp(`^${code} the pictures`));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it("with any byte changed is refused by name, or read as large as it is", async () => {
    for (const file of [good, new Uint8Array(gzipSync(good))]) {
      for (let at = 0; at < file.length; at++) {
        for (const value of [0, 1, 127, 255, (file[at] ?? 0) ^ 1]) {
          const changed = file.slice();
          changed[at] = value;
          const outcome = await idx(changed, labels).then(
            ({ size }) => size,
            (error: unknown) => isDepthwiseError(error),
          );
          expect(outcome === 3 || outcome === true, `byte ${at} = ${value}: ${outcome}`).toBe(true);
        }
      }
    }
  });

  it("is told from labels, and labels from pictures", async () => {
    expect(await refused(() => idx(labels, good))).toBe(
      "FORMAT_UNKNOWN the pictures: expected pictures: an IDX file of bytes with three axes, found 1 axes. " +
        "Pass first the pictures, then the labels. Nothing was loaded.",
    );
    expect(await refused(() => idx(good, images([2], Uint8Array.of(0, 1))))).toBe(
      'SHAPE_MISMATCH idx: "the labels": expected 3 labels, one for each picture of "the pictures", found 2. ' +
        "Pass images and labels that belong together.",
    );
  });

  it("may be no larger than maxBytes, unpacked too", async () => {
    const packed = new Uint8Array(gzipSync(images([100, 28, 28], new Uint8Array(78_400))));
    expect(await refused(() => idx(packed, labels, { maxBytes: 10_000 }))).toBe(
      "FILE_TOO_LARGE the pictures: what its head claims: expected at most 10,000 bytes, found 78,416. " +
        "Pass a larger maxBytes if this is the file you mean. Nothing was loaded.",
    );
  });

  it("is left when the signal says so", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(idx(good, labels, { signal })).rejects.toThrow("enough");
  });
});
