/** The epochs of a run: steps over batches, what follows each epoch, and where it goes on after a stop. */

import { DepthwiseError } from "../../core/errors.ts";
import type { FloatTensor } from "../../core/tensor.ts";
import { withParameters } from "../../layers/network.ts";
import { batches } from "../data/index.ts";
import type { Trainer } from "../trainer.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { EpochRecord, EpochTime, FitEvent } from "./events.ts";
import { bestEpoch, type EpochSums, isOutOfPatience, NOTHING_YET, type Position } from "./position.ts";
import type { PreparedRun } from "./prepared.ts";
import { Progress } from "./progress.ts";
import { recalibrateBatchNorm } from "./recalibrate.ts";
import { type EpochOutcome, type Validated, validate } from "./validate.ts";

/** Averages get their statistics from so many examples at most: means of a sample, at a share of the time. */
const MEASURED_EXAMPLES = 4096;

export interface RunningTrainer {
  readonly run: PreparedRun;
  readonly trainer: Trainer;
  readonly checkpoints: Checkpoints | undefined;
  readonly emit: (event: FitEvent) => void;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

/** How far a run has come, and what it has found; replaced as it goes on. */
export interface RunState {
  position: Position;
  best: EpochOutcome | undefined;
  latest: EpochOutcome | undefined;
}

/**
 * Trains until the last epoch, or until patience ends.
 *
 * @param state where to begin; when it throws, it is where the run was
 * @throws what steps, data, validation and checkpoints throw; `signal.reason`, of which no checkpoint is written here
 */
export async function trainEpochs(running: RunningTrainer, state: RunState): Promise<"early" | undefined> {
  const { epochs, patience } = running.run.options;
  const progress = new Progress();
  while (state.position.epoch < epochs) {
    if (isOutOfPatience(state.position.history, patience)) return "early";
    await trainEpoch(running, state, progress);
    await endEpoch(running, state, progress);
  }
  return undefined;
}

async function trainEpoch(running: RunningTrainer, state: RunState, progress: Progress): Promise<void> {
  const { run, trainer, checkpoints, emit, signal } = running;
  const { data, options, stepsPerEpoch } = run;
  const { epoch } = state.position;
  const reading = { ...readingOf(run), augment: options.augment, seed: options.trainer.seed };
  const { input } = options;
  const { example: position } = state.position;
  const all = batches(data, { input, batch: run.batch, epoch, position, signal, ...reading });
  let last = performance.now();
  for await (const { x, labels, targets, count, skipped, waited, next, release } of all) {
    for (const each of skipped) emit({ type: "skipped", of: "training", ...each });
    const isTrainable = count > 0 && trainer.canStep(count);
    const before = state.position.sums;
    let sums: EpochSums = { ...before, skipped: before.skipped + skipped.length };
    if (isTrainable) {
      const done = await trainer.step(x, labels ?? targets ?? []);
      sums = {
        ...sums,
        steps: before.steps + 1,
        examples: before.examples + count,
        loss: before.loss + done.loss * count,
        correct: before.correct + done.correct,
        gradientNorm: before.gradientNorm + done.gradientNorm,
        learningRate: done.learningRate,
      };
    } else {
      // The last one of its batch that could be read: statistics of one value say nothing.
      sums = { ...sums, skipped: sums.skipped + count };
    }
    release();
    const now = performance.now();
    progress.took(now - last);
    sums = { ...sums, milliseconds: before.milliseconds + now - last, waited: before.waited + waited };
    last = now;
    state.position = { ...state.position, example: next, updates: trainer.updates, sums };
    const step = Math.ceil(next / run.batch);
    if (progress.isDue(now, step === stepsPerEpoch) && sums.examples > 0) {
      const ends = options.epochs - epoch;
      emit({
        type: "progress",
        epoch: epoch + 1,
        epochs: options.epochs,
        step,
        steps: stepsPerEpoch,
        loss: sums.loss / sums.examples,
        accuracy: sums.correct / sums.examples,
        learningRate: sums.learningRate,
        imagesPerSecond: rateOf(sums),
        remainingSeconds: progress.remainingSeconds(ends * stepsPerEpoch - step, ends),
      });
    }
    signal.throwIfAborted();
    if (checkpoints?.isDue() === true) {
      await keep(running, state, undefined);
      signal.throwIfAborted();
      // What is written is not trained.
      last = performance.now();
    }
  }
}

async function endEpoch(running: RunningTrainer, state: RunState, progress: Progress): Promise<void> {
  const { run, emit, signal } = running;
  const start = performance.now();
  const { epoch, sums, history } = state.position;
  if (sums.examples === 0) throw nothingTrained(run, epoch);
  const parameters = await usableParameters(running);
  const validated = run.validation === undefined ? undefined : await validateOn(running, parameters, epoch + 1);
  signal.throwIfAborted();
  const result = {
    epoch: epoch + 1,
    loss: sums.loss / sums.examples,
    accuracy: sums.correct / sums.examples,
    learningRate: sums.learningRate,
    gradientNorm: sums.gradientNorm / sums.steps,
    examples: sums.examples,
    skipped: sums.skipped,
    ...(validated === undefined ? {} : { validation: validated.result }),
  };
  const time: EpochTime = {
    seconds: (sums.milliseconds + performance.now() - start) / 1000,
    imagesPerSecond: rateOf(sums),
    waitedForData: Math.min(1, sums.waited / Math.max(sums.milliseconds, LEAST_MS)),
  };
  const unmarked: EpochRecord = { ...result, isBest: false, time };
  const isBest = bestEpoch([...history, unmarked]) === unmarked;
  const record: EpochRecord = { ...result, isBest, time };
  const candidate: EpochOutcome = { epoch: epoch + 1, parameters, validated };
  state.latest = candidate;
  if (isBest) state.best = candidate;
  state.position = {
    epoch: epoch + 1,
    example: 0,
    updates: state.position.updates,
    sums: NOTHING_YET,
    history: [...history, record],
  };
  emit({ type: "epoch", epochs: run.options.epochs, ...result, isBest, ...time });
  await keep(running, state, candidate);
  progress.endTook(performance.now() - start);
}

/**
 * Writes a checkpoint, where there is a place for it and it is not there yet.
 *
 * @throws what `Checkpoints.keep` throws
 */
export async function keep(
  { trainer, checkpoints, emit }: RunningTrainer,
  { position, best }: RunState,
  latest: EpochOutcome | undefined,
): Promise<void> {
  if (checkpoints === undefined || (latest === undefined && checkpoints.isKept(position))) return;
  await checkpoints.keep(await trainer.state(), position, best, latest);
  emit({ type: "checkpoint", epoch: position.epoch + 1, where: checkpoints.where });
}

/** Parameters as they are to be used: those of the last step, or their averages with statistics of their own. */
export async function usableParameters({
  run,
  trainer,
  signal,
}: RunningTrainer): Promise<ReadonlyMap<string, FloatTensor>> {
  const { model, options, data, batch } = run;
  if (!options.average) return trainer.parameters();
  const { backend, simd, worker, threads, seed } = options.trainer;
  const averages = withParameters(model, await trainer.averages());
  const measured = await recalibrateBatchNorm(averages, data, {
    batch,
    backend,
    simd,
    threads,
    seed,
    signal,
    examples: Math.min(data.size, MEASURED_EXAMPLES),
    ...readingOf(run),
    ...(worker === undefined ? {} : { worker }),
  });
  return measured.parameters;
}

/**
 * @param epoch whose parameters they are, counted from 1
 * @throws {DepthwiseError} `VALUES_NOT_FINITE`; what `validate` throws
 */
export async function validateOn(
  { run, trainer, checkpoints, emit, signal }: RunningTrainer,
  parameters: ReadonlyMap<string, FloatTensor>,
  epoch: number,
): Promise<Validated | undefined> {
  const { validation, options } = run;
  if (validation === undefined) return undefined;
  const { input, classes } = options;
  const validated = await validate(trainer, validation, {
    input,
    classes,
    parameters,
    reading: readingOf(run),
    signal,
    onSkipped: (example) => emit({ type: "skipped", of: "validation", ...example }),
  });
  const { loss } = validated.result;
  if (Number.isFinite(loss)) return validated;
  const broken = [...parameters].find(([, { data }]) => !data.every(Number.isFinite))?.[0];
  throw new DepthwiseError("VALUES_NOT_FINITE", {
    what: `fit: ${run.model.name}: validation of epoch ${epoch}: loss${broken === undefined ? "" : `, by "${broken}"`}`,
    expected: "a finite number",
    found: String(loss),
    advice: `Lower the learning rate, or pass clipNorm.${checkpoints?.kept ?? ""}`,
    fields: { epoch, loss, parameter: broken },
  });
}

/** Clocks of browsers stand still for a while. */
const LEAST_MS = 0.001;

function rateOf({ examples, milliseconds }: EpochSums): number {
  return (1000 * examples) / Math.max(milliseconds, LEAST_MS);
}

function readingOf({ options }: PreparedRun) {
  const { prefetch, concurrency, maxPixels, onUnreadable } = options;
  return {
    onUnreadable,
    ...(prefetch === undefined ? {} : { prefetch }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(maxPixels === undefined ? {} : { maxPixels }),
  };
}

function nothingTrained({ data }: PreparedRun, epoch: number): DepthwiseError {
  return new DepthwiseError("IMAGE_UNREADABLE", {
    what: `fit: epoch ${epoch + 1}: none of the ${data.size} examples could be used`,
    advice: "The events of type skipped say what is wrong with each.",
    fields: { epoch: epoch + 1, examples: data.size },
  });
}
