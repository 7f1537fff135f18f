/** Which pictures a run learns from. */

import { cifar10 } from "../../dist/esm/train.js";
import { cifar10Files } from "../../scripts/shared/cifar10-files.mjs";
import { sha256Of } from "../harness/sha256.mjs";
import { SHARE } from "./task.mjs";

/** @param {string} folder @returns {Promise<import("./task.mjs").Settings["data"]>} @throws {Refusal} */
export async function dataOf(folder) {
  const { train } = cifar10Files(folder);
  const [learnt] = (await cifar10(train)).split(SHARE);
  return { sha256: sha256Of(train), examples: learnt.size };
}
