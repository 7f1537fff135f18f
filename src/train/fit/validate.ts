/** What a network says of a whole data set. */

import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import type { FloatTensor } from "../../core/tensor.ts";
import { batches, type Dataset, type SkippedExample } from "../data/index.ts";
import { bestOf } from "../labels.ts";
import type { Trainer } from "../trainer.ts";
import type { ValidationResult } from "./events.ts";

export interface ValidateOptions {
  readonly input: CompletePreprocessing;
  readonly classes: number;
  /** In place of those of the trainer. They stay as they are. */
  readonly parameters?: ReadonlyMap<string, FloatTensor> | undefined;
  /** What `batches` takes. */
  readonly reading: {
    readonly prefetch?: number;
    readonly concurrency?: number;
    readonly maxPixels?: number;
    readonly onUnreadable: "skip" | "throw";
  };
  readonly signal: AbortSignal;
  readonly onSkipped: (example: SkippedExample) => void;
}

export interface Validated {
  readonly result: ValidationResult;
  /** `[classes][classes]`: rows are labels, columns what was said. None of more classes than a table is good for. */
  readonly confusion: Uint32Array | undefined;
}

/** 16 MiB. Of 24,000 classes it would be gigabytes. */
const MOST_CLASSES = 2048;

/** As callers have it. */
export function confusionRows({ confusion }: Validated, classes: number): readonly (readonly number[])[] | undefined {
  if (confusion === undefined) return undefined;
  return Array.from({ length: classes }, (_, label) => [...confusion.subarray(label * classes, (label + 1) * classes)]);
}

/** What an epoch has led to: parameters as they are to be used. */
export interface EpochOutcome {
  readonly epoch: number;
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  /** Of a run that was resumed it is not known. */
  readonly validated?: Validated | undefined;
}

/** @throws what `batches` and `Trainer.evaluate` do; `signal.reason` */
export async function validate(trainer: Trainer, data: Dataset, options: ValidateOptions): Promise<Validated> {
  const { input, classes, parameters, reading, signal, onSkipped } = options;
  const confusion = classes > MOST_CLASSES ? undefined : new Uint32Array(classes * classes);
  let [loss, correct, correctOf5, examples] = [0, 0, 0, 0];
  const all = batches(data, { input, batch: trainer.batch, shuffle: false, signal, ...reading });
  for await (const { x, labels, targets, count, skipped, release } of all) {
    for (const example of skipped) onSkipped(example);
    const given = labels ?? targets;
    if (count > 0 && given !== undefined) {
      const said = await trainer.evaluateWith(x, given, parameters);
      loss += said.loss * count;
      correct += said.correct;
      correctOf5 += said.correctOf5;
      examples += count;
      for (let n = 0; n < count; n++) {
        const label = labels?.[n] ?? (targets === undefined ? 0 : bestOf(targets, n, classes));
        const at = label * classes + bestOf(said.logits.data, n, classes);
        if (confusion !== undefined) confusion[at] = (confusion[at] ?? 0) + 1;
      }
    }
    release();
    signal.throwIfAborted();
  }
  const result = { loss: loss / examples, accuracy: correct / examples, top5: correctOf5 / examples, examples };
  return { result, confusion };
}
