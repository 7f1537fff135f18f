/** Files that are there whole or not at all. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Writes a file under another name and renames it; its folder is made. @param {string} path @param {string} text */
export function writeWhole(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const other = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(other, text, { flush: true });
    renameSync(other, path);
  } catch (cause) {
    rmSync(other, { force: true });
    throw cause;
  }
}
