/** Files that are there whole or not at all. */

import { lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Refusal } from "./refusal.mjs";

/** As many as the system follows. */
const MOST_LINKS = 40;

/**
 * Writes a file under another name and renames it; its folder is made. A symbolic link stays, and what it leads to is
 * written.
 *
 * @param {string} file @param {string | Uint8Array} content
 * @throws {Refusal} for what is there and no file; what the system throws, with the path
 */
export function writeWhole(file, content) {
  writeTogether(new Map([[file, content]]));
}

/**
 * Writes several: none is replaced before all are written under other names, so that a full disk or a folder that may not
 * be written leaves all of them as they were.
 *
 * @param {ReadonlyMap<string, string | Uint8Array>} files content by path
 */
export function writeTogether(files) {
  const places = [...files].map(([file, content]) => {
    const path = placeOf(file);
    return { path, other: `${path}.${process.pid}.tmp`, content };
  });
  try {
    for (const { path, other, content } of places) {
      mkdirSync(dirname(path), { recursive: true });
      removeLeftOver(path);
      // A link of that name is not followed.
      writeFileSync(other, content, { flush: true, flag: "wx" });
    }
    for (const { path, other } of places) renameSync(other, path);
  } catch (cause) {
    for (const { other } of places) rmSync(other, { force: true });
    // The system says of a full disk no place.
    if (typeof cause.syscall === "string" && cause.path === undefined)
      cause.message += ` (${[...files.keys()].join(", ")})`;
    throw cause;
  }
}

/** Where a path leads, whether anything is there yet or not. */
function placeOf(file, left = MOST_LINKS) {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() && left > 0) return placeOf(resolve(dirname(file), readlinkSync(file)), left - 1);
  if (stats === undefined || stats.isFile() || stats.isDirectory()) return file;
  throw new Refusal(`${file} is no file, and is left as it is.`);
}

/** What a process left that was killed while it wrote this file, or whose number is this one's. */
function removeLeftOver(path) {
  const name = basename(path);
  for (const found of readdirSync(dirname(path))) {
    const [, pid] = (found.startsWith(name) && /^\.(\d+)\.tmp$/.exec(found.slice(name.length))) || [];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dirname(path), found), { force: true });
  }
}

/** Another process; one that may not be asked runs. */
function isRunning(pid) {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause.code !== "ESRCH";
  }
}
