/**
 * Runs that took minutes to hours: a small file a run, named by the hash of all that was asked for. That it is there says
 * that the run is done, so several processes can add to one folder. Runs of other settings are refused, and damaged files:
 * neither mixed in nor overwritten.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { differencesOf } from "../../scripts/shared/differences.mjs";
import { Refusal } from "../../scripts/shared/refusal.mjs";
import { writeWhole } from "../../scripts/shared/write-whole.mjs";
import { jsonText } from "./report.mjs";

/**
 * @typedef {{ seed: number, simd: string, network: object, options: object }} Task all that was asked for, and more keys,
 *   as plain data
 */

/**
 * @typedef {object} Run
 * @property {ReturnType<import("./about.mjs").aboutRun> & { isOfLast?: true, hasGoneOn?: true }} about `isOfLast`: load and
 *   date are those of the last of the runs that share it; `hasGoneOn`: after a stop, and the load before is that then
 * @property {Task} task
 * @property {number} right a share of the pictures that judge
 * @property {{ loss: number, accuracy: number }} training of the last epoch
 * @property {number} minutes
 * @property {{ simd: string, threads: number }} runtime
 */

/**
 * @typedef {object} Bench what is asked for today
 * @property {(task: Task) => string} nameOf a task, but for its seed
 * @property {(task: Task) => Task | undefined} now the task of that name and seed; undefined if there is no such name
 */

/** @param {Task} task */
export function keyOf(task) {
  return createHash("sha256").update(JSON.stringify(task)).digest("hex").slice(0, 16);
}

/** Where the run of a task lies. @param {string} folder @param {Task} task */
export function runPath(folder, task) {
  return join(folder, `${keyOf(task)}.json`);
}

/** The run of a task; undefined if there is none yet. @param {string} folder @returns {Run | undefined} @throws {Refusal} */
export function readRun(folder, task) {
  const path = runPath(folder, task);
  return existsSync(path) ? runIn(path) : undefined;
}

/**
 * All runs of a folder, by their keys; none without one.
 *
 * @param {string} folder @param {Bench} bench @returns {Run[]} @throws {Refusal} if one is not of `bench`
 */
export function readRuns(folder, { nameOf, now }) {
  return namesIn(folder).map((name) => {
    const path = join(folder, name);
    const run = runIn(path);
    const what = `${nameOf(run.task)}, seed ${run.task.seed}`;
    const refuse = (reason) => {
      throw new Refusal(
        `${path} is a run of ${what}, ${reason}. Ask for what was, or move ${folder} away to begin anew.`,
      );
    };
    const task = now(run.task);
    if (task === undefined) return refuse("which is not asked for any more");
    if (keyOf(task) === keyOf(run.task)) return run;
    const differences = differencesOf({ task }, { task: run.task }).map((text) => text.replace("task.", ""));
    return refuse(`but not as it is now: ${differences.join("; ") || "its keys have another order"}`);
  });
}

/**
 * Writes a run, whole or not at all, and reads it back; one that is there stays.
 *
 * @param {string} folder @param {Run} run @throws {Refusal}
 */
export function keepRun(folder, run) {
  const path = runPath(folder, run.task);
  if (existsSync(path)) return;
  const fault = faultOf(JSON.parse(JSON.stringify(run)));
  if (fault !== undefined) throw new Refusal(`${path}: what was trained is no run: ${fault}. Nothing was written.`);
  writeWhole(path, jsonText(run));
  runIn(path);
}

/** Others than JSON, such as what is being written, are no runs. */
function namesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort();
}

function runIn(path) {
  const run = parsed(readFileSync(path, "utf8"));
  const fault = faultOf(run) ?? (path.endsWith(`${keyOf(run.task)}.json`) ? undefined : "its task has another name");
  if (fault === undefined) return run;
  throw new Refusal(`${path} is no run that was kept: ${fault}. Remove the file to make that run anew.`);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is wrong with it, in words; undefined if nothing. */
function faultOf(run) {
  if (!isObject(run)) return "it is no JSON object";
  const { about, task, right, training, minutes, runtime } = run;
  if (!isObject(task) || !Number.isSafeInteger(task.seed)) return "task is none";
  if (!(Number.isFinite(right) && right >= 0 && right <= 1)) return "right is no share";
  if (![training?.loss, training?.accuracy].every(Number.isFinite)) return "training is incomplete";
  if (!(Number.isFinite(minutes) && minutes >= 0)) return "minutes is no number";
  if (runtime?.simd === undefined || runtime.threads === undefined) return "runtime is incomplete";
  const facts = ["date", "node", "v8", "cpu", "cores", "loadBefore", "loadAfter", "versions"];
  return facts.every((key) => about?.[key] !== undefined) ? undefined : "about is incomplete";
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
