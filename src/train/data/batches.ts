/**
 * An epoch in batches, made ahead of the step.
 *
 * Image files are read and decoded in parallel, in Node on threads of the decoder's own, while the step runs. What is
 * pixels already is made on this thread: a batch of 128 of MNIST's pictures takes 0.8 ms of a step of 20, cropped and
 * flipped as well, less than a worker could give back. What comes out depends on data, seed, epoch and batch alone, not
 * on how far ahead it is made, or how many at once.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { allocated } from "../../core/memory.ts";
import { onAbort, untilAborted } from "../../core/until-aborted.ts";
import { type BatchesOptions, type CompleteBatchesOptions, checkBatches } from "./batch-options.ts";
import type { Dataset } from "./dataset.ts";
import { type MadeBatch, makerOf, type SkippedExample } from "./make-batch.ts";
import { shuffledOrder } from "./randomness.ts";

/** A step's worth of examples. */
export interface Batch {
  /** `[count, height, width, channels]`, the network's input. */
  readonly x: Float32Array;
  /** Class indices; absent where there are `targets`. */
  readonly labels?: Int32Array;
  /** `[count, classes]`, shares that add to 1: where labels are such, or are mixed. */
  readonly targets?: Float32Array;
  /** How many examples it has: fewer than `batch` in the last one, and where some were skipped; 0 if all of them were. */
  readonly count: number;
  /** What could not be read. */
  readonly skipped: readonly SkippedExample[];
  readonly epoch: number;
  /** Where it begins in its epoch, in examples, those skipped included. */
  readonly position: number;
  /** Where the next one begins: what `position` is to be for the rest of the epoch. */
  readonly next: number;
  /** How long it was waited for, in ms, since it was asked for. */
  readonly waited: number;
  /** Gives `x` back to be filled anew: it is not read after that. Without this it stays the caller's. */
  release(): void;
}

/**
 * The batches of one epoch, from a position on. Arguments are checked at the call; the first example is read when the
 * first batch is asked for. A loop that is left early leaves nothing running but what cannot be interrupted.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`, `CLASSES_MISMATCH`, see `BatchesOptions.shuffle`; when a batch is made,
 *         `SHAPE_MISMATCH` for float32 that are not of the network's input, `IMAGE_UNREADABLE` if no picture of a whole
 *         epoch could be read, with the first one's error as cause, and what reading throws where it is not of one picture
 *         (`PACKAGE_MISSING`), or `onUnreadable` is `"throw"`; `signal.reason`
 */
export function batches(data: Dataset, options: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
  return generate(data, checkBatches(data, options));
}

async function* generate(data: Dataset, options: CompleteBatchesOptions): AsyncGenerator<Batch, void, undefined> {
  const { batch, epoch, prefetch, seed, shuffle, signal } = options;
  signal?.throwIfAborted();
  const stopping = new AbortController();
  const forget = signal === undefined ? () => {} : onAbort(signal, () => stopping.abort(signal.reason));
  const order = shuffle ? shuffledOrder(seed, epoch, data.size) : undefined;
  const { take, give } = pool(batch * options.input.inputShape.reduce((all, side) => all * side, 1));
  const make = makerOf(data, options, stopping.signal);
  const ahead: Promise<MadeBatch>[] = [];
  let begun = options.position;
  let used = 0;
  let firstSkipped: SkippedExample | undefined;
  const begin = () => {
    const places = Array.from({ length: Math.min(batch, data.size - begun) }, (_, k) => begun + k);
    const made = make(
      places.map((place) => order?.[place] ?? place),
      take(),
    );
    // Whoever waits for it hears of it; until then it is nobody's.
    made.catch(() => undefined);
    ahead.push(made);
    begun += places.length;
  };
  try {
    for (let position = options.position; position < data.size; ) {
      stopping.signal.throwIfAborted();
      const asked = performance.now();
      while (ahead.length <= prefetch && begun < data.size) begin();
      const head = ahead.shift();
      if (head === undefined) return;
      const { memory, ...made } = await untilAborted(head, stopping.signal);
      const next = Math.min(position + batch, data.size);
      used += made.count;
      firstSkipped ??= made.skipped[0];
      if (next === data.size && used === 0 && options.position === 0) throw nothingReadable(data.size, firstSkipped);
      let isGiven = false;
      const release = () => {
        if (!isGiven) give(memory);
        isGiven = true;
      };
      yield { ...made, epoch, position, next, waited: performance.now() - asked, release };
      position = next;
    }
  } finally {
    forget();
    stopping.abort(new DOMException("The batches were left.", "AbortError"));
    await Promise.allSettled(ahead);
  }
}

/** Memory of batches that was given back. */
function pool(length: number) {
  const free: Float32Array[] = [];
  const make = () => new Float32Array(length);
  return {
    take: () => free.pop() ?? allocated("batches: a batch", 4 * length, "Pass a smaller batch, or prefetch.", make),
    give: (memory: Float32Array) => {
      free.push(memory);
    },
  };
}

function nothingReadable(size: number, first: SkippedExample | undefined): DepthwiseError {
  return new DepthwiseError("IMAGE_UNREADABLE", {
    what: `batches: none of the ${size.toLocaleString("en-US")} pictures can be read; the first is ${first?.name}`,
    advice: "The cause says what is wrong with that one.",
    fields: { examples: size, index: first?.index, name: first?.name },
    cause: first?.error,
  });
}
