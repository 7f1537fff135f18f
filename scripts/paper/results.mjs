/**
 * Results: a small file a run, `CELL/seed-N.json`. That it is there says that the run is done. One that was made in another
 * way than the list says, or that is damaged, is refused, not overwritten.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { differencesOf } from "../shared/differences.mjs";
import { Refusal } from "../shared/refusal.mjs";
import { writeWhole } from "../shared/write-whole.mjs";
import { fromText } from "./bitset.mjs";

/** Where the result of a run lies. */
export function resultPath(results, { cell, seed }) {
  return join(results, cell.name, `seed-${seed}.json`);
}

/** The result of a run; undefined if there is none yet. @throws {Refusal} */
export function readResult(results, run) {
  const path = resultPath(results, run);
  const text = textOf(path);
  if (text === undefined) return undefined;
  const advice = "Remove the file, and its checkpoint below data/paper, to train it anew.";
  const result = parsed(text);
  const fault = faultOf(result);
  if (fault !== undefined) throw new Refusal(`${path} is not the result of a run: ${fault}. ${advice}`);
  const differences = differencesOf(run.expected, result);
  if (differences.length === 0) return result;
  throw new Refusal(`${path} is of another run than the list says: ${differences.join("; ")}. ${advice}`);
}

/** Seeds of which there are results, in their order. */
export function seedsOf(results, { name }) {
  let files;
  try {
    files = readdirSync(join(results, name));
  } catch (cause) {
    if (cause.code === "ENOENT") return [];
    throw cause;
  }
  const seeds = files.flatMap((file) => /^seed-(0|[1-9]\d*)\.json$/.exec(file)?.[1] ?? []).map(Number);
  return seeds.filter(Number.isSafeInteger).sort((a, b) => a - b);
}

/**
 * Writes a result, whole or not at all.
 *
 * @param {string} checkpoint the folder it comes from: one of more epochs is gone on with where the recipe does not count
 *                            them, and ends with another history
 * @throws {Refusal} for what `readResult` would refuse
 */
export function writeResult(results, run, result, checkpoint) {
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const read = parsed(text);
  const fault = faultOf(read) ?? differencesOf(run.expected, read)[0];
  if (fault !== undefined) {
    const advice = `Nothing was written: remove ${checkpoint} to train it anew.`;
    throw new Refusal(`what was trained is no result: ${fault}. ${advice}`);
  }
  writeWhole(resultPath(results, run), text);
}

function textOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause.code === "ENOENT") return undefined;
    throw cause;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is wrong with it, in words; undefined if nothing. */
function faultOf(result) {
  if (typeof result !== "object" || result === null) return "it is no JSON object";
  const { test, history, runtime, minutes, epochs } = result;
  if (!Array.isArray(history) || history.length !== epochs) return "its history is not of all epochs";
  if (!history.every((record, index) => record?.epoch === index + 1 && Number.isFinite(record.loss)))
    return "its history is not of epochs in a row";
  if (!(Number.isFinite(minutes) && minutes >= 0)) return "minutes is no number";
  if (!["library", "node", "simd"].every((key) => /^[\w.+-]{1,40}$/.test(runtime?.[key])))
    return "runtime is incomplete";
  if (!["arithmetic", "threads"].every((key) => Number.isSafeInteger(runtime[key]))) return "runtime is incomplete";
  const hash = ["parametersSha256", "dataSha256"].find((key) => !/^[0-9a-f]{64}$/.test(result[key]));
  if (hash !== undefined) return `${hash} is no such hash`;
  if (!(Number.isSafeInteger(test?.examples) && test.examples > 0)) return "test.examples is no number of pictures";
  const bytes = Math.ceil(test.examples / 8);
  const bits = typeof test.right === "string" ? Buffer.from(test.right, "base64") : Buffer.alloc(0);
  if (bits.length !== bytes || bits.toString("base64") !== test.right) {
    return `test.right has not ${test.examples.toLocaleString("en-US")} bits`;
  }
  const right = fromText(test.right, test.examples).filter(Boolean).length;
  if (test.correct !== right || test.accuracy !== right / test.examples) {
    return `test.right has ${right} pictures, test.correct says ${test.correct} and test.accuracy ${test.accuracy}`;
  }
  return undefined;
}
