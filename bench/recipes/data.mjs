/** Which pictures a run learns from: their files by their hash, wherever they lie. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cifar10 } from "../../dist/esm/train.js";
import { cifar10Files } from "../../scripts/shared/cifar10-files.mjs";
import { SHARE } from "./task.mjs";

/** @param {string} folder @returns {Promise<import("./task.mjs").Settings["data"]>} @throws {Refusal} */
export async function dataOf(folder) {
  const { train } = cifar10Files(folder);
  const hash = createHash("sha256");
  for (const path of train) hash.update(readFileSync(path));
  const [learnt] = (await cifar10(train)).split(SHARE);
  return { sha256: hash.digest("hex"), examples: learnt.size };
}
