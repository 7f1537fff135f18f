/** `fineTune`: a network that knows pictures learns other classes: first a new head, then all of it, gently. */

import { anyOf, untilAborted } from "../../core/until-aborted.ts";
import type { Network } from "../../layers/network.ts";
import { replaceHead } from "../../weights/index.ts";
import { checkDataset, splitOf } from "../data/check-dataset.ts";
import type { Awaitable } from "../data/dataset.ts";
import { type Dataset, dataset, type Examples } from "../data/index.ts";
import type { EpochRecord, FitEvent, FitResult } from "../fit/events.ts";
import { fit as runOf } from "../fit/fit.ts";
import { type FitRun, fitRun } from "../fit/fit-run.ts";
import { bestEpoch, objectiveOf } from "../fit/position.ts";
import { openStore, refuseKept } from "../fit/stored.ts";
import { type CheckedFineTuneOptions, checkFineTuneOptions, type FineTuneOptions } from "./fine-tune-options.ts";

/**
 * Trains a network on other classes than its own. The head is replaced by one for the classes of the data; for one epoch
 * it alone learns; then everything does, earlier layers at lower rates.
 *
 *     const { model } = await fineTune(await loadModel("mobilenet.safetensors"), await imageFolder("flowers")).done;
 *
 * Two runs of `fit` in one: events, history and checkpoints are those of a single run of `frozenEpochs + epochs` epochs,
 * but that each phase has a trainer of its own, and tells `started`.
 * With `patience` the second phase starts from the best epoch of the first, which trains all of its epochs; the best epoch
 * of both is given.
 * The first phase keeps its checkpoints in `head`, a folder of the place, or by names that begin with `head-` in a store;
 * `model.safetensors` of the place itself is what the second one has learnt.
 *
 * Source: Howard and Gugger 2020, "fastai: A Layered API for Deep Learning", `fine_tune`.
 *
 * @param model a MobileNet V1, or a network with a classifier that `replaceHead` can replace. It stays as it is
 * @param data  as `fit` takes it; its classes become the network's labels
 * @throws {DepthwiseError} at the call and as the run rejects, as `fit` does; `NETWORK_INVALID` for a network without a head
 */
export function fineTune(model: Network, data: Awaitable<Dataset | Examples>, options: FineTuneOptions = {}): FitRun {
  const checked = checkFineTuneOptions(model, options);
  return fitRun(async (emit, leaving) => {
    const { signal, forget } = anyOf([checked.signal, leaving]);
    let hasStopped = false;
    const tell = (event: FitEvent): void => {
      hasStopped ||= event.type === "stopped";
      emit(event);
    };
    try {
      return await bothPhases(model, data, checked, tell, signal);
    } catch (error) {
      // Between the phases, or before them.
      if (signal.aborted && !hasStopped) emit({ type: "stopped", reason: "signal" });
      throw error;
    } finally {
      forget();
    }
  });
}

async function bothPhases(
  model: Network,
  given: Awaitable<Dataset | Examples>,
  options: CheckedFineTuneOptions,
  emit: (event: FitEvent) => void,
  signal: AbortSignal,
): Promise<FitResult> {
  const { validation: held, seed, frozenEpochs, patience, checkpoint, resume } = options;
  // The second phase would refuse it only after the first.
  if (checkpoint !== undefined && !resume) await untilAborted(refuseKept("fineTune", openStore(checkpoint)), signal);
  const all = await dataset(given, { signal });
  checkDataset(all);
  // Here, so that both phases hold out the same.
  const [data, validation] =
    typeof held === "number" ? splitOf(all, 1 - held, seed) : ([all, held] as readonly [Dataset, Dataset | undefined]);
  const headed = replaceHead(model, { labels: data.classes, seed });
  const common = { signal, ...(validation === undefined ? {} : { validation }) };
  const phase = new Phases(options.epochs + frozenEpochs, emit);
  const head =
    frozenEpochs === 0
      ? undefined
      : await phase.run(runOf(headed, data, { ...options.head(headed, data.size), ...common }));
  const start = head?.model ?? headed;
  const whole = await phase.run(runOf(start, data, { ...options.all(start, data.size), ...common }));
  const { history } = phase;
  const best = bestEpoch(history);
  // Of a run with patience the best epoch counts, and it may be one of the head's.
  const isHeadBest = patience !== undefined && best !== undefined && best.epoch <= frozenEpochs;
  const { confusion } = isHeadBest && head !== undefined ? head : whole;
  return {
    model: isHeadBest && head !== undefined ? head.model : whole.model,
    history,
    ...(best === undefined ? {} : { best: best.epoch }),
    ...(confusion === undefined ? {} : { confusion }),
    ...(whole.stopped === undefined ? {} : { stopped: whole.stopped }),
  };
}

/** Runs one after the other, told as one: epochs are counted on. */
class Phases {
  /** Of the phases that have ended. */
  history: readonly EpochRecord[] = [];
  readonly #epochs: number;
  readonly #emit: (event: FitEvent) => void;

  constructor(epochs: number, emit: (event: FitEvent) => void) {
    this.#epochs = epochs;
    this.#emit = emit;
  }

  async run(phase: FitRun): Promise<FitResult> {
    const { done } = phase;
    // It is heard below.
    done.catch(() => undefined);
    const before = this.history;
    for await (const event of phase) this.#emit(this.#counted(event, before));
    const result = await done;
    this.history = [...before, ...result.history.map((record) => onward(record, before))];
    return result;
  }

  #counted(event: FitEvent, before: readonly EpochRecord[]): FitEvent {
    switch (event.type) {
      case "epoch":
        return { ...onward(event, before), epochs: this.#epochs };
      case "progress":
        return { ...event, epoch: event.epoch + before.length, epochs: this.#epochs };
      case "checkpoint":
      case "resumed":
        return { ...event, epoch: event.epoch + before.length };
      default:
        return event;
    }
  }
}

/** An epoch of a phase as one of the whole run: the best of its phase is the best so far if it beats those before. */
function onward<Told extends Pick<EpochRecord, "epoch" | "isBest" | "loss" | "validation">>(
  told: Told,
  before: readonly EpochRecord[],
): Told {
  const least = bestEpoch(before);
  const isBest = told.isBest && (least === undefined || objectiveOf(told) < objectiveOf(least));
  return { ...told, epoch: told.epoch + before.length, isBest };
}
