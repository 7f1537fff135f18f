/**
 * The trainer: a network with memory to learn in. One step at a time: forward, backward, update. `fit` is made of it.
 *
 *     using trainer = await createTrainer(model, { batch: 64, optimizer: sgd({ momentum: 0.9 }), threads: 2 });
 *     const { loss, correct } = await trainer.step(x, labels);
 */

import type { Choice } from "../backends/choose-backend.ts";
import type { BoundTraining } from "../backends/training/bound-training.ts";
import { Breath } from "../core/breath.ts";
import type { NumberArray } from "../core/buffers.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { booleanOption, checkKnownOptions, positiveInteger } from "../core/options.ts";
import { elementCount, type FloatTensor, type Tensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import type { UpdateRule } from "../operations/update-call.ts";
import type { TrainingPlan } from "../plan/training/training-plan.ts";
import { LOSSES, RANDOM, randomWords, TARGETS } from "../plan/training/training-step.ts";
import { GRADIENT_NORM, HYPER_VALUE } from "../plan/training/update-steps.ts";
import { checkInput } from "../session/input.ts";
import { Turns } from "../session/turns.ts";
import { closedForTraining } from "./closed.ts";
import { type Evaluation, evaluated } from "./evaluated.ts";
import { EvaluationSession, passedParameters } from "./evaluation-session.ts";
import { hyperValues } from "./hyper.ts";
import { countCorrect, type Labels, ownLabels, targetsOf } from "./labels.ts";
import { type FailedStep, notFinite } from "./not-finite.ts";
import { rateAt } from "./rates.ts";
import { checkNorms, type SmallestNorm, smallestNorm, smallestPart } from "./single-value.ts";
import { TrainedValues } from "./trained-values.ts";
import type { CheckedTrainerOptions } from "./trainer-options.ts";
import { type TrainerProfile, timedParts } from "./trainer-profile.ts";
import { checkState, type TrainerState } from "./trainer-state.ts";

export type { TrainerProfile, TrainerState };

/** What a step tells. */
export interface StepResult {
  /** The mean over the examples, before the update. */
  readonly loss: number;
  /** Examples whose largest logit was that of their label. */
  readonly correct: number;
  readonly examples: number;
  /** L2 norm of all gradients together, before it was clipped. */
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** With which parameters a network is evaluated; see `Trainer.evaluate`. */
export interface EvaluateOptions {
  /** With the averages in place of the parameters. Default false. */
  readonly average?: boolean;
  /** With these, of the same network. Default the trainer's own. */
  readonly parameters?: ReadonlyMap<string, FloatTensor> | undefined;
}

/** What trains and why: see `Trainer.explain`. */
export interface TrainerExplanation extends Choice {
  /** Bytes held for training. */
  readonly bytes: number;
}

/** Made by `createTrainer`. */
export class Trainer {
  /** The network that was given. Its own parameters stay as they were. */
  readonly model: Network;
  /** Most examples of a step. */
  readonly batch: number;
  /** `using trainer = …` calls this. Set in the constructor: not every engine has the symbol. */
  declare readonly [Symbol.dispose]: () => void;
  readonly #plan: TrainingPlan;
  readonly #options: CheckedTrainerOptions;
  readonly #rule: UpdateRule;
  readonly #bound: BoundTraining;
  readonly #choice: Choice;
  readonly #turns = new Turns();
  /** One for all steps: small ones take less than it waits for, and thousands of them follow each other. */
  readonly #breath = new Breath(performance.now());
  readonly #classes: number;
  /** What a batch must be large enough for. */
  readonly #norm: SmallestNorm | undefined;
  readonly #values: TrainedValues;
  readonly #evaluations: EvaluationSession;
  #updates = 0;
  #isClosed = false;
  /** Why parameters cannot be trusted: a step ended in its middle. */
  #torn: unknown;

  /** @internal */
  constructor(
    model: Network,
    plan: TrainingPlan,
    options: CheckedTrainerOptions,
    rule: UpdateRule,
    bound: BoundTraining,
    choice: Choice,
    parameters: ReadonlyMap<string, FloatTensor>,
    target: string,
  ) {
    this.model = model;
    this.batch = options.batch;
    this.#plan = plan;
    this.#options = options;
    this.#rule = rule;
    this.#bound = bound;
    this.#choice = choice;
    this.#classes = plan.values.get(TARGETS)?.elements ?? 0;
    this.#norm = smallestNorm(plan);
    this.#values = new TrainedValues(model, plan, rule, bound, options.averageDecay !== undefined, parameters);
    this.#evaluations = new EvaluationSession(model, target, options);
    const dispose: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    Object.defineProperty(this, dispose, { value: () => this.close() });
  }

  /** Updates so far. */
  get updates(): number {
    return this.#updates;
  }

  /** Bytes that are held for training. */
  get bytes(): number {
    return this.#bound.bytes;
  }

  /** Threads that a step runs on. */
  get threads(): number {
    return this.#bound.threads;
  }

  /** What a step does, in order, on which values, and where these lie: plain data. */
  get plan(): TrainingPlan {
    return this.#plan;
  }

  /** What trains and why: backend, SIMD, threads, the engine's features, what was asked for and could not be. */
  explain(): TrainerExplanation {
    return { ...this.#choice, bytes: this.#bound.bytes };
  }

  /**
   * One step: forward, backward, update.
   *
   * @param x      `[N, height, width, channels]`, N at most `batch`, as the network takes it; read at the call
   * @param labels see `Labels`
   * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID` for what was passed; `NETWORK_INVALID`
   *         for a batch norm that would have one value a channel; `VALUES_NOT_FINITE`, with the first layer whose numbers
   *         are not: no parameter was updated, or the message says so; moving statistics may be spoilt; `WORKER_LOST`;
   *         after both go on from a state with `restore`; `SESSION_CLOSED`
   */
  async step(x: Tensor | NumberArray, labels: Labels): Promise<StepResult> {
    const { data, targets, examples } = this.#checked("step", x, labels);
    const { accumulate } = this.#options;
    // Where nothing waits, the numbers go to their place at once; what waits must not see what the caller does meanwhile.
    const isNext = this.#turns.isIdle && accumulate === 1 && !this.#isClosed && this.#bound.isWhole !== false;
    if (isNext) this.#bound.write({ [this.#plan.input]: data });
    const own = isNext ? undefined : new Float32Array(data);
    return this.#turn(async () => {
      await this.#whole();
      return this.#step(own, targets, examples);
    });
  }

  /**
   * What the network says as it would be run: batch norm by its moving statistics, nothing dropped.
   *
   * @param options `average`: with the averages in place of the parameters; default false. The moving statistics are those
   *                of the parameters; `recalibrateBatchNorm` measures those of the averages. Or `parameters`, whatever ones
   *                of the same network, read at the call
   * @throws {DepthwiseError} as `step`; `OPTION_INVALID` also for averages that are not kept; `PARAMETERS_MISMATCH`
   */
  async evaluate(x: Tensor | NumberArray, labels: Labels, options: EvaluateOptions = {}): Promise<Evaluation> {
    checkKnownOptions("evaluate", options, ["average", "parameters"]);
    const { parameters } = options;
    const average = booleanOption("evaluate", "average", options.average ?? false);
    if (average) this.#expectAverages("evaluate");
    const passed = parameters === undefined ? undefined : passedParameters(this.model, parameters);
    return this.#evaluate(x, labels, average, passed);
  }

  /** With parameters that stay as they are: the same Map is read once. @internal */
  evaluateWith(
    x: Tensor | NumberArray,
    labels: Labels,
    parameters: ReadonlyMap<string, FloatTensor> | undefined,
  ): Promise<Evaluation> {
    return this.#evaluate(x, labels, false, parameters);
  }

  async #evaluate(
    x: Tensor | NumberArray,
    labels: Labels,
    average: boolean,
    parameters: ReadonlyMap<string, FloatTensor> | undefined,
  ): Promise<Evaluation> {
    const given = ownLabels("evaluate", labels, this.batch, this.#classes);
    const { data, batch } = checkInput("evaluate", { ...this.#plan, batch: this.batch }, x);
    const targets = targetsOf("evaluate", given, batch, this.#classes, 0);
    const own = new Float32Array(data);
    return this.#turn(async () => {
      const shape = [batch, ...this.#plan.inputShape];
      const of = parameters ?? `${this.#updates} ${average}`;
      const read = () => (parameters === undefined ? this.#values.parameters(average) : new Map(parameters));
      const logits = await this.#evaluations.run(own, shape, of, read);
      return evaluated(logits, targets, batch, this.#classes);
    });
  }

  /** Whether a step of so many examples can measure its batch norms. @internal */
  canStep(examples: number): boolean {
    return this.#norm === undefined || this.#norm.pixels * smallestPart(examples, this.#options.accumulate) > 1;
  }

  /** @internal @throws {DepthwiseError} `NETWORK_INVALID` if it cannot */
  checkBatch(owner: string, examples: number): void {
    checkNorms(owner, this.model.name, this.#norm, examples, this.#options.accumulate);
  }

  /** The parameters as they are after the last step, in tensors of their own. */
  parameters(): Promise<Map<string, FloatTensor>> {
    return this.#turn(async () => this.#values.parameters());
  }

  /** Their moving averages, and the moving statistics as they are. Only with `averageDecay`. */
  async averages(): Promise<Map<string, FloatTensor>> {
    this.#expectAverages("averages");
    return this.#turn(async () => this.#values.parameters(true));
  }

  /** All that the next step depends on. */
  state(): Promise<TrainerState> {
    return this.#turn(async () => ({ updates: this.#updates, tensors: this.#values.state() }));
  }

  /**
   * Goes on from a state, of this trainer or of one of the same network and options.
   *
   * @throws {DepthwiseError} `PARAMETERS_MISMATCH` if anything is missing or of another shape: nothing was changed
   */
  async restore(state: TrainerState): Promise<void> {
    const { updates, values } = checkState(this.model.name, state, this.#values.expected());
    return this.#turn(async () => {
      await this.#whole();
      this.#bound.write(values);
      this.#evaluations.forget();
      this.#updates = updates;
      this.#torn = undefined;
    }, true);
  }

  /**
   * Runs steps on the examples given, and undoes them: what each part of a step takes, on this thread.
   *
   * @param options `runs`, default 5: the median of each part counts
   */
  async profile(
    x: Tensor | NumberArray,
    labels: Labels,
    options: { readonly runs?: number } = {},
  ): Promise<TrainerProfile> {
    checkKnownOptions("profile", options, ["runs"]);
    const runs = positiveInteger("profile", "runs", options.runs ?? 5);
    const { data, targets, examples } = this.#checked("profile", x, labels);
    const own = new Float32Array(data);
    return this.#turn(async () => {
      await this.#whole();
      const [values, updates] = [this.#values.snapshot(), this.#updates];
      const step = (times: Float64Array) => this.#step(own, targets, examples, times);
      const profile = await timedParts(this.#bound.parts, runs, step);
      this.#bound.write(values);
      this.#updates = updates;
      return profile;
    });
  }

  /** Ends it: its memory is free, its workers are gone. What waits is rejected. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#bound.close();
    this.#evaluations.close();
  }

  async #step(
    data: Float32Array | undefined,
    targets: Float32Array,
    examples: number,
    times?: Float64Array,
  ): Promise<StepResult> {
    const { schedule, clipNorm, averageDecay, accumulate, seed } = this.#options;
    const rate = rateAt(schedule, this.#updates);
    const perExample = elementCount(this.#plan.inputShape);
    const hyper = hyperValues(this.#rule, { update: this.#updates, rate, clipNorm, averageDecay });
    const most = Math.ceil(examples / accumulate);
    const hasRandom = this.#plan.values.has(RANDOM);
    let loss = 0;
    let correct = 0;
    let gradientNorm = 0;
    for (let from = 0, draw = this.#updates * accumulate; from < examples; from += most, draw++) {
      const to = Math.min(from + most, examples);
      const count = to - from;
      const part = targets.subarray(from * this.#classes, to * this.#classes);
      const given = {
        ...(data === undefined ? {} : { [this.#plan.input]: data.subarray(from * perExample, to * perExample) }),
        [TARGETS]: part,
        [HYPER_VALUE]: hyper,
      };
      const write = () => {
        this.#bound.write(given);
        if (hasRandom) this.#bound.writeBits(RANDOM, randomWords(seed, draw));
      };
      write();
      const run = { adds: from > 0, scale: count / examples, updates: to === examples, breath: this.#breath, times };
      try {
        await this.#bound.run(count, run);
      } catch (error) {
        this.#torn = error;
        throw error;
      }
      const logits = this.#bound.read(this.#plan.output, count);
      const losses = this.#bound.read(LOSSES, count);
      for (const one of losses) loss += one;
      correct += countCorrect(logits, part, count, this.#classes);
      if (run.updates) gradientNorm = this.#bound.read(GRADIENT_NORM)[0] ?? Number.NaN;
      if (Number.isFinite(loss + gradientNorm)) continue;
      const failed = { loss: loss / examples, gradientNorm, learningRate: rate, updates: this.#updates };
      const isUpdated = run.updates && Number.isFinite(gradientNorm);
      this.#torn = await this.#diagnosed({ ...failed, isUpdated, examples: count, write });
      throw this.#torn;
    }
    this.#updates++;
    return { loss: loss / examples, correct, examples, gradientNorm, learningRate: rate };
  }

  #diagnosed(failed: Omit<FailedStep, "model" | "plan" | "bound">): Promise<unknown> {
    const step = { ...failed, model: this.model, plan: this.#plan, bound: this.#bound };
    return notFinite(step).catch((error: unknown) => error);
  }

  #expectAverages(owner: string): void {
    if (this.#options.averageDecay !== undefined) return;
    throw new DepthwiseError("OPTION_INVALID", {
      what: `${owner}: averageDecay of the trainer`,
      expected: "a number, so that averages are kept",
      found: "none",
      advice: "Pass averageDecay: 0.999 to createTrainer.",
    });
  }

  /** What a step was given, or an error. */
  #checked(owner: string, x: Tensor | NumberArray, labels: Labels) {
    // First: labels that are read may change x.
    const given = ownLabels(owner, labels, this.batch, this.#classes);
    const { data, batch } = checkInput(owner, { ...this.#plan, batch: this.batch }, x);
    const targets = targetsOf(owner, given, batch, this.#classes, this.#options.labelSmoothing);
    this.checkBatch(owner, batch);
    return { data, targets, examples: batch };
  }

  #turn<T>(work: () => Promise<T>, mayBeTorn = false): Promise<T> {
    return this.#turns.take(async () => {
      if (this.#isClosed) throw closedForTraining("trainer", this.model.name);
      if (isDepthwiseError(this.#torn) && this.#torn.code === "VALUES_NOT_FINITE" && !mayBeTorn) throw this.#torn;
      if (this.#torn !== undefined && !mayBeTorn) {
        throw new DepthwiseError("WORKER_LOST", {
          what: `train: ${this.model.name}: a step ended in its middle, and its parameters are neither old nor new`,
          advice: "Go on from a state that you have with restore.",
          cause: this.#torn,
        });
      }
      return work();
    });
  }

  async #whole(): Promise<void> {
    if (this.#bound.isWhole === false) await this.#bound.mend?.();
  }
}
