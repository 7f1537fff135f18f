/** A bench as a program: its flags, and faults that are told in a line. */

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Refusal } from "../../scripts/shared/refusal.mjs";
import { isTold } from "../../scripts/shared/told.mjs";

const SIMD = ["auto", "relaxed", "plain", "wide"];

/**
 * Works if this file is what was started, and not if it is imported. What a person can mend is told in a line.
 *
 * @param {string} url `import.meta.url` @param {(args: string[]) => Promise<void>} work
 */
export async function asProgram(url, work) {
  const [, started, ...args] = process.argv;
  if (started === undefined || realpathSync(started) !== fileURLToPath(url)) return;
  try {
    await work(args);
  } catch (cause) {
    if (!(await isTold(cause))) throw cause;
    console.error(cause.message);
    process.exitCode = 1;
  }
}

/** Flags as text. @param {string[]} args @param {import("node:util").ParseArgsOptionsConfig} options @throws {Refusal} */
export function readFlags(args, options) {
  try {
    return parseArgs({ args, options }).values;
  } catch (cause) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new Refusal(`${cause.message.split(". ")[0]}. Flags: ${known.join(", ")}.`);
  }
}

/** @param {Record<string, string>} flags @param {string} name @returns {number} at least 1 @throws {Refusal} */
export function countOf(flags, name) {
  if (/^[1-9]\d{0,5}$/.test(flags[name])) return Number(flags[name]);
  throw new Refusal(`--${name}: expected a whole number of at least 1, found "${flags[name]}".`);
}

/** @param {Record<string, string>} flags @returns {string} @throws {Refusal} */
export function simdOf({ simd }) {
  if (SIMD.includes(simd)) return simd;
  throw new Refusal(`--simd: expected one of ${SIMD.join(", ")}, found "${simd}".`);
}

/**
 * What `--only` names, with commas between; all without it.
 *
 * @param {string | undefined} only @param {readonly string[]} all @param {string} what they are
 * @returns {string[]} each once, in the order given @throws {Refusal}
 */
export function chosen(only, all, what) {
  const names = only?.split(",") ?? all;
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new Refusal(`--only: there is no ${what} "${unknown}". There are: ${all.join(", ")}.`);
  return [...new Set(names)];
}

/** `name` as results of this Node are called. @param {string} name */
export function ofThisNode(name) {
  return `${name}-node${process.versions.node.split(".")[0]}`;
}
