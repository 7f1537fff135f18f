/** One batch: its examples read, made ready and put beside each other, those that cannot be read left out. */

import { Breath } from "../../core/breath.ts";
import type { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import { untilAborted } from "../../core/until-aborted.ts";
import { decodeHeld } from "../../images/decode.ts";
import { PIXELS_AT_ONCE, pixelBudget } from "../../images/pixel-budget.ts";
import { isImageFault } from "../image-fault.ts";
import type { CompleteBatchesOptions } from "./batch-options.ts";
import { labelOf } from "./check-dataset.ts";
import { type Awaitable, type Dataset, isLater, later } from "./dataset.ts";
import { drawMixing } from "./draws.ts";
import { type Example, isImageFile, isPixelImage, type PixelImage, placeName } from "./example.ts";
import { classOf } from "./labels.ts";
import { mixRows } from "./mixup.ts";
import { preparationOf, prepare } from "./prepare.ts";

/** An example that could not be read. */
export interface SkippedExample {
  /** Position in the data set. */
  readonly index: number;
  readonly name: string;
  readonly error: DepthwiseError;
}

export interface MadeBatch {
  readonly x: Float32Array;
  readonly labels?: Int32Array;
  readonly targets?: Float32Array;
  readonly count: number;
  readonly skipped: readonly SkippedExample[];
  /** What `x` is the beginning of. */
  readonly memory: Float32Array;
}

/** @param memory for a full batch; it is the batch's from then on */
export type MakeBatch = (indices: readonly number[], memory: Float32Array) => Promise<MadeBatch>;

export function makerOf(data: Dataset, options: CompleteBatchesOptions, signal: AbortSignal): MakeBatch {
  const { input, augment, seed, epoch, onUnreadable, maxPixels } = options;
  const preparation = preparationOf(input, augment);
  const each = input.inputShape.reduce((all, side) => all * side, 1);
  const budget = pixelBudget(PIXELS_AT_ONCE);
  const turns = turnstile(options.concurrency);
  const breath = new Breath(performance.now());
  const decoding = { signal, ...(maxPixels === undefined ? {} : { maxPixels }) };

  const put = (image: PixelImage, index: number, target: Float32Array) =>
    prepare(image, { seed, epoch, example: index }, preparation, target, data.nameAt(index));
  const use = ({ image }: Example, index: number, target: Float32Array): Awaitable<void> => {
    // Nobody writes to memory that was given up.
    signal.throwIfAborted();
    if (isPixelImage(image)) return put(image, index, target);
    return decodeHeld(image, decoding, (pixels) => put({ ...pixels, channels: 3 }, index, target), budget);
  };

  const begin = (index: number, target: Float32Array): Awaitable<void> =>
    turns(() =>
      later<unknown, void>(data.at(index, signal), (example) => use(checkedExample(example, index), index, target)),
    );

  return async (indices, memory) => {
    const errors = new Map<number, DepthwiseError>();
    const fail = (place: number, cause: unknown): void => {
      signal.throwIfAborted();
      if (onUnreadable === "throw" || !isImageFault(cause)) throw cause;
      errors.set(place, cause);
    };
    const pending: Promise<void>[] = [];
    for (const [place, index] of indices.entries()) {
      if (breath.isDue) await breath.take();
      signal.throwIfAborted();
      try {
        const work = begin(index, memory.subarray(each * place, each * (place + 1)));
        if (!isLater(work)) continue;
        const settled = untilAborted(work, signal).catch((cause: unknown) => fail(place, cause));
        // One that fails is heard of when all are waited for.
        settled.catch(() => undefined);
        pending.push(settled);
      } catch (cause) {
        fail(place, cause);
      }
    }
    await Promise.all(pending);
    return finished(indices, errors, memory);
  };

  function finished(
    indices: readonly number[],
    errors: ReadonlyMap<number, DepthwiseError>,
    memory: Float32Array,
  ): MadeBatch {
    const skipped: SkippedExample[] = [];
    const kept: number[] = [];
    for (const [place, index] of indices.entries()) {
      const error = errors.get(place);
      if (error !== undefined) {
        skipped.push({ index, name: data.nameAt(index), error });
        continue;
      }
      if (kept.length < place) memory.copyWithin(each * kept.length, each * place, each * (place + 1));
      kept.push(index);
    }
    const count = kept.length;
    const made = { x: memory.subarray(0, each * count), count, skipped, memory };
    const mixup = augment?.mixup;
    if (data.labelType === "indices" && mixup === undefined) {
      return { ...made, labels: Int32Array.from(kept, (index) => classOf(labelOf(data, index))) };
    }
    const targets = sharesOf(data, kept);
    if (mixup !== undefined && count > 0) {
      const mixings = Float64Array.from(kept, (example) => drawMixing({ seed, epoch, example }, mixup.alpha));
      mixRows(made.x, count, mixings);
      mixRows(targets, count, mixings);
    }
    return { ...made, targets };
  }
}

/** Of a data set of somebody's own. What is wrong with pixels is found where they are made ready. */
function checkedExample(example: unknown, index: number): Example {
  const isExample = typeof example === "object" && example !== null && "image" in example;
  if (isExample && (isPixelImage(example.image) || isImageFile(example.image))) return example as Example;
  const expected = "{ image, label, name }, with pixels or an image file";
  throw optionError("data set", `at(${index}), ${placeName(index)}`, expected, isExample ? example.image : example);
}

function sharesOf(data: Dataset, indices: readonly number[]): Float32Array {
  const classes = data.classes.length;
  const targets = new Float32Array(classes * indices.length);
  for (const [row, index] of indices.entries()) {
    const label = labelOf(data, index);
    if (typeof label === "number") targets[classes * row + label] = 1;
    else targets.set(label, classes * row);
  }
  return targets;
}

/** Lets so many work at once; the others wait, first come, first served. What is done at once takes no place. */
function turnstile(places: number) {
  const waiting: (() => void)[] = [];
  let inside = 0;
  // A place goes to the next one as it is.
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) inside--;
    else next();
  };
  const enter = (work: () => Awaitable<void>): Awaitable<void> => {
    let isOver = true;
    try {
      const working = work();
      isOver = !isLater(working);
      return isLater(working) ? working.finally(leave) : undefined;
    } finally {
      if (isOver) leave();
    }
  };
  return (work: () => Awaitable<void>): Awaitable<void> => {
    if (inside >= places) return new Promise<void>((resolve) => waiting.push(resolve)).then(() => enter(work));
    inside++;
    return enter(work);
  };
}
