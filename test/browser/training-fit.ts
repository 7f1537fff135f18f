/** A short run of `fit`, to be stopped and resumed; run in Node, in a page and in its worker. */

import { mobileNetV1, type Network, tensor } from "depthwise";
import { arrays, type CheckpointStore, type FitEvent, fit, indexedDbStore, oneCycle } from "depthwise/train";
import { parametersHash } from "./training-steps.ts";

export interface FitAsked {
  readonly type: "fit";
  readonly threads: number;
  /** Of the store; without one nothing is kept. */
  readonly store?: string;
  /** Default 3. */
  readonly epochs?: number;
  /** Ends the run at the first report after so many steps. */
  readonly stopAfter?: number;
}

export interface Fitted {
  readonly sha256: string;
  /** Without times. */
  readonly history: string;
  readonly events: readonly string[];
  /** Why it ended before its end. */
  readonly stopped?: string;
  readonly threads: number;
}

const EXAMPLES = 300;
const SIDE = 28;
const CLASSES = 5;

/** Strokes, a direction a class, with noise. */
function pictures(): Uint8Array {
  let state = 9;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  return Uint8Array.from({ length: EXAMPLES * SIDE * SIDE }, (_, i) => {
    const [y, x] = [Math.floor(i / SIDE) % SIDE, i % SIDE];
    const label = Math.floor(i / (SIDE * SIDE)) % CLASSES;
    const isInk = [x % 7 < 2, y % 7 < 2, (x + y) % 7 < 2, (x - y + SIDE) % 7 < 2, x % 7 < 2 && y % 7 < 2][label];
    return (noise() >> 1) + (isInk ? 100 : 0);
  });
}

export async function fitShortly(
  { threads, store, stopAfter, epochs = 3 }: Omit<FitAsked, "type">,
  tell: (event: FitEvent["type"]) => void = () => {},
): Promise<Fitted> {
  const model: Network = mobileNetV1({
    alpha: 0.25,
    inputSize: [SIDE, SIDE],
    inputChannels: 1,
    stem: { stride: 1, filters: 32 },
    shallow: true,
    classes: CLASSES,
    dropout: 0.1,
  });
  const labels = Array.from({ length: EXAMPLES }, (_, i) => i % CLASSES);
  const data = arrays(tensor(pictures(), [EXAMPLES, SIDE, SIDE, 1]), labels, { classes: CLASSES });
  const stopping = new AbortController();
  const checkpoint: CheckpointStore | undefined = store === undefined ? undefined : indexedDbStore(store);
  const run = fit(model, data, {
    epochs,
    batch: 16,
    schedule: oneCycle({ peak: 0.05 }),
    validation: 0.2,
    averageDecay: 0.9,
    augment: { paddedCrop: { padding: 2 }, mixup: { alpha: 0.2 } },
    simd: "plain",
    threads,
    signal: stopping.signal,
    ...(checkpoint === undefined ? {} : { checkpoint, resume: true, checkpointSeconds: 0.2 }),
  });
  const events: FitEvent["type"][] = [];
  let [reached, used] = [0, 0];
  const ended = run.done.then(
    (result) => ({ result, stopped: undefined }),
    (error: unknown) => {
      if (!stopping.signal.aborted) throw error;
      return { result: undefined, stopped: (error as Error).name };
    },
  );
  // A loop that is left by an error asks no more for this one.
  ended.catch(() => {});
  for await (const event of run) {
    if (events.at(-1) !== event.type) events.push(event.type);
    tell(event.type);
    if (event.type === "started") used = event.threads;
    if (event.type !== "progress") continue;
    reached = (event.epoch - 1) * event.steps + event.step;
    if (reached >= (stopAfter ?? Number.POSITIVE_INFINITY)) stopping.abort();
  }
  const { result, stopped } = await ended;
  const history = JSON.stringify(result?.history.map(({ time: _, ...record }) => record) ?? []);
  const sha256 = result === undefined ? "" : await parametersHash(result.model.parameters);
  return { sha256, history, events, threads: used, ...(stopped === undefined ? {} : { stopped }) };
}
