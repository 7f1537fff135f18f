/** What tells networks apart: their layers and numbers. What its classes are called is no part of a network. */

import { knownLabels, statedLabels } from "../classify/ranked.ts";
import { DepthwiseError } from "../core/errors.ts";
import { checkPreprocessing, type Preprocessing } from "../core/preprocessing.ts";
import type { Network } from "../layers/network.ts";
import type { RunDescription, Task } from "./part.ts";

/**
 * The sha256 of a network: the same for the same file.
 *
 * Numbers are hashed as float32 in little-endian order, by the order of their names.
 */
export function hashOfModel(model: Network<string>): string {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const { inputShape, layers, outputs } = model;
  hash.update(JSON.stringify({ inputShape, layers, outputs }));
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

/** The sha256 of what classes are called; empty for none. */
export function hashOfLabels(labels: readonly string[]): string {
  if (labels.length === 0) return "";
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(JSON.stringify(labels)).digest("hex");
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
 * Requires the network that a run's parts are of. What its classes are called does not matter: embeddings have no names.
 *
 * @param asked what is said of the preprocessing, and has to be as in the run. Default nothing
 * @returns how pictures became the network's input: a query is compared with them, and has to be made so too
 * @throws {DepthwiseError} `RUN_MISMATCH`
 */
export function checkModelOfRun(
  { model: of, options }: RunDescription,
  model: Network<string>,
  asked: Preprocessing = {},
): Preprocessing {
  const sha256 = hashOfModel(model);
  if (sha256 !== of.sha256) {
    throw new DepthwiseError("RUN_MISMATCH", {
      what: "nearest: the network",
      expected: `${of.name}, sha256 ${of.sha256}, which the parts are of`,
      found: `${model.name}, sha256 ${sha256}`,
      advice: "Pass the weights that the parts were made with: --weights.",
      fields: { expected: of.sha256, found: sha256 },
    });
  }
  const { inputShape: _, ...preprocessing } = options.preprocessing;
  const differences = Object.entries(asked).flatMap(([name, now]) => {
    const [before, after] = [JSON.stringify(preprocessing[name]), JSON.stringify(now)];
    return before === after ? [] : [`${name}: there ${before ?? "nothing"}, now ${after ?? "nothing"}`];
  });
  if (differences.length > 0) {
    throw new DepthwiseError("RUN_MISMATCH", {
      what: `nearest: the pictures of the run became the network's input in another way: ${differences.join("; ")}`,
      advice: "Leave it out: a query becomes it as the pictures of the run did.",
      fields: { differences },
    });
  }
  return checkPreprocessing("run.json: options.preprocessing", preprocessing, model.inputShape[2]);
}
