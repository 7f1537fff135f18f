/** One process a run: a file that says which has it. What a killed process left is taken over. */

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * @returns gives it free; undefined if another process has it
 */
export function lockRun(path) {
  mkdirSync(dirname(path), { recursive: true });
  const text = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  const own = `${path}.${process.pid}`;
  writeFileSync(own, text);
  try {
    while (!isLinked(own, path)) {
      const holder = holderIn(path);
      if (holder === undefined) continue;
      if (isAlive(holder)) return undefined;
      // Should two take it over at once, the lock of the checkpoint's folder lets one of them work.
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
  return () => {
    if (readOr(path, "") === text) rmSync(path, { force: true });
  };
}

/** A link is there with all that is in it, or not at all. */
function isLinked(own, path) {
  try {
    linkSync(own, path);
    return true;
  } catch (cause) {
    if (cause.code === "EEXIST") return false;
    throw cause;
  }
}

/** Undefined if it has gone meanwhile. */
function holderIn(path) {
  const text = readOr(path, undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function isAlive({ pid, started }) {
  if (!Number.isSafeInteger(pid)) return false;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if (cause.code === "ESRCH") return false;
  }
  // A number may be used again.
  return started === undefined || started === startOf(pid);
}

/** When a process began: field 22 of its line in /proc, which is on Linux. */
function startOf(pid) {
  const line = readOr(`/proc/${pid}/stat`, undefined);
  return line?.slice(line.lastIndexOf(")") + 2).split(" ")[19];
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
