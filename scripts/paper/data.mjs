/** CIFAR-10's two parts. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cifar10 } from "../../dist/esm/train.js";
import { cifar10Files } from "../shared/cifar10-files.mjs";
import { Refusal } from "../shared/refusal.mjs";

/**
 * @param {number} examples how many are trained on
 * @returns both parts, and a hash of all six files: which pictures a result is of
 * @throws {Refusal}
 */
export async function readData(folder, examples) {
  const files = cifar10Files(folder);
  const all = await cifar10(files.train);
  if (all.size < examples) {
    throw new Refusal(`${folder} has ${all.size} pictures to train on, and --examples says ${examples}.`);
  }
  const hash = createHash("sha256");
  for (const path of [...files.train, files.test]) hash.update(readFileSync(path));
  const train = all.size === examples ? all : all.take(examples);
  return { train, test: await cifar10(files.test), sha256: hash.digest("hex") };
}
