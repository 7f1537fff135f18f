/** Runs that were made, in a file, and those that are missing. */

import { existsSync, readFileSync } from "node:fs";
import { Refusal } from "../../scripts/shared/refusal.mjs";
import { keyOf, taskOf } from "./task.mjs";
import { variants } from "./variants.mjs";

/**
 * The runs of a file; none if it is not there. They are hours of work: those of other settings, or of a variant that has
 * been changed since, are neither mixed in nor overwritten.
 *
 * @param {string} path @param {import("./task.mjs").Settings} settings @throws {Refusal}
 */
export function keptRuns(path, settings) {
  if (!existsSync(path)) return [];
  const refuse = (reason) => {
    throw new Refusal(`${path} ${reason}. Move it away to begin anew; --quick keeps a trial apart.`);
  };
  const kept = parsed(path);
  if (!Array.isArray(kept?.runs)) return refuse("is no file of runs");
  for (const key of ["epochs", "simd", "data"]) {
    const [then, now] = [kept.settings?.[key], settings[key]].map((value) => JSON.stringify(value));
    if (then !== now) refuse(`holds ${kept.runs.length} runs of other settings: ${key} was ${then}, and is ${now}`);
  }
  for (const { key, variant, seed } of kept.runs) {
    if (variants(1)[variant] === undefined) refuse(`holds runs of "${variant}", which is no variant any more`);
    if (keyOf(taskOf(variant, seed, settings)) !== key) {
      refuse(`holds a run of "${variant}", seed ${seed}, as it was before that was changed`);
    }
  }
  return kept.runs;
}

function parsed(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Works through tasks, several at a time. One that fails takes no other with it.
 *
 * @template Task
 * @param {readonly Task[]} tasks @param {number} width @param {(task: Task) => Promise<void>} work
 * @param {(task: Task, cause: unknown) => void} failed
 */
export async function workedThrough(tasks, width, work, failed) {
  const left = [...tasks];
  const worker = async () => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      await work(task).catch((cause) => failed(task, cause));
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
