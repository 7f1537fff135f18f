/** CIFAR-10's binary batches, as `npm run data:cifar10` leaves them. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./refusal.mjs";

/** What is learnt from, in the order of the set. */
export const TRAIN_FILES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);
export const TEST_FILE = "test_batch.bin";

/** @param {string} folder @returns {{ train: string[], test: string }} paths @throws {Refusal} if one is not there */
export function cifar10Files(folder) {
  const [train, test] = [TRAIN_FILES.map((name) => join(folder, name)), join(folder, TEST_FILE)];
  const missing = [...train, test].find((path) => !existsSync(path));
  if (missing !== undefined) throw new Refusal(`${missing} is not there: npm run data:cifar10 makes data/cifar10.`);
  return { train, test };
}
