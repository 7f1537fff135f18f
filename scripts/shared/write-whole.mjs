/** Files that are there whole or not at all. */

import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** As many as the system follows. */
const MOST_LINKS = 40;

/**
 * Writes a file under another name and renames it; its folder is made. A symbolic link stays, and what it leads to is
 * written. @param {string} file @param {string} text
 */
export function writeWhole(file, text) {
  writeTogether(new Map([[file, text]]));
}

/**
 * Writes several: none is replaced before all are written under other names, so that a full disk or a folder that may not
 * be written leaves all of them as they were.
 *
 * @param {ReadonlyMap<string, string>} files text by path
 */
export function writeTogether(files) {
  const places = [...files].map(([file, text]) => {
    const path = placeOf(file);
    return { path, other: `${path}.${process.pid}.tmp`, text };
  });
  try {
    for (const { path, other, text } of places) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(other, text, { flush: true });
    }
    for (const { path, other } of places) renameSync(other, path);
  } catch (cause) {
    for (const { other } of places) rmSync(other, { force: true });
    throw cause;
  }
}

/** Where a path leads, whether anything is there yet or not. */
function placeOf(file, left = MOST_LINKS) {
  const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
  if (!isLink || left === 0) return file;
  return placeOf(resolve(dirname(file), readlinkSync(file)), left - 1);
}
