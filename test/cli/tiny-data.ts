/** Data sets of a few small pictures, as files. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";

/** Ten pictures a class, which can be told apart: dark and light stripes, across and down. */
export async function writePictures(folder: string, classes: readonly string[] = ["cat", "dog"]): Promise<void> {
  for (const [c, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let k = 0; k < 10; k++) {
      const [width, height] = [20 + k, 18];
      const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
        const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width))];
        return ((c === 0 ? x : y) % 4 < 2 ? 40 : 210) + ((i * 7 + k * 13) % 30);
      });
      const picture = sharp(pixels, { raw: { width, height, channels: 3 } });
      await picture.png().toFile(join(folder, name, `${k}.png`));
    }
  }
}

/** A file as MNIST's are. */
export function idxBytes(shape: readonly number[], value: (index: number) => number): Buffer {
  const size = shape.reduce((all, side) => all * side, 1);
  const bytes = Buffer.alloc(4 + 4 * shape.length + size);
  bytes.set([0, 0, 8, shape.length]);
  for (const [axis, side] of shape.entries()) bytes.writeUInt32BE(side, 4 + 4 * axis);
  for (let i = 0; i < size; i++) bytes[4 + 4 * shape.length + i] = value(i);
  return bytes;
}

/** A pair of IDX files: grey pictures of 12 × 12 in three classes, packed or not. */
export function writeIdxPair(images: string, labels: string, count: number, packed = false): void {
  const pixel = (i: number) => ((i % 144) * ((Math.floor(i / 144) % 3) + 1) * 5 + Math.floor(i / 144)) % 256;
  const pack = (bytes: Buffer) => (packed ? gzipSync(bytes) : bytes);
  writeFileSync(images, pack(idxBytes([count, 12, 12], pixel)));
  writeFileSync(labels, pack(idxBytes([count], (i) => i % 3)));
}

/** MNIST's four files by their names. */
export function writeIdxFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  writeIdxPair(at("train-images-idx3-ubyte.gz"), at("train-labels-idx1-ubyte.gz"), 24, true);
  writeIdxPair(at("t10k-images-idx3-ubyte"), at("t10k-labels-idx1-ubyte"), 9);
}

/** CIFAR-10's records. */
export function cifarBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count * 3073, 7);
  for (let record = 0; record < count; record++) {
    bytes[record * 3073] = record % 10;
    bytes.fill((record * 23) % 256, record * 3073 + 1, record * 3073 + 1025);
  }
  return bytes;
}
