/** Benches that keep what they trained: their files, and runs that were made up. */

import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

export const bench = resolve(import.meta.dirname, "../../bench");

/** A file of the benches; what it exports is said by the caller. */
export async function fileOfBench<Exports>(name: string): Promise<Exports> {
  return (await import(join(bench, name))) as Exports;
}

export interface Task {
  readonly seed: number;
  readonly simd: string;
  readonly [key: string]: unknown;
}

export interface Run {
  readonly about: Readonly<Record<string, unknown>>;
  readonly task: Task;
  readonly right: number;
  readonly training: { readonly loss: number; readonly accuracy: number };
  readonly minutes: number;
  readonly runtime: { readonly simd: string; readonly threads: number };
}

export interface Bench {
  nameOf(task: Task): string;
  now(task: Task): Task | undefined;
}

export interface KeptRuns {
  keyOf(task: Task): string;
  runPath(folder: string, task: Task): string;
  readRun(folder: string, task: Task): Run | undefined;
  readRuns(folder: string, bench: Bench): readonly Run[];
  keepRun(folder: string, run: Run): void;
}

export const ABOUT = {
  date: "2026-11-30T08:00:00.000Z",
  node: "v24.1.0",
  v8: "13.6",
  cpu: "a processor",
  cores: 2,
  memoryBytes: 1,
  loadBefore: [1, 1, 1],
  loadAfter: [2, 2, 2],
  versions: { depthwise: "0.1.0" },
};

/** A run as it is kept. */
export function madeUp(task: Task, right: number, changed: Partial<Run> = {}): Run {
  return {
    ...{ about: ABOUT, task, right, training: { loss: 1, accuracy: 0.9 }, minutes: 9.5 },
    ...{ runtime: { simd: "wide", threads: 2 }, ...changed },
  };
}

/** All files below a folder, with their bytes and times: what is written again, even as it was, differs. */
export function filesIn(folder: string): Readonly<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
  return Object.fromEntries(files.map((path) => [path, `${statSync(path).mtimeMs} ${readFileSync(path, "utf8")}`]));
}
