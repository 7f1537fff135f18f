/** From pictures to the rows of a part: read and decode ahead, run in batches, write in order. */

import { best, softmax } from "../classify/best.ts";
import { inOrder } from "../classify/in-order.ts";
import type { Prediction } from "../classify/index.ts";
import { Breath } from "../core/breath.ts";
import { DepthwiseError, InternalError, isDepthwiseError } from "../core/errors.ts";
import { allocated } from "../core/memory.ts";
import type { CompletePreprocessing } from "../core/preprocessing.ts";
import { systemCode } from "../core/realms.ts";
import { elementCount, type FloatTensor } from "../core/tensor.ts";
import { decodeHeld } from "../images/decode.ts";
import type { PixelBudget } from "../images/pixel-budget.ts";
import type { Pixels } from "../images/pixels.ts";
import type { Session } from "../session/session.ts";
import type { CheckedBatch } from "./batch-options.ts";
import type { Item } from "./item.ts";
import { OpenArchives } from "./open-archives.ts";
import type { PartFormat } from "./part.ts";
import { preprocessInTurns } from "./preprocess-in-turns.ts";
import { openRows, type PartPlace, type PartRow } from "./rows.ts";
import type { Staged } from "./staged-file.ts";

/** What rows are made with. */
export interface Pipeline
  extends Pick<CheckedBatch, "task" | "topK" | "batch" | "concurrency" | "maxPixels" | "maxErrors" | "model"> {
  readonly session: Session<string>;
  readonly ranked: "probabilities" | "logits" | undefined;
  readonly labels: readonly string[];
  readonly preprocessing: CompletePreprocessing;
  /** Of all shards that run at once. */
  readonly pixels: PixelBudget;
}

interface Reading extends Pipeline {
  readonly archives: OpenArchives;
}

export interface ShardRun {
  readonly place: PartPlace;
  readonly rows: number;
  readonly format: PartFormat;
  readonly mostErrors: number;
  readonly signal: AbortSignal | undefined;
  items(signal: AbortSignal | undefined): AsyncGenerator<Item, void, undefined>;
  onRow(done: number, errors: number): void;
}

export interface MadeRows {
  readonly files: readonly Staged[];
  readonly errors: Readonly<Record<string, number>>;
  /** Of the lines. */
  readonly sha256: string;
  readonly seconds: { readonly decode: number; readonly resize: number; readonly network: number };
}

/**
 * @throws {DepthwiseError} `TOO_MANY_ERRORS`; `FILE_UNREADABLE` if files cannot be written; what reading the list throws;
 *         `signal.reason`. Nothing is left then.
 */
export async function runRows(pipeline: Pipeline, shard: ShardRun): Promise<MadeRows> {
  const shape = { task: pipeline.task, rows: shard.rows, features: featuresOf(pipeline) };
  const writer = await openRows(shard.format, shard.place, shape);
  const archives = new OpenArchives();
  try {
    return await written({ ...pipeline, archives }, shard, writer);
  } catch (error) {
    await writer.abandon();
    throw error;
  } finally {
    await archives.close();
  }
}

function featuresOf({ model, task }: Pipeline): number {
  return task === "labels" ? 0 : elementCount(model.shapes.get(model.outputs["embedding"] ?? "") ?? []);
}

async function written(
  pipeline: Reading,
  { items, rows, mostErrors, signal, onRow }: ShardRun,
  writer: Awaited<ReturnType<typeof openRows>>,
): Promise<MadeRows> {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const errors: Record<string, number> = {};
  const spent = { decode: 0, resize: 0, network: 0 };
  let failed = 0;
  const work = {
    concurrency: pipeline.concurrency,
    batch: pipeline.batch,
    prepare: (item: Item, stop: AbortSignal) => inputOf(item, pipeline, spent, stop),
    run: (inputs: readonly Float32Array[], stop: AbortSignal) => answersOf(inputs, pipeline, spent, stop),
    isKept: isOfPicture,
  };
  for await (const { index, item, ...became } of inOrder(items(signal), work, signal)) {
    hash.update(item.line).update("\n");
    const { id } = item;
    if ("error" in became) {
      const error = typed(became.error, id);
      errors[error.code] = (errors[error.code] ?? 0) + 1;
      if (++failed > mostErrors) throw tooMany(failed, index + 1, rows, errors, error);
      await writer.write({ id, error });
    } else await writer.write({ id, ...became.result });
    onRow(index + 1, failed);
  }
  return {
    files: await writer.finish(),
    errors: Object.fromEntries(Object.entries(errors).sort(([a], [b]) => (a < b ? -1 : 1))),
    sha256: hash.digest("hex"),
    seconds: { decode: rounded(spent.decode), resize: rounded(spent.resize), network: rounded(spent.network) },
  };
}

interface Spent {
  decode: number;
  resize: number;
  network: number;
}

async function inputOf(item: Item, pipeline: Reading, spent: Spent, signal: AbortSignal): Promise<Float32Array> {
  if (item.error !== undefined) throw item.error;
  const started = performance.now();
  const { image } = item;
  const source = typeof image === "string" || image instanceof URL ? image : await pipeline.archives.picture(image);
  const { maxPixels, preprocessing, pixels: budget } = pipeline;
  const toInput = async (pixels: Pixels): Promise<Float32Array> => {
    const decoded = performance.now();
    // Pictures that are decoded at once come at once, and a large one takes long to resize: not several in one turn.
    const breath = new Breath(started);
    while (breath.isDue) await breath.take();
    signal.throwIfAborted();
    const begun = performance.now();
    const input = await preprocessInTurns(pixels, preprocessing);
    spent.decode += decoded - started;
    spent.resize += performance.now() - begun;
    return input;
  };
  return decodeHeld(source, { signal, ...(maxPixels === undefined ? {} : { maxPixels }) }, toInput, budget);
}

type PictureAnswer = Pick<PartRow, "predictions" | "embedding">;

async function answersOf(
  inputs: readonly Float32Array[],
  { session, model, task, ranked, labels, topK }: Pipeline,
  spent: Spent,
  signal: AbortSignal,
): Promise<readonly PictureAnswer[]> {
  const size = elementCount(model.inputShape);
  const advice = "Pass a smaller batch.";
  const bytes = 4 * inputs.length * size;
  const joined = allocated("batch: the inputs of a run", bytes, advice, () => new Float32Array(inputs.length * size));
  for (const [place, input] of inputs.entries()) joined.set(input, place * size);
  const started = performance.now();
  const results = await session.run(joined, { signal });
  spent.network += performance.now() - started;
  const rowOf = (output: string, place: number): Float32Array => {
    const { data } = results[output] as FloatTensor;
    const width = data.length / inputs.length;
    return data.slice(place * width, (place + 1) * width);
  };
  return inputs.map((_, place): PictureAnswer => {
    const predictions = ranked === undefined ? undefined : rankedIn(rowOf(ranked, place), ranked, labels, topK);
    return {
      ...(predictions && { predictions }),
      ...(task === "labels" ? {} : { embedding: rowOf("embedding", place) }),
    };
  });
}

function rankedIn(
  row: Float32Array,
  ranked: "probabilities" | "logits",
  labels: readonly string[],
  topK: number,
): readonly Prediction[] {
  return best(ranked === "logits" ? softmax(row) : row, labels, topK);
}

/** Not a package that no picture could be read with, nor memory, nor files that a process may not open, nor our own fault. */
function isOfPicture(error: unknown): boolean {
  if (error instanceof InternalError) return false;
  if (["ENOMEM", "EMFILE", "ENFILE"].includes(systemCode(causeOf(error)) ?? "")) return false;
  return !(isDepthwiseError(error) && ["PACKAGE_MISSING", "MEMORY_EXCEEDED"].includes(error.code));
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

function typed(cause: unknown, id: string): DepthwiseError {
  if (isDepthwiseError(cause)) return cause;
  return new DepthwiseError("IMAGE_UNREADABLE", {
    what: `${id}: it cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
    advice: "Pass a path or an address of an image file.",
    cause,
  });
}

function tooMany(
  failed: number,
  seen: number,
  rows: number,
  errors: Readonly<Record<string, number>>,
  last: DepthwiseError,
): DepthwiseError {
  const codes = Object.entries(errors).map(([code, count]) => `${code} ${count}`);
  return new DepthwiseError("TOO_MANY_ERRORS", {
    what: `batch: ${failed} of the first ${seen} pictures of a shard of ${rows} cannot be read (${codes.join(", ")})`,
    advice: `The last: ${last.message} If that is as it should be, allow more: --max-errors.`,
    fields: { failed, seen, rows, errors },
    cause: last,
  });
}

/** Seconds, to the millisecond. */
export function rounded(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
