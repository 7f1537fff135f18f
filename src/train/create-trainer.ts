/** From a network to a trainer: choose a backend, plan, allocate. */

import { type Choice, chooseBackend } from "../backends/choose-backend.ts";
import type { BoundTraining } from "../backends/training/bound-training.ts";
import { referenceTraining } from "../backends/training/reference-training.ts";
import { trainingThreads, wasmTraining } from "../backends/training/wasm-training.ts";
import type { WorkerFactory } from "../backends/wasm/own-worker.ts";
import { threadWorker } from "../backends/wasm/thread-worker.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { refusal } from "../core/memory.ts";
import { checkNetwork, type Network } from "../layers/network.ts";
import { parametersOf } from "../plan/plan.ts";
import { type TrainingPlan, trainingPlan } from "../plan/training/training-plan.ts";
import { updateSteps } from "../plan/training/update-steps.ts";
import { ruleOf } from "./optimizers.ts";
import { Trainer } from "./trainer.ts";
import { type CheckedTrainerOptions, checkTrainerOptions, type TrainerOptions } from "./trainer-options.ts";

/**
 * Makes a trainer of a network: memory for its activations and gradients, and code. Close it when done. The network's own
 * parameters are read until it is made, not copied at the call, and stay as they are.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `NAME_UNKNOWN` for a parameter to train that there is not; `NETWORK_INVALID`
 *         for what is no network, or one that gives no row of classes, or has nothing to train; `PARAMETERS_MISMATCH`;
 *         `MEMORY_EXCEEDED` before anything is allocated; `BACKEND_UNAVAILABLE`
 */
export async function createTrainer(model: Network, options: TrainerOptions = {}): Promise<Trainer> {
  checkNetwork("createTrainer", model);
  const checked = checkTrainerOptions("createTrainer", model, options);
  const rule = ruleOf(checked.optimizer);
  const target = logitsOf(model);
  const part = Math.ceil(checked.batch / checked.accumulate);
  const planned = trainingPlan(
    model,
    part,
    {
      target,
      trains: checked.trains,
      momentum: checked.momentum,
      variance: checked.variance,
      loss: "softmaxCrossEntropy",
      ...(checked.isFrozen ? { normMode: () => "frozen" as const } : {}),
    },
    (list) =>
      updateSteps(list, model.parameterInfo, {
        rule,
        decay: checked.decay,
        rateFactor: checked.rateFactor,
        average: checked.averageDecay !== undefined,
      }),
  );
  const parameters = parametersOf(model);
  const { bound, choice } = await bindTraining("createTrainer", model, planned, checked);
  if (checked.signal?.aborted) bound.close();
  checked.signal?.throwIfAborted();
  return new Trainer(model, planned, checked, rule, bound, choice, parameters, target);
}

/** A training plan with memory and code, and what was chosen for it. */
export interface TrainingBinding {
  readonly bound: BoundTraining;
  readonly choice: Choice;
}

/**
 * Binds a training plan to the backend that the options choose. Where a worker cannot be started (a bundler that left its
 * script out, a page's policy, a worker in Firefox) it is one thread, and the reasons say so: the bits are the same.
 *
 * @param owner who asks, for messages
 */
export async function bindTraining(
  owner: string,
  model: Network,
  plan: TrainingPlan,
  options: CheckedTrainerOptions,
): Promise<TrainingBinding> {
  const choice = chooseTraining(options);
  const bind = async (chosen: Choice): Promise<TrainingBinding> => {
    try {
      return { bound: await bindTo(chosen, plan, options), choice: chosen };
    } catch (cause) {
      const what = `${owner}: ${model.name} with batch ${options.batch}`;
      throw refusal(cause, what, plan.arenaBytes, "Use a smaller alpha, input or batch.", { batch: options.batch });
    }
  };
  try {
    return await bind(choice);
  } catch (error) {
    if (!isDepthwiseError(error) || error.code !== "WORKER_LOST") throw error;
    return bind({ ...choice, threads: 1, reasons: [...choice.reasons, `one thread: ${error.message}`] });
  }
}

async function bindTo(choice: Choice, plan: TrainingPlan, options: CheckedTrainerOptions): Promise<BoundTraining> {
  if (choice.backend !== "wasm") return referenceTraining(plan);
  return wasmTraining(plan, {
    relaxed: choice.simd !== "plain",
    wide: choice.simd === "wide",
    threads: choice.threads,
    worker: options.worker === undefined ? threadWorker : heard(options.worker),
    signal: options.signal,
  });
}

/** What promises a worker is refused, and a promise that fails then would be nobody's: in Node that ends the process. */
function heard(factory: WorkerFactory): WorkerFactory {
  return () => {
    const worker = factory();
    Promise.resolve(worker).catch(() => undefined);
    return worker;
  };
}

/** As `compile` chooses, but that training has no kernels of plain JavaScript, and counts threads by powers of two. */
export function chooseTraining({ backend, simd, threads }: CheckedTrainerOptions): Choice {
  const choice = chooseBackend(backend, simd, threads);
  if (choice.backend === "plain") {
    const reasons = [...choice.reasons, "reference instead of plain: training has no other loops in JavaScript"];
    return { ...choice, backend: "reference", reasons };
  }
  const whole = trainingThreads(choice.threads);
  if (whole === choice.threads) return choice;
  const reason = `${whole} ${whole === 1 ? "thread" : "threads"} instead of ${choice.threads}: training takes 1, 2, 4 or 8`;
  return { ...choice, threads: whole, reasons: [...choice.reasons, reason] };
}

/** The layer that gives the logits: the output of that name, or what the softmax at the end reads. */
export function logitsOf({ name, outputs, layers }: Network): string {
  const given: Readonly<Record<string, string>> = outputs;
  const own = Object.hasOwn(given, "logits") ? given["logits"] : undefined;
  if (own !== undefined) return own;
  const all = [...new Set(Object.values(given))];
  const ends = all.map((output) => {
    const node = layers.find((layer) => layer.name === output);
    return node?.type === "softmax" ? (node.inputs[0] ?? output) : output;
  });
  const [only, ...others] = new Set(ends);
  if (only !== undefined && others.length === 0) return only;
  throw new DepthwiseError("NETWORK_INVALID", {
    what: `createTrainer: ${name}: outputs`,
    expected: "one of the name logits, or a single one",
    found: Object.keys(given).join(", "),
  });
}
