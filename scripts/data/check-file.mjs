/** Whether a file that was written is the one that the world knows. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Refusal } from "../shared/refusal.mjs";

/** @param {string} path @param {string} md5 */
export async function checkFile(path, md5) {
  const found = createHash("md5")
    .update(await readFile(path))
    .digest("hex");
  if (found !== md5)
    throw new Refusal(`${basename(path)} came out wrong: md5 ${found}, expected ${md5}. Nothing was kept.`);
}
