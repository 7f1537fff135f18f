/** TensorFlow.js models in memory: a model.json with its shards, as a reader is given them. */

import { DepthwiseError } from "../../src/core/errors.ts";
import { read } from "../../src/weights/formats/tfjs.ts";
import type { ModelFile, OpenFile } from "../../src/weights/model-file.ts";

export type Files = ReadonlyMap<string, Uint8Array>;

export function openFile(json: unknown, files: Files = new Map()): OpenFile {
  const bytes = json instanceof Uint8Array ? json : new TextEncoder().encode(JSON.stringify(json));
  return {
    name: "model.json",
    bytes,
    async sibling(path) {
      const found = files.get(path);
      if (found === undefined) {
        throw new DepthwiseError("FILE_NOT_FOUND", { what: `${path}: there is no such file`, advice: "Add it." });
      }
      return found;
    },
  };
}

export const MAX_BYTES = 2 ** 26;

export function readJson(json: unknown, files: Files = new Map(), maxBytes = MAX_BYTES): Promise<ModelFile> {
  return read(openFile(json, files), { maxBytes });
}

/** What `encodeTfjs` or `saveTfjs` wrote, read again. */
export function readFiles(files: Files): Promise<ModelFile> {
  return readJson(files.get("model.json") ?? new Uint8Array(), files);
}

export function floatBytes(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** The error that a promise is rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<DepthwiseError> {
  const outcome = await promise.then(
    () => new Error("Nothing was refused."),
    (error: unknown) => error,
  );
  if (outcome instanceof DepthwiseError) return outcome;
  throw outcome;
}
