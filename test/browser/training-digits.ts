/** The pilot: a MobileNet of alpha 0.25 learns digits, an epoch or more; run in Node and in a worker of a page. */

import { mobileNetV1, tensor } from "depthwise";
import { arrays, fit, indexedDbStore, oneCycle, sgd } from "depthwise/train";
import { parametersHash } from "./training-steps.ts";

/** Pictures of 28 × 28 bytes, and their labels. */
export interface Digits {
  readonly pictures: Uint8Array;
  readonly labels: Uint8Array;
}

export interface DigitsAsked {
  readonly type: "digits";
  readonly train: Digits;
  readonly test: Digits;
  readonly epochs: number;
  readonly threads: number;
  readonly store?: string;
  /** Ends the run at the first report after so many steps. */
  readonly stopAfter?: number;
  readonly simd?: "plain";
}

export interface DigitsLearnt {
  readonly sha256: string;
  readonly threads: number;
  /** Of the test digits. */
  readonly accuracy: number;
  /** Of training alone, without making the trainer and the validation. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  readonly waitedForData: number;
  readonly stopped?: string;
}

const SIDE = 28;

function dataOf({ pictures, labels }: Digits) {
  return arrays(tensor(pictures, [labels.length, SIDE, SIDE, 1]), labels, { classes: 10 });
}

export async function learnDigits(asked: Omit<DigitsAsked, "type">): Promise<DigitsLearnt> {
  const { train, test, epochs, threads, store, stopAfter, simd } = asked;
  const model = mobileNetV1({
    alpha: 0.25,
    inputSize: [SIDE, SIDE],
    inputChannels: 1,
    stem: { stride: 1, filters: 32 },
    classes: 10,
  });
  const stopping = new AbortController();
  const run = fit(model, dataOf(train), {
    epochs,
    batch: 128,
    optimizer: sgd({ momentum: 0.9, nesterov: true }),
    schedule: oneCycle({ peak: 0.2 }),
    augment: { paddedCrop: { padding: 2 } },
    validation: dataOf(test),
    threads,
    signal: stopping.signal,
    ...(simd === undefined ? {} : { simd }),
    ...(store === undefined ? {} : { checkpoint: indexedDbStore(store), resume: true }),
  });
  let used = 0;
  const ended = run.done.then(
    (result) => result,
    (error: unknown) => {
      if (!stopping.signal.aborted) throw error;
      return undefined;
    },
  );
  // A loop that is left by an error asks no more for this one.
  ended.catch(() => {});
  for await (const event of run) {
    if (event.type === "started") used = event.threads;
    if (event.type !== "progress" || stopAfter === undefined) continue;
    if ((event.epoch - 1) * event.steps + event.step >= stopAfter) stopping.abort();
  }
  const result = await ended;
  if (result === undefined) {
    const none = { sha256: "", accuracy: 0, imagesPerSecond: 0, seconds: 0, waitedForData: 0 };
    return { ...none, threads: used, stopped: "AbortError" };
  }
  const last = result.history.at(-1);
  return {
    sha256: await parametersHash(result.model.parameters),
    threads: used,
    accuracy: last?.validation?.accuracy ?? 0,
    imagesPerSecond: last?.time.imagesPerSecond ?? 0,
    seconds: result.history.reduce((sum, { time }) => sum + time.seconds, 0),
    waitedForData: last?.time.waitedForData ?? 0,
  };
}
