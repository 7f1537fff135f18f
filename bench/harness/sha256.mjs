/** Files by their hash, wherever they lie. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** @param {readonly string[]} paths @returns {string} of all their bytes, in hexadecimal digits */
export function sha256Of(paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path));
  return hash.digest("hex");
}
