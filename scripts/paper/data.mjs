/** CIFAR-10's two parts, as `npm run data:cifar10` leaves them. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { cifar10 } from "../../dist/esm/train.js";
import { Refusal } from "./refusal.mjs";

const TRAIN = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);
const TEST = "test_batch.bin";

/** @param {number} examples how many are trained on @throws {Refusal} */
export async function readData(folder, examples) {
  const missing = [...TRAIN, TEST].find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined) {
    throw new Refusal(`${join(folder, missing)} is not there: npm run data:cifar10 makes data/cifar10.`);
  }
  const all = await cifar10(TRAIN.map((name) => join(folder, name)));
  if (all.size < examples) {
    throw new Refusal(`${folder} has ${all.size} pictures to train on, and --examples says ${examples}.`);
  }
  return { train: all.size === examples ? all : all.take(examples), test: await cifar10(join(folder, TEST)) };
}
