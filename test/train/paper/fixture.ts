/** Runs of `npm run train:paper` for tests: results that were made up, and a CIFAR-10 of a few pictures. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const scripts = resolve(import.meta.dirname, "../../../scripts/paper");

/** A file of the scripts; what it exports is said by the caller. */
export async function script<Exports>(name: string): Promise<Exports> {
  return (await import(join(scripts, name))) as Exports;
}

export interface Plan {
  readonly epochs: number;
  readonly examples: number;
}

export interface Cell {
  readonly name: string;
  readonly network: { readonly alpha: number; readonly resolution: number };
  readonly arm: "fast" | "paper";
  readonly seeds: readonly number[];
}

export interface Run {
  readonly cell: Cell;
  readonly seed: number;
  readonly name: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

export interface Runs {
  runsOf(plan: Plan, wanted?: { only?: readonly string[]; seeds?: readonly number[] }): readonly Run[];
}

/** How many test pictures the results that were made up are of. */
export const PICTURES = 1000;

/** How able each network is: made up, so that some differences hold, some do not, and one is the other way round. */
const ABLE: Readonly<Record<string, number>> = {
  "1.0-32": 0.8,
  "0.75-32": 0.797,
  "0.5-32": 0.74,
  "0.25-32": 0.66,
  "0.5-24": 0.79,
  "0.5-16": 0.61,
  "0.25-32-standard": 0.73,
  "0.5-32-shallow": 0.7,
  "0.37-32": 0.705,
  "0.5-32-paper": 0.55,
};

/** 0 to 1, by counting. */
function counted(...numbers: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const number of numbers) {
    hash = Math.imul(hash ^ number, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return (hash >>> 0) / 2 ** 32;
}

/** A result as a run writes it, of pictures that are hard or easy for all networks alike. */
export function madeUp({ cell, seed, expected }: Run): object {
  const able = ABLE[cell.name] ?? 0.5;
  const own = Math.round(1000 * able);
  const right = Array.from({ length: PICTURES }, (_, n) => 0.8 * counted(n) + 0.2 * counted(n, own, seed) < able);
  const bytes = Buffer.alloc(PICTURES / 8);
  for (const [n, value] of right.entries()) bytes[n >> 3]! |= value ? 1 << (n & 7) : 0;
  const correct = right.filter(Boolean).length;
  const epochs = Number(expected["epochs"]);
  return {
    ...expected,
    dataSha256: "fedcba9876543210".repeat(4),
    parametersSha256: "0123456789abcdef".repeat(4),
    test: { examples: PICTURES, correct, accuracy: correct / PICTURES, right: bytes.toString("base64") },
    minutes: 1.5,
    runtime: { library: "0.1.0", arithmetic: 1, node: "24.0.0", simd: "relaxed", threads: 2 },
    history: Array.from({ length: epochs }, (_, n) => ({
      epoch: n + 1,
      loss: 1,
      accuracy: 0.5,
      learningRate: 0.1,
      gradientNorm: 1,
    })),
  };
}

/** Where the result of a run lies in a project. */
export function resultFile(into: string, run: Run): string {
  return join(into, "scripts/paper/results", run.cell.name, `seed-${run.seed}.json`);
}

export function writeResults(into: string, runs: readonly Run[]): void {
  for (const run of runs) {
    const path = resultFile(into, run);
    mkdirSync(resolve(path, ".."), { recursive: true });
    writeFileSync(path, `${JSON.stringify(madeUp(run), null, 1)}\n`);
  }
}

/** A hash of CIFAR-10's six files, as results and checkpoints name them. */
export function hashOfPictures(folder: string): string {
  const hash = createHash("sha256");
  for (const name of [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`).concat("test_batch.bin")) {
    hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex");
}

/**
 * CIFAR-10's files with `count` pictures to train on and 30 to test: class and colour go together. `from` is the number
 * of the first: of another one they are other pictures.
 */
export function writePictures(folder: string, count: number, from = 0): void {
  mkdirSync(folder, { recursive: true });
  const records = (first: number, many: number): Buffer =>
    Buffer.concat(
      Array.from({ length: many }, (_, index) => {
        const number = from + first + index;
        const label = number % 10;
        const pixels = Buffer.from(
          Array.from({ length: 3072 }, (_, at) => (25 * label + 60 * counted(number, at)) & 255),
        );
        return Buffer.concat([Buffer.from([label]), pixels]);
      }),
    );
  for (let batch = 0; batch < 5; batch++) {
    writeFileSync(join(folder, `data_batch_${batch + 1}.bin`), records((batch * count) / 5, count / 5));
  }
  writeFileSync(join(folder, "test_batch.bin"), records(count, 30));
}
