/**
 * Checkpoints: a run as files, each written whole or not at all, the newest two kept.
 *
 *     checkpoint.json       which files count, how far the run has come, its history, what it depends on
 *     state-a.safetensors   (a, b or c) parameters, moving statistics, what the optimizer keeps, averages
 *     best-a.safetensors    the best epoch's model, where patience may give it back
 *     model.safetensors     the model as `fit` would give it now; `loadModel` reads it
 *     history.jsonl         a line an epoch
 *
 * A file of a new checkpoint takes a name that neither of the two before uses; then `checkpoint.json` is replaced, so that
 * the new one counts at once or not at all. Hashes of the files stand in it: one that is damaged is passed over for the
 * one before. `model.safetensors` and `history.jsonl` come first: written again by a run that goes on, they are never
 * behind what counts.
 */

import { DepthwiseError } from "../../core/errors.ts";
import type { FloatTensor } from "../../core/tensor.ts";
import { encodeModel, readSafetensors, toFloat32, writeSafetensors } from "../../weights/index.ts";
import { historyLines } from "../history-lines.ts";
import type { TrainerState } from "../trainer.ts";
import {
  type CheckpointFileKind,
  FILE_NAMES,
  filesOf,
  INDEX,
  indexBytes,
  indexIn,
  LONGEST_INDEX,
  type StoredCheckpoint,
  type StoredFile,
} from "./checkpoint-file.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { hashOf } from "./hash.ts";
import type { Position } from "./position.ts";
import type { PreparedRun } from "./prepared.ts";
import { checkSameRun, type RunRecord, recordOf } from "./recorded.ts";
import { readStored, storeFailed, storeName } from "./stored.ts";
import { trainedModel } from "./trained-model.ts";
import type { EpochOutcome } from "./validate.ts";

/** A checkpoint that was read. */
export interface RunCheckpoint {
  readonly position: Position;
  readonly state: TrainerState;
  readonly best: EpochOutcome | undefined;
}

/** The checkpoints of one run in a store. */
export class Checkpoints {
  /** What messages call the place. */
  readonly where: string;
  readonly #store: CheckpointStore;
  readonly #run: PreparedRun;
  readonly #record: RunRecord;
  #current: StoredCheckpoint | undefined;
  #previous: StoredCheckpoint | undefined;
  #written = performance.now();

  constructor(store: CheckpointStore, run: PreparedRun) {
    this.where = storeName(store);
    this.#store = store;
    this.#run = run;
    this.#record = recordOf(run);
  }

  /** Whether it is time for one within an epoch. */
  isDue(): boolean {
    return performance.now() - this.#written >= 1000 * this.#run.options.checkpointSeconds;
  }

  /**
   * The newest checkpoint that is whole; undefined if there is none at all.
   *
   * @throws {DepthwiseError} `CHECKPOINT_MISMATCH` for one of another run; `FILE_CORRUPT` if none is whole; what the store
   *         throws
   */
  async read(): Promise<RunCheckpoint | undefined> {
    const bytes = await readStored("fit", this.#store, INDEX, LONGEST_INDEX);
    if (bytes === undefined) return undefined;
    const { run, current, previous } = indexIn(bytes, (what) => this.#corrupt(what));
    checkSameRun(this.where, run, this.#record);
    const entries = [current, previous].filter((entry) => entry !== undefined);
    if (entries.some(({ position }) => position.example > this.#run.data.size)) {
      throw this.#corrupt(`${INDEX} says that more of an epoch is done than it has`);
    }
    const faults: string[] = [];
    for (const entry of entries) {
      const state = await this.#whole(entry.state);
      const best = entry.best === undefined ? undefined : await this.#whole(entry.best.file);
      if (state !== undefined && (entry.best === undefined || best !== undefined)) {
        this.#current = entry;
        this.#previous = entry === current ? previous : undefined;
        const tensors = tensorsOf(state);
        return {
          position: entry.position,
          state: { updates: entry.position.updates, tensors },
          best:
            entry.best === undefined || best === undefined
              ? undefined
              : { epoch: entry.best.epoch, parameters: tensorsOf(best) },
        };
      }
      faults.push(state === undefined ? entry.state.name : (entry.best?.file.name ?? ""));
    }
    throw this.#corrupt(`${faults.join(" and ")}: missing, or not as it was written`);
  }

  /**
   * Writes one.
   *
   * @param latest of an epoch that has just ended
   * @throws {DepthwiseError} `VALUES_NOT_FINITE` for a state that nobody can go on from; what the store throws, as it is
   *         or as `FILE_UNREADABLE`: the checkpoint before is untouched
   */
  async keep(
    state: TrainerState,
    position: Position,
    best: EpochOutcome | undefined,
    latest: EpochOutcome | undefined,
  ): Promise<void> {
    checkFinite(this.#run.model.name, state, this.kept);
    const keepsBest = this.#run.options.patience !== undefined && best !== undefined;
    const { model, data } = this.#run;
    const usable = this.#run.options.patience === undefined ? latest : best;
    if (usable !== undefined && latest !== undefined) {
      await this.#write("model.safetensors", encodeModel(trainedModel(model, usable.parameters, data)));
    }
    if (latest !== undefined) {
      await this.#write("history.jsonl", new TextEncoder().encode(historyLines(position.history)));
    }
    const known = this.#current?.best;
    const bestFile = !keepsBest
      ? undefined
      : known?.epoch === best.epoch
        ? known
        : {
            epoch: best.epoch,
            file: await this.#writeNew("best", encodeModel(trainedModel(model, best.parameters, data))),
          };
    const file = await this.#writeNew("state", stateBytes(state));
    const entry: StoredCheckpoint = { position, state: file, ...(bestFile === undefined ? {} : { best: bestFile }) };
    await this.#write(INDEX, indexBytes(entry, this.#current, this.#record));
    const unused = filesOf(this.#previous).filter((name) => !filesOf(this.#current, entry).includes(name));
    this.#previous = this.#current;
    this.#current = entry;
    this.#written = performance.now();
    for (const name of unused) {
      try {
        await this.#store.remove(name);
      } catch {
        // It is in nobody's way: its name is used again.
      }
    }
  }

  /** What a failure leaves, as a sentence of its advice; before there is any, nothing. */
  get kept(): string {
    if (this.#current === undefined) return "";
    // The first model is written at the end of an epoch.
    const more = this.#current.position.epoch === 0 ? "" : "; its model.safetensors can be begun from";
    return ` The last checkpoint is untouched${more}.`;
  }

  /** Whether the newest one is of this position. */
  isKept({ epoch, example }: Position): boolean {
    const { position } = this.#current ?? {};
    return position?.epoch === epoch && position.example === example;
  }

  async #writeNew(kind: CheckpointFileKind, bytes: Uint8Array): Promise<StoredFile> {
    const used = filesOf(this.#current, this.#previous);
    const name = FILE_NAMES[kind].find((each) => !used.includes(each)) ?? "";
    await this.#write(name, bytes);
    return { name, bytes: bytes.length, hash: hashOf(bytes) };
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#store.write(name, bytes);
    } catch (cause) {
      throw storeFailed("fit", this.#store, `${name} cannot be written`, cause, this.kept);
    }
  }

  async #whole({ name, bytes, hash }: StoredFile): Promise<Uint8Array | undefined> {
    const found = await readStored("fit", this.#store, name, bytes);
    return found !== undefined && found.length === bytes && hashOf(found) === hash ? found : undefined;
  }

  #corrupt(what: string): DepthwiseError {
    return new DepthwiseError("FILE_CORRUPT", {
      what: `fit: the checkpoint in ${this.where} cannot be used: ${what}`,
      advice: "Begin anew in another place, if model.safetensors is whole from that.",
      fields: { where: this.where },
    });
  }
}

function stateBytes({ tensors }: TrainerState): Uint8Array {
  return writeSafetensors([...tensors].map(([name, { shape, data }]) => ({ name, shape, data })));
}

function tensorsOf(bytes: Uint8Array): Map<string, FloatTensor> {
  const { tensors } = readSafetensors(bytes);
  return new Map(
    [...tensors].map(([name, stored]) => [name, { dtype: "float32", shape: stored.shape, data: toFloat32(stored) }]),
  );
}

function checkFinite(model: string, { tensors, updates }: TrainerState, kept: string): void {
  for (const [name, { data }] of tensors) {
    const found = data.find((value) => !Number.isFinite(value));
    if (found === undefined) continue;
    throw new DepthwiseError("VALUES_NOT_FINITE", {
      what: `fit: ${model}: after update ${updates}: "${name}"`,
      expected: "finite numbers",
      found: String(found),
      advice: `Lower the learning rate, or pass clipNorm. No checkpoint was written.${kept}`,
      fields: { parameter: name, layer: name.replace(/^.*\(|\/.*$/g, ""), found },
    });
  }
}
