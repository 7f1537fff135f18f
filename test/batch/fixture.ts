/** Pictures for runs of shards, made up: small, different, and always the same. */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { type BatchOptions, openBatch } from "../../src/batch/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

export const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10, seed: 3 });
export const labels = Array.from({ length: 10 }, (_, i) => `thing ${i}`);

/** Writes `0000.png`, `0001.png`, … into a folder; their paths. */
export async function writePictures(folder: string, count: number): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const raw = Uint8Array.from({ length: 3 * 24 * 24 }, (_, at) => (at * (i + 3) + 31 * i) % 256);
    const path = join(folder, `${String(i).padStart(4, "0")}.png`);
    writeFileSync(
      path,
      await sharp(raw, { raw: { width: 24, height: 24, channels: 3 } })
        .png()
        .toBuffer(),
    );
    paths.push(path);
  }
  return paths;
}

/** Of each part's output, by its name; what is hidden is none. */
export function hashesIn(out: string): Readonly<Record<string, string>> {
  const names = readdirSync(out).filter((name) => /^part-.*\.(jsonl|npy|parquet)$/.test(name));
  return Object.fromEntries(
    names.sort().map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(out, name)))
        .digest("hex"),
    ]),
  );
}

/** The rows of all parts, in order. */
export function rowsIn(out: string): readonly { readonly id: string; readonly [key: string]: unknown }[] {
  const names = readdirSync(out).filter((name) => /^part-.*\.jsonl$/.test(name));
  return names.sort().flatMap((name) =>
    readFileSync(join(out, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line)),
  );
}

/** Runs shards one after the other; those that are missing if none are named. */
export async function runAll(options: BatchOptions, order?: readonly number[]): Promise<readonly number[]> {
  const batch = await openBatch(options);
  try {
    const shards = order ?? (await batch.missing());
    for (const shard of shards) await batch.runShard(shard);
    return shards;
  } finally {
    batch.close();
  }
}
