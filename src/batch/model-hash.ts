/** What tells networks apart: their layers and numbers, and what their outputs are called. */

import type { Network } from "../layers/network.ts";

/**
 * The sha256 of a network: the same for the same network out of any file or format.
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
