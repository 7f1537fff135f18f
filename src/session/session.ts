/** A session: a plan bound to a backend, with memory and perhaps workers. The only thing here with a life-time. */

import { DepthwiseError } from "../core/errors.ts";
import { checkKnownOptions, optionError } from "../core/options.ts";
import { elementCount, type FloatTensor, type Shape, shapeText, type Tensor, tensor } from "../core/tensor.ts";
import { checkReplacement, type Plan, type PlannedOutput } from "../plan/plan.ts";
import type { BoundPlan } from "./backend.ts";
import type { Choice } from "./choose-backend.ts";
import type { Profile, ProfileOptions } from "./profile.ts";

export interface RunOptions {
  /** Ends the run between two steps; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** Numbers of any kind: they are read as float32. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** The network's outputs by name, each with the batch in front, and the taps. The caller's own copies. */
export type RunResult<Output extends string, Tap extends string> = { readonly [O in Output]: FloatTensor } & {
  readonly taps: { readonly [T in Tap]: FloatTensor };
};

/** What runs and why: see `Session.explain`. */
export interface Explanation extends Choice {
  /** Bytes held: weights, activations, scratch. */
  readonly bytes: number;
  /** Each step: its name, its kernel family, and whether it hands its output to the next one band by band. */
  readonly steps: readonly { readonly name: string; readonly kernel: string; readonly joined: boolean }[];
  /** Steps that the backend cannot run itself. There are none. */
  readonly fallbackSteps: readonly string[];
}

/** Longest stretch of work, in ms, before the event loop gets its turn. */
const BREATH_MS = 40;

export class Session<Output extends string = string, Tap extends string = string> {
  /** The backend that runs it. */
  readonly backend: string;
  /** What runs, as data. */
  readonly plan: Plan;
  /** `using session = …` calls this. Set in the constructor: not every engine has the symbol. */
  declare readonly [Symbol.dispose]: () => void;
  readonly #choice: Choice;
  #bound: BoundPlan | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Sessions are made by `compile`. */
  constructor(plan: Plan, choice: Choice, bound: BoundPlan) {
    this.plan = plan;
    this.backend = choice.backend;
    this.#choice = choice;
    this.#bound = bound;
    const dispose: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    // Engines without the symbol have no `using` either; compiled `using` asks for this one.
    Object.defineProperty(this, dispose, { value: () => this.close() });
    abandoned.register(this, bound, this);
  }

  /** Most images in one run. */
  get batch(): number {
    return this.plan.batch;
  }

  /** Threads that compute, this one included. */
  get threads(): number {
    return this.#choice.threads;
  }

  /** Bytes of memory held for activations. */
  get arenaBytes(): number {
    return this.#bound?.arena.byteLength ?? 0;
  }

  /** What runs here and why: backend, SIMD, threads, the engine's features, what was asked for and could not be. */
  explain(): Explanation {
    const steps = this.plan.steps.map(({ name, call, joined = false }) => ({ name, kernel: call.kernel, joined }));
    return { ...this.#choice, bytes: this.#bound?.bytes ?? 0, steps, fallbackSteps: [] };
  }

  /**
   * Runs the network. Calls made while another runs wait their turn; none sees another's input.
   *
   * @param input `[n, height, width, channels]`, 1 ≤ n ≤ `batch`, in the range the model wants: a tensor, or a typed
   *              array of so many numbers. It is read as float32, and not kept.
   * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`; `SESSION_CLOSED` after `close`; `WORKER_LOST` if a
   *         worker died in the middle
   */
  async run(input: Tensor | NumberArray, options: RunOptions = {}): Promise<RunResult<Output, Tap>> {
    checkKnownOptions("run", options, ["signal"]);
    const { signal } = options;
    signal?.throwIfAborted();
    const { data, batch } = this.#checkInput(input);
    // Whoever fills one array again and again must not change what waits.
    const own = this.#waiting === 0 ? data : data.slice();
    return this.#inTurn(async () => {
      signal?.throwIfAborted();
      this.#open().arena.set(own, this.plan.inputOffset);
      await this.#walk(batch, signal);
      const { arena } = this.#open();
      const copies = (planned: Readonly<Record<string, PlannedOutput>>) =>
        Object.fromEntries(Object.entries(planned).map(([name, value]) => [name, copyOut(arena, value, batch)]));
      return { ...copies(this.plan.outputs), taps: copies(this.plan.taps) } as RunResult<Output, Tap>;
    });
  }

  /**
   * Reads other parameters, without compiling again: those of another network of the same architecture, or of the
   * same one after they were changed. Waits its turn among the runs.
   *
   * @param parameters a network's `parameters`, by Keras' names
   * @throws {DepthwiseError} `PARAMETERS_MISMATCH`, and nothing is replaced
   */
  async replaceParameters(parameters: Map<string, FloatTensor>): Promise<void> {
    this.#open();
    if (!(parameters instanceof Map)) {
      throw optionError("replaceParameters", "parameters", "a Map of tensors, as a network's parameters", parameters);
    }
    checkReplacement(this.plan, parameters);
    return this.#inTurn(async () => this.#open().replace(parameters));
  }

  /**
   * Measures each step: median time beside its mult-adds, GFLOP/s and share of the limit that this machine was measured
   * to have, multiply-adds over registers alone. Waits its turn among the runs.
   *
   * @param input   as for `run`; default one image of 0.5 everywhere. With n images each step counts the mult-adds of all
   * @param options `runs`: measured runs, after as many to warm up, default 10
   * @returns times in ms, medians over the runs; with threads those of the first, its waiting at barriers left out
   * @throws {DepthwiseError} `OPTION_INVALID`, and whatever `run` throws
   */
  async profile(input?: Tensor | NumberArray, options: ProfileOptions = {}): Promise<Profile> {
    checkKnownOptions("profile", options, ["runs", "signal"]);
    const { profileSession } = await import("./profile.ts");
    const { data, batch } =
      input === undefined
        ? { data: new Float32Array(elementCount(this.plan.inputShape)).fill(0.5), batch: 1 }
        : this.#checkInput(input);
    return this.#inTurn(() =>
      profileSession(
        { ...this.plan, steps: this.plan.steps.map((step) => ({ ...step, multAdds: step.multAdds * batch })) },
        this.#choice,
        options,
        async (times) => {
          options.signal?.throwIfAborted();
          this.#open().arena.set(data, this.plan.inputOffset);
          await this.#walk(batch, options.signal, times);
        },
      ),
    );
  }

  /** Frees the memory and ends the workers. Runs that wait or are under way reject with `SESSION_CLOSED`. May be called twice. */
  close(): void {
    this.#bound?.close();
    this.#bound = undefined;
    abandoned.unregister(this);
  }

  /** Does one thing after the other. The queue goes on after a failure, which is its caller's alone. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#queue.then(work).finally(() => {
      this.#waiting--;
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** All stages of one run; what they compute lies in the arena. */
  async #walk(batch: number, signal: AbortSignal | undefined, times?: Float64Array): Promise<void> {
    const bound = this.#open();
    try {
      await bound.begin?.(batch);
    } catch (error) {
      this.#open();
      throw error;
    }
    let stopped: { readonly reason: unknown } | undefined;
    let breath = performance.now();
    for (let stage = 0; stage < bound.stages.length; stage++) {
      const pending = bound.run(stage, batch, times);
      if (pending !== undefined) await pending;
      else if (performance.now() - breath < BREATH_MS) continue;
      else await new Promise((resolve) => setTimeout(resolve, 0));
      breath = performance.now();
      this.#open();
      if (signal?.aborted !== true || stopped !== undefined) continue;
      stopped = { reason: signal.reason };
      if (bound.cancel === undefined) break;
      bound.cancel();
    }
    if (stopped !== undefined) throw stopped.reason;
  }

  #open(): BoundPlan {
    if (this.#bound !== undefined) return this.#bound;
    throw new DepthwiseError("SESSION_CLOSED", {
      what: `session of ${this.plan.network}: it was closed`,
      advice: "Compile the network again to run it.",
    });
  }

  #checkInput(input: Tensor | NumberArray): { readonly data: NumberArray; readonly batch: number } {
    this.#open();
    const expected = this.plan.inputShape;
    const perImage = elementCount(expected);
    if (isNumbers(input)) {
      const batch = input.length / perImage;
      if (!Number.isInteger(batch)) throw inputError(this.plan, [input.length], `An image has ${perImage} numbers.`);
      return { data: input, batch: this.#checkBatch(batch, [batch, ...expected]) };
    }
    if (input === null || typeof input !== "object" || !isNumbers(input.data) || !Array.isArray(input.shape)) {
      throw new DepthwiseError("DTYPE_MISMATCH", {
        what: `run: input of ${this.plan.network}`,
        expected: "a tensor { dtype, shape, data } or a typed array of numbers",
        found: input === null ? "null" : typeof input,
        advice: "Make one with tensor(data, shape).",
      });
    }
    const { shape, data } = input;
    const [batch = 0, ...sides] = shape;
    if (shape.length !== expected.length + 1 || sides.some((side, axis) => side !== expected[axis])) {
      throw inputError(this.plan, shape, "A single image is a batch of one: its shape begins with 1.");
    }
    if (data.length !== elementCount(shape)) {
      throw inputError(this.plan, [data.length], "Make tensors with tensor(data, shape), which checks the count.");
    }
    return { data, batch: this.#checkBatch(batch, shape) };
  }

  #checkBatch(batch: number, shape: Shape): number {
    if (Number.isInteger(batch) && batch >= 1 && batch <= this.plan.batch) return batch;
    const advice =
      batch < 1 ? "Pass at least one image." : `Compile with batch: ${batch}, or pass ${this.plan.batch} at a time.`;
    throw inputError(this.plan, shape, advice);
  }
}

/** Ends the workers of sessions that nobody closed and nobody holds. */
const abandoned = /* @__PURE__ */ new FinalizationRegistry((bound: BoundPlan) => bound.close());

function isNumbers(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value) && "BYTES_PER_ELEMENT" in value && !/^Big/.test(value.constructor.name);
}

function inputError(plan: Plan, found: Shape, advice: string): DepthwiseError {
  const batch = plan.batch === 1 ? "1" : `1 to ${plan.batch}`;
  return new DepthwiseError("SHAPE_MISMATCH", {
    what: `run: input of ${plan.network}`,
    expected: `shape [${[batch, ...plan.inputShape].join(", ")}]`,
    found: shapeText(found),
    advice,
    fields: { expected: plan.inputShape, batch: plan.batch, found },
  });
}

function copyOut(arena: Float32Array, { offset, shape }: PlannedOutput, batch: number): FloatTensor {
  return tensor(arena.slice(offset, offset + batch * elementCount(shape)), [batch, ...shape]);
}
