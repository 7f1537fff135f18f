/**
 * `checkpoint.json`: which files of a place count, how far the run has come, and what the run depends on. It may be
 * damaged, or somebody else's: what it says is used only if it holds the hash of itself, and names no other files than
 * checkpoints have.
 */

import { isNatural, isObject, type JsonObject, parseJson } from "../../core/json.ts";
import { hashOfText } from "./hash.ts";
import { bestEpoch, type Position } from "./position.ts";
import { isPosition } from "./position-check.ts";
import type { RunRecord } from "./recorded.ts";

export const INDEX = "checkpoint.json";
/** More of it is not read: over a hundred thousand epochs. */
export const LONGEST_INDEX = 2 ** 28;
const FORMAT = "depthwise checkpoint";
const VERSION = 1;

export type CheckpointFileKind = "state" | "best";

/** Three names each: two that count, and one for what is being written. */
export const FILE_NAMES: Readonly<Record<CheckpointFileKind, readonly string[]>> = {
  state: ["state-a.safetensors", "state-b.safetensors", "state-c.safetensors"],
  best: ["best-a.safetensors", "best-b.safetensors", "best-c.safetensors"],
};

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  readonly hash: string;
}

/** A checkpoint. */
export interface StoredCheckpoint {
  readonly position: Position;
  readonly state: StoredFile;
  readonly best?: { readonly epoch: number; readonly file: StoredFile };
}

export interface CheckpointIndex {
  readonly current: StoredCheckpoint;
  readonly previous: StoredCheckpoint | undefined;
  readonly run: unknown;
}

export function indexBytes(
  current: StoredCheckpoint,
  previous: StoredCheckpoint | undefined,
  run: RunRecord,
): Uint8Array {
  const said = {
    format: FORMAT,
    version: VERSION,
    current,
    ...(previous === undefined ? {} : { previous }),
    run,
  };
  const index = { ...said, hash: hashOfText(JSON.stringify(said)) };
  return new TextEncoder().encode(`${JSON.stringify(index, null, 1)}\n`);
}

/** @param failed makes the error for what is no index, or not as it was written */
export function indexIn(bytes: Uint8Array, failed: (what: string) => Error): CheckpointIndex {
  if (bytes.length > LONGEST_INDEX) throw failed(`${INDEX} is longer than any`);
  const index = parseJson(
    new TextDecoder().decode(bytes),
    (expected, found, cause) => Object.assign(failed(`${INDEX}: expected ${expected}, found ${found}`), { cause }),
    () => undefined,
  );
  if (!isObject(index) || index["format"] !== FORMAT || index["version"] !== VERSION) {
    throw failed(`${INDEX} is not of version ${VERSION} of this library's checkpoints`);
  }
  const { hash, ...said } = index;
  if (hash !== hashOfText(JSON.stringify(said))) throw failed(`${INDEX} is not as it was written`);
  const { run, current, previous } = said;
  if (!isStoredCheckpoint(current) || !(previous === undefined || isStoredCheckpoint(previous))) {
    throw failed(`${INDEX} lacks what it is to say, or says what cannot be`);
  }
  return { run, current, previous };
}

/** The names of all files of checkpoints. */
export function filesOf(...entries: readonly (StoredCheckpoint | undefined)[]): string[] {
  return entries.flatMap((entry) =>
    entry === undefined ? [] : [entry.state.name, ...(entry.best === undefined ? [] : [entry.best.file.name])],
  );
}

function isStoredCheckpoint(value: unknown): value is StoredCheckpoint & JsonObject {
  if (!isObject(value) || !isPosition(value["position"]) || !isStoredFile(value["state"], "state")) return false;
  const { best, position } = value;
  if (best === undefined) return true;
  return isObject(best) && best["epoch"] === bestEpoch(position.history)?.epoch && isStoredFile(best["file"], "best");
}

function isStoredFile(value: unknown, kind: CheckpointFileKind): value is StoredFile {
  if (!isObject(value) || !isNatural(value["bytes"]) || typeof value["hash"] !== "string") return false;
  return FILE_NAMES[kind].some((name) => name === value["name"]);
}
