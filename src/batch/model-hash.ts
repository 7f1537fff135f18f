/** What tells networks apart: their layers and numbers, and what their outputs are called. */

import { knownLabels, statedLabels } from "../classify/ranked.ts";
import { DepthwiseError } from "../core/errors.ts";
import type { Network } from "../layers/network.ts";
import type { RunDescription, Task } from "./part.ts";

/**
 * The sha256 of a network: the same for the same file.
 *
 * Numbers are hashed as float32 in little-endian order, by the order of their names.
 */
export function hashOfModel(model: Network<string>, labels: readonly string[]): string {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const { inputShape, layers, outputs } = model;
  hash.update(JSON.stringify({ inputShape, layers, outputs, labels }));
  const parameters = model.parameters;
  for (const name of [...parameters.keys()].sort()) {
    const found = parameters.get(name);
    if (found === undefined) continue;
    const { shape, data } = found;
    hash.update(JSON.stringify({ name, shape }));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** What classes are called in the rows of a task; nothing where no row has any. */
export async function labelsOfTask(
  model: Network<string>,
  task: Task,
  given: readonly string[] | undefined,
): Promise<readonly string[]> {
  if (task === "embeddings") return [];
  return statedLabels("batch", model, given) ?? (await knownLabels(model));
}

/**
 * Requires the network that a run's parts are of.
 *
 * @throws {DepthwiseError} `RUN_MISMATCH`
 */
export async function checkModelOfRun({ model: of, options }: RunDescription, model: Network<string>): Promise<void> {
  const sha256 = hashOfModel(model, await labelsOfTask(model, options.task, undefined));
  if (sha256 === of.sha256) return;
  throw new DepthwiseError("RUN_MISMATCH", {
    what: "nearest: the network",
    expected: `${of.name}, sha256 ${of.sha256}, which the parts are of`,
    found: `${model.name}, sha256 ${sha256}`,
    advice: "Pass the weights that the parts were made with: --weights.",
    fields: { expected: of.sha256, found: sha256 },
  });
}
