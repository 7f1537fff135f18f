/** A session: a plan bound to a backend, with memory and perhaps workers. The only thing here with a life-time. */

import type { BoundPlan, Parameters } from "../backends/backend.ts";
import type { Choice } from "../backends/choose-backend.ts";
import { closedError } from "../backends/lost.ts";
import { Breath } from "../core/breath.ts";
import type { NumberArray } from "../core/buffers.ts";
import { invariant } from "../core/errors.ts";
import { allocated, refusal } from "../core/memory.ts";
import { checkKnownOptions, optionError, positiveInteger, signalOption } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { isMap } from "../core/realms.ts";
import { elementCount, type FloatTensor, type Tensor, tensor } from "../core/tensor.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { checkReplacement, heldParameters, type Plan, type PlannedOutput } from "../plan/plan.ts";
import { checkInput } from "./input.ts";
import type { Profile, ProfileOptions } from "./profile.ts";
import type { RemotePlan } from "./remote-plan.ts";
import { Turns } from "./turns.ts";

/** How one run may end. */
export interface RunOptions {
  /** Ends the run, between two steps or while it waits; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** Of a session whose type names no outputs: the usual ones, each of which may be missing. */
export type AnyOutput = "logits?" | "probabilities?" | "embedding?";

/** The network's outputs by name, each with the batch in front, and the taps. The caller's own copies. */
export type RunResult<Output extends string = AnyOutput, Tap extends string = string> = {
  readonly [O in Output as O extends AnyOutput ? never : O]: FloatTensor;
} & { readonly [O in Output as O extends `${infer Name}?` & AnyOutput ? Name : never]?: FloatTensor } & {
  readonly taps: { readonly [T in Tap]: FloatTensor };
};

/** What runs and why: see `Session.explain`. */
export interface Explanation extends Choice {
  /** Whether it computes in a worker of its own. */
  readonly inWorker: boolean;
  /** Bytes held: weights, activations, scratch. */
  readonly bytes: number;
  /** Each step: its name, its kernel family, and whether it hands its output to the next one band by band. */
  readonly steps: readonly { readonly name: string; readonly kernel: string; readonly joined: boolean }[];
  /** Steps that the backend cannot run itself. There are none. */
  readonly fallbackSteps: readonly string[];
}

/**
 * A compiled network. `Session` alone is any: of its outputs each may be missing. What `compile` gives names them, and
 * is a `Session` too.
 */
export class Session<Output extends string = AnyOutput, Tap extends string = string> {
  /** The backend that runs it. */
  readonly backend: Choice["backend"];
  /** What runs, as data. */
  readonly plan: Plan;
  /** `using session = …` calls this. Set in the constructor: not every engine has the symbol. */
  declare readonly [Symbol.dispose]: () => void;
  readonly #choice: Choice;
  /** Whether it lies in a worker of its own. */
  readonly #inWorker: boolean;
  #bound: BoundPlan | RemotePlan | undefined;
  readonly #turns = new Turns();
  /** Of all runs together: each may be short. */
  readonly #breath = new Breath(0);

  /** Sessions are made by `compile`. */
  constructor(plan: Plan, choice: Choice, bound: BoundPlan | RemotePlan) {
    this.plan = plan;
    this.backend = choice.backend;
    this.#choice = choice;
    this.#inWorker = bound.ask !== undefined;
    this.#bound = bound;
    const dispose: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    // Engines without the symbol have no `using` either; compiled `using` asks for this one.
    Object.defineProperty(this, dispose, { value: () => this.close() });
    abandoned?.register(this, bound, this);
  }

  /** Most images in one run. */
  get batch(): number {
    return this.plan.batch;
  }

  /** Threads that compute. */
  get threads(): number {
    return this.#choice.threads;
  }

  /** Bytes of memory held for activations. */
  get arenaBytes(): number {
    return this.#bound === undefined ? 0 : this.plan.arenaBytes;
  }

  /** What runs here and why: backend, SIMD, threads, the engine's features, what was asked for and could not be. */
  explain(): Explanation {
    const steps = this.plan.steps.map(({ name, call, joined = false }) => ({ name, kernel: call.kernel, joined }));
    return { ...this.#choice, inWorker: this.#inWorker, bytes: this.#bound?.bytes ?? 0, steps, fallbackSteps: [] };
  }

  /**
   * Runs the network. Calls made while another runs wait their turn; none sees another's input.
   *
   * @param input `[n, height, width, channels]`, 1 ≤ n ≤ `batch`, in the range the model wants: a tensor, or a typed
   *              array of so many numbers. It is read as float32, at the call: it may change as soon as `run` returns.
   * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`; `SESSION_CLOSED` after `close`; `WORKER_LOST` if a
   *         worker died in the middle
   */
  async run(input: Tensor | NumberArray, options: RunOptions = {}): Promise<RunResult<Output, Tap>> {
    checkKnownOptions("run", options, ["signal"]);
    const signal = signalOption("run", options.signal);
    signal?.throwIfAborted();
    const bound = this.#open();
    const { data, batch } = checkInput("run", this.plan, input);
    if (bound.ask !== undefined) {
      const copy = copyIn(data);
      const { outputs, taps } = await bound.ask<"run">({ type: "run", input: copy }, [copy], signal, this);
      return { ...outputs, taps } as RunResult<Output, Tap>;
    }
    // Read at the call. Where nobody else uses the memory, it goes straight to its place; what waits is a copy.
    const isFree = this.#turns.isIdle && bound.isWhole !== false;
    const waiting = isFree ? undefined : copyIn(data);
    if (isFree) bound.write({ [this.plan.input]: data });
    return this.#turns.take(async () => {
      await this.#compute(batch, signal, waiting);
      const outputs = await this.#copies(this.plan.outputs, batch);
      return { ...outputs, taps: await this.#copies(this.plan.taps, batch) } as RunResult<Output, Tap>;
    }, signal);
  }

  /**
   * Reads other parameters, without compiling again: those of another network of the same architecture, or of the
   * same one after they were changed. Waits its turn among the runs; the parameters are read at the call.
   *
   * @param parameters a network's `parameters`, by Keras' names
   * @throws {DepthwiseError} `PARAMETERS_MISMATCH`, and nothing is replaced
   */
  async replaceParameters(parameters: Map<string, FloatTensor>): Promise<void> {
    const bound = this.#open();
    if (!isMap(parameters)) {
      throw optionError("replaceParameters", "parameters", "a Map of tensors, as a network's parameters", parameters);
    }
    checkReplacement(this.plan, parameters);
    // Of tensors that compute their data at each look, what is replaced is what was checked.
    const now = heldParameters(this.plan, parameters, (data) => data);
    checkReplacement(this.plan, now);
    if (bound.ask !== undefined) {
      const copies = copiedParameters(this.plan.network, this.plan, now);
      return bound.ask<"replace">({ type: "replace", parameters: copies }, numbersOf(copies), undefined, this);
    }
    // What waits for its turn is to run on the parameters that it was asked with.
    if (this.#turns.isIdle && bound.isWhole !== false) {
      bound.replace(now);
      return this.#breath.isDue ? this.#breath.take() : undefined;
    }
    const held = heldParameters(this.plan, now, (data) => data.slice());
    return this.#turns.take(async () => {
      (await this.#whole()).replace(held);
    });
  }

  /**
   * Measures each step: median time beside its mult-adds, GFLOP/s and share of the limit that this machine was measured
   * to have, multiply-adds over registers alone. Waits its turn among the runs.
   *
   * @param input   as for `run`, and read at the call; default one image of 0.5 everywhere. With n images each step
   *                counts the mult-adds of all
   * @param options `runs`: measured runs, after as many to warm up, default 10
   * @returns times in ms, medians over the runs, or means where the clock is too coarse: `statistic` says which; with threads
   *          those of the first, its waiting at barriers left out
   * @throws {DepthwiseError} `OPTION_INVALID`, and whatever `run` throws
   */
  async profile(input?: Tensor | NumberArray, options: ProfileOptions = {}): Promise<Profile> {
    checkKnownOptions("profile", options, ["runs", "signal"]);
    const signal = signalOption("profile", options.signal);
    const runs = positiveInteger("profile", "runs", options.runs ?? 10);
    signal?.throwIfAborted();
    const bound = this.#open();
    const { data, batch } =
      input === undefined
        ? { data: new Float32Array(elementCount(this.plan.inputShape)).fill(0.5), batch: 1 }
        : checkInput("profile", this.plan, input);
    // Each of its runs reads it.
    const own = copyIn(data);
    if (bound.ask !== undefined) {
      return bound.ask<"profile">({ type: "profile", input: own, runs }, [own], signal, this);
    }
    return this.#turns.take(async () => {
      const { profileSession } = await ownPart("the profile", () => import("./profile.ts"));
      signal?.throwIfAborted();
      const steps = this.plan.steps.map((step) => ({ ...step, multAdds: step.multAdds * batch }));
      return profileSession({ ...this.plan, batch, steps }, this.#choice, runs, async (times) => {
        signal?.throwIfAborted();
        // Between the runs the profile breathes itself.
        await this.#compute(batch, signal, own, times, new Breath(performance.now()));
      });
    }, signal);
  }

  /** Frees the memory and ends the workers. Runs that wait or are under way reject with `SESSION_CLOSED`. May be called twice. */
  close(): void {
    this.#bound?.close();
    this.#bound = undefined;
    abandoned?.unregister(this);
  }

  /** What runs here, with workers in place of those that were lost. They go on starting if a signal ends the wait. */
  async #whole(signal?: AbortSignal): Promise<BoundPlan> {
    const bound = this.#here();
    try {
      if (bound.isWhole === false && bound.mend !== undefined) await untilAborted(bound.mend(), signal);
    } catch (error) {
      this.#open();
      throw error;
    }
    return this.#here();
  }

  /** One run, on `input` or what was written already. */
  async #compute(
    batch: number,
    signal?: AbortSignal,
    input?: Float32Array,
    times?: Float64Array,
    breath = this.#breath,
  ): Promise<void> {
    const bound = await this.#whole(signal);
    signal?.throwIfAborted();
    if (input !== undefined) bound.write({ [this.plan.input]: input });
    await bound.run(batch, { signal, times, breath });
  }

  async #copies(
    planned: Readonly<Record<string, PlannedOutput>>,
    batch: number,
  ): Promise<Readonly<Record<string, FloatTensor>>> {
    const wanted = Object.entries(planned);
    const names = wanted.map(([, { value }]) => value);
    try {
      const numbers = await this.#here().read(names, batch);
      const entries = wanted.map(([name, { shape }], index): [string, FloatTensor] => [
        name,
        tensor(numbers[index] as Float32Array, [batch, ...shape]),
      ]);
      return Object.fromEntries(entries);
    } catch (cause) {
      const elements = wanted.reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
      throw refusal(cause, "run: a copy of an output", 4 * batch * elements, FEWER);
    }
  }

  /** Of one that is on this thread. */
  #here(): BoundPlan {
    const bound = this.#open();
    invariant(bound.ask === undefined, "A session in a worker was asked to compute here.");
    return bound;
  }

  #open(): BoundPlan | RemotePlan {
    if (this.#bound !== undefined) return this.#bound;
    throw closedError(this.plan.network);
  }
}

/** Ends the workers of sessions that nobody closed and nobody holds. Workers of an old compatibility date have none. */
const abandoned = /* @__PURE__ */ (() =>
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry((bound: BoundPlan | RemotePlan) => bound.close()))();

/** Parameters as they are now, for a worker that is to keep them. */
export function copiedParameters(
  network: string,
  info: Pick<Plan, "parameterInfo">,
  parameters: Parameters,
): Map<string, FloatTensor> {
  const bytes = [...parameters.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const advice = "Pass inWorker: false, which needs no copy, or close what is not needed.";
  const copy = (data: Float32Array) => new Float32Array(data);
  return allocated(`${network}: a copy of the parameters`, bytes, advice, () =>
    heldParameters(info, new Map(parameters), copy),
  );
}

export function numbersOf(parameters: Parameters): Float32Array[] {
  return Array.from(parameters.values(), ({ data }) => data);
}

const FEWER = "Pass fewer images at a time, or close what is not needed.";

function copyIn(data: NumberArray): Float32Array {
  return allocated("run: a copy of the input", 4 * data.length, FEWER, () => new Float32Array(data));
}
