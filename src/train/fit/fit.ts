/** `fit`: trains a network on data, over epochs, and says how it goes. */

import { type DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import { anyOf, untilAborted } from "../../core/until-aborted.ts";
import type { Network } from "../../layers/network.ts";
import { createTrainer } from "../create-trainer.ts";
import type { Awaitable } from "../data/dataset.ts";
import type { Dataset, Examples } from "../data/index.ts";
import { Checkpoints, type RunCheckpoint } from "./checkpoints.ts";
import { keep, type RunningTrainer, type RunState, trainEpochs, usableParameters, validateOn } from "./epochs.ts";
import type { FitEvent, FitResult } from "./events.ts";
import { type CheckedFitOptions, checkFitOptions, type FitOptions } from "./fit-options.ts";
import { type FitRun, fitRun } from "./fit-run.ts";
import { holdStore } from "./held-store.ts";
import { bestEpoch, START } from "./position.ts";
import { prepareRun } from "./prepared.ts";
import { stepFault } from "./step-fault.ts";
import { openStore, refuseKept } from "./stored.ts";
import { trainedModel } from "./trained-model.ts";
import { confusionRows } from "./validate.ts";

/**
 * Trains a network on data.
 *
 *     for await (const event of fit(model, data, { epochs: 30, validation: 0.1, checkpoint: "runs/a" })) console.log(event);
 *     const { model: trained, history } = await fit(model, data, options).done;
 *
 * The network's own parameters are where it starts from, and stay as they are. They are read when the run begins: change
 * them only after the event `started`. Nothing is drawn: what comes out depends on
 * network, data and options alone, not on threads, prefetch, or whether it was stopped and resumed.
 *
 * @param data a data set, or an iterable of `{ image, label }`, whose classes are those of the network, by the same
 *             names in the same order; a network without labels takes theirs. Classes without names (0, 1, 2, …) go by
 *             their numbers. `validation` likewise
 * @throws {DepthwiseError} `OPTION_INVALID`, `NETWORK_INVALID`, `NAME_UNKNOWN` at the call. The run rejects with
 *         `CLASSES_MISMATCH`, `OPTION_INVALID` for data that cannot be trained on; `VALUES_NOT_FINITE`, with the first
 *         layer whose numbers are not; `CHECKPOINT_MISMATCH`, `CHECKPOINT_IN_USE`; what `createTrainer`, `batches` and
 *         the store throw; `signal.reason`
 */
export function fit(model: Network, data: Awaitable<Dataset | Examples>, options: FitOptions = {}): FitRun {
  const checked = checkFitOptions(model, options);
  return fitRun((emit, leaving) => run(model, data, checked, emit, leaving));
}

async function run(
  model: Network,
  given: Awaitable<Dataset | Examples>,
  options: CheckedFitOptions,
  emit: (event: FitEvent) => void,
  leaving: AbortSignal,
): Promise<FitResult> {
  const { signal, forget } = anyOf([options.signal, leaving]);
  try {
    signal.throwIfAborted();
    return await trained(model, given, options, emit, signal);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    emit({ type: "stopped", reason: "signal" });
    throw signal.reason;
  } finally {
    forget();
  }
}

async function trained(
  model: Network,
  given: Awaitable<Dataset | Examples>,
  options: CheckedFitOptions,
  emit: (event: FitEvent) => void,
  signal: AbortSignal,
): Promise<FitResult> {
  const run = await prepareRun(model, given, options, signal);
  const held = options.checkpoint === undefined ? undefined : await holdStore(openStore(options.checkpoint), signal);
  try {
    const store = held?.store;
    const checkpoints = store === undefined ? undefined : new Checkpoints(store, run);
    const looking = options.resume ? checkpoints?.read() : store && refuseKept("fit", store);
    const checkpoint = await untilAborted(Promise.resolve(looking), signal);
    const { batch, schedule } = run;
    const trainer = await createTrainer(model, { ...options.trainerOptions, batch, schedule, signal });
    try {
      trainer.checkBatch("fit", batch);
      if (run.data.size % batch !== 0) trainer.checkBatch("fit", run.data.size % batch);
      emit({ type: "started", ...trainer.explain() });
      return await runFrom({ run, trainer, checkpoints, emit, signal }, checkpoint);
    } finally {
      trainer.close();
    }
  } finally {
    await held?.release();
  }
}

/** Losses of a worker that are borne without a step in between. */
const MOST_LOSSES = 3;

async function runFrom(running: RunningTrainer, from: RunCheckpoint | undefined): Promise<FitResult> {
  const { checkpoints, signal } = running;
  let state = from === undefined ? beginning() : await goOn(running, from);
  let losses = 0;
  let reached = -1;
  for (;;) {
    try {
      const stopped = await trainEpochs(running, state);
      return await finished(running, state, stopped);
    } catch (error) {
      if (signal.aborted) {
        // If this fails, it is what the caller hears of.
        if (!isLost(error)) await keep(running, state, undefined);
        throw signal.reason;
      }
      if (!isLost(error)) throw stepFault(error, running);
      losses = state.position.updates > reached ? 1 : losses + 1;
      reached = Math.max(reached, state.position.updates);
      const reading = losses > MOST_LOSSES ? undefined : checkpoints?.read();
      const last = await untilAborted(Promise.resolve(reading), signal);
      if (last === undefined) throw error;
      state = await goOn(running, last, error);
    }
  }
}

function isLost(error: unknown): error is DepthwiseError {
  return isDepthwiseError(error) && error.code === "WORKER_LOST";
}

function beginning(): RunState {
  return { position: START, best: undefined, latest: undefined };
}

async function goOn(
  { trainer, emit }: RunningTrainer,
  { position, state, best }: RunCheckpoint,
  error?: DepthwiseError,
): Promise<RunState> {
  await trainer.restore(state);
  const { epoch, example } = position;
  emit({ type: "resumed", epoch: epoch + 1, example, ...(error === undefined ? {} : { error }) });
  return { position, best, latest: undefined };
}

async function finished(
  running: RunningTrainer,
  { position, best, latest }: RunState,
  stopped: "early" | undefined,
): Promise<FitResult> {
  const { run, emit } = running;
  const { history } = position;
  const chosen = run.options.patience === undefined ? latest : best;
  const parameters = chosen?.parameters ?? (await usableParameters(running));
  const validated = chosen?.validated ?? (await validateOn(running, parameters, chosen?.epoch ?? position.epoch));
  if (stopped !== undefined) emit({ type: "stopped", reason: stopped });
  const record = bestEpoch(history);
  const confusion = validated === undefined ? undefined : confusionRows(validated, run.options.classes);
  return {
    model: trainedModel(run.model, parameters, run.data),
    history,
    ...(record === undefined ? {} : { best: record.epoch }),
    ...(confusion === undefined ? {} : { confusion }),
    ...(stopped === undefined ? {} : { stopped }),
  };
}
