/** CIFAR-10's two parts. */

import { cifar10 } from "../../dist/esm/train.js";
import { cifar10Files } from "../shared/cifar10-files.mjs";
import { Refusal } from "../shared/refusal.mjs";

/** @param {number} examples how many are trained on @throws {Refusal} */
export async function readData(folder, examples) {
  const files = cifar10Files(folder);
  const all = await cifar10(files.train);
  if (all.size < examples) {
    throw new Refusal(`${folder} has ${all.size} pictures to train on, and --examples says ${examples}.`);
  }
  return { train: all.size === examples ? all : all.take(examples), test: await cifar10(files.test) };
}
