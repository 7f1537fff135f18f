/** What the adapters of training have in common. */

import { readFileSync } from "node:fs";
import { readSafetensors } from "../models/safetensors.mjs";

/** Updates until the last of the losses that are compared. */
export const UPDATES = 3;

/** The losses of the first steps: of the network as it was given, and after each update. */
export async function firstLosses(step) {
  const losses = [];
  while (losses.length <= UPDATES) losses.push(await step());
  return losses;
}

/** The class of each image. */
export function readLabels({ files }) {
  return new Int32Array(new Uint8Array(readFileSync(files.labels)).buffer);
}

/** A row of zeros and a one for each image. */
export function readTargets(model) {
  const targets = new Float32Array(model.batch * model.classes);
  for (const [index, label] of readLabels(model).entries()) targets[index * model.classes + label] = 1;
  return targets;
}

/** Name → `{ shape, data }`. */
export const readParameters = ({ files }) => readSafetensors(readFileSync(files.keras));
