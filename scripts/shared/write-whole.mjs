/** Files that are there whole or not at all. */

import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file under another name and renames it; its folder is made. A symbolic link stays, and what it leads to is
 * replaced. @param {string} file @param {string} text
 */
export function writeWhole(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  const path = existsSync(file) ? realpathSync(file) : file;
  const other = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(other, text, { flush: true });
    renameSync(other, path);
  } catch (cause) {
    rmSync(other, { force: true });
    throw cause;
  }
}
