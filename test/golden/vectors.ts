/** Reads the golden vectors: an index and the tensors it points to. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { mulberry32 } from "../../src/core/random.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { sharedRoot } from "../shared.ts";

export interface TensorReference {
  readonly file: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
}

const files = new Map<string, Buffer>();

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(resolve(sharedRoot ?? "", path), "utf8")) as T;
}

export function readTensor(folder: string, reference: TensorReference): FloatTensor {
  return tensor(new Float32Array(readElements(folder, reference)), reference.shape);
}

export function readIntegers(folder: string, reference: TensorReference): number[] {
  return [...new Int32Array(readElements(folder, reference))];
}

function readElements(folder: string, { file, offset, shape }: TensorReference): ArrayBuffer {
  const path = resolve(sharedRoot ?? "", folder, file);
  let bytes = files.get(path);
  if (bytes === undefined) {
    bytes = readFileSync(path);
    files.set(path, bytes);
  }
  const start = bytes.byteOffset + offset;
  const count = shape.reduce((product, side) => product * side, 1);
  return bytes.buffer.slice(start, start + 4 * count) as ArrayBuffer;
}

/** The recipe of the golden models: uniform numbers of a seed. */
export function recipe(shape: readonly number[], seed: number, low: number, high: number): FloatTensor {
  const random = mulberry32(seed);
  const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
  for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * random();
  return tensor(data, shape);
}

/** Largest absolute difference; NaN counts as infinite. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
