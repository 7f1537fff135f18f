/** `fit`: trains a network on data, over epochs, and says how it goes. */

import type { FloatTensor } from "../../core/tensor.ts";
import { onAbort } from "../../core/until-aborted.ts";
import { type Network, withInfo, withParameters } from "../../layers/network.ts";
import { createTrainer } from "../create-trainer.ts";
import type { Awaitable } from "../data/dataset.ts";
import type { Dataset, Examples } from "../data/index.ts";
import { type RunningTrainer, type RunState, trainEpochs, validateOn } from "./epochs.ts";
import type { FitEvent, FitResult } from "./events.ts";
import { type CheckedFitOptions, checkFitOptions, type FitOptions } from "./fit-options.ts";
import { type FitRun, fitRun } from "./fit-run.ts";
import { bestEpoch, START } from "./position.ts";
import { prepareRun } from "./prepared.ts";

/**
 * Trains a network on data.
 *
 *     for await (const event of fit(model, data, { epochs: 30, validation: 0.1, checkpoint: "runs/a" })) console.log(event);
 *     const { model: trained, history } = await fit(model, data, options).done;
 *
 * The network's own parameters are where it starts from, and stay as they are. Nothing is drawn: what comes out depends on
 * network, data and options alone, not on threads, prefetch, or whether it was stopped and resumed.
 *
 * @param data a data set, or an iterable of `{ image, label }`, whose classes are those of the network, in their order
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
  const stopping = new AbortController();
  const forget = [options.trainer.signal, leaving].map((signal) =>
    signal === undefined ? () => {} : onAbort(signal, () => stopping.abort(signal.reason)),
  );
  const { signal } = stopping;
  try {
    signal.throwIfAborted();
    return await trained(model, given, options, emit, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    emit({ type: "stopped", reason: "signal" });
    throw signal.reason;
  } finally {
    for (const each of forget) each();
  }
}

async function trained(
  model: Network,
  given: Awaitable<Dataset | Examples>,
  options: CheckedFitOptions,
  emit: (event: FitEvent) => void,
  signal: AbortSignal,
): Promise<FitResult> {
  const prepared = await prepareRun(model, given, options, signal);
  const { batch, schedule } = prepared;
  const trainer = await createTrainer(model, { ...options.trainerOptions, batch, schedule, signal });
  try {
    trainer.checkBatch("fit", batch);
    if (prepared.data.size % batch !== 0) trainer.checkBatch("fit", prepared.data.size % batch);
    const running: RunningTrainer = { run: prepared, trainer, keeper: undefined, emit, signal };
    const state: RunState = { position: START, best: undefined, latest: undefined };
    const stopped = await trainEpochs(running, state);
    return await finished(running, state, stopped);
  } finally {
    trainer.close();
  }
}

async function finished(
  running: RunningTrainer,
  { position, best, latest }: RunState,
  stopped: "early" | undefined,
): Promise<FitResult> {
  const { run, trainer, emit } = running;
  const { history } = position;
  const chosen = run.options.patience === undefined ? latest : best;
  const parameters = chosen?.parameters ?? (await trainer.parameters());
  const validated = chosen?.validated ?? (await validateOn(running, parameters, position.epoch));
  if (stopped !== undefined) emit({ type: "stopped", reason: stopped });
  const record = bestEpoch(history);
  return {
    model: trainedModel(run.model, parameters, run.data),
    history,
    ...(record === undefined ? {} : { best: record.epoch }),
    ...(validated === undefined ? {} : { confusion: validated.confusion }),
    ...(stopped === undefined ? {} : { stopped }),
  };
}

/** The network with what it has learnt, and the names of the classes if it had none. */
export function trainedModel(
  model: Network,
  parameters: ReadonlyMap<string, FloatTensor>,
  { classes }: Pick<Dataset, "classes">,
): Network {
  const learnt = withParameters(model, parameters);
  return model.info.labels === undefined ? withInfo(learnt, { labels: classes }) : learnt;
}
