/** A session: a plan bound to a backend, with memory. The only thing here with a life-time. */

import { DepthwiseError } from "../core/errors.ts";
import { checkKnownOptions } from "../core/options.ts";
import { asFloat, elementCount, type FloatTensor, type Shape, shapeText, type Tensor, tensor } from "../core/tensor.ts";
import type { Plan, PlannedOutput } from "../plan/plan.ts";
import type { BoundPlan } from "./backend.ts";

export interface RunOptions {
  /** Ends the run between two steps; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** The network's outputs by name, each with the batch in front, and the taps. The caller's own copies. */
export type RunResult<Output extends string, Tap extends string> = { readonly [O in Output]: FloatTensor } & {
  readonly taps: { readonly [T in Tap]: FloatTensor };
};

/** Longest stretch of work, in ms, before the event loop gets its turn. */
const BREATH_MS = 40;

export class Session<Output extends string = string, Tap extends string = string> {
  /** The backend that runs it. */
  readonly backend: string;
  /** What runs, as data. */
  readonly plan: Plan;
  /** `using session = …` calls this. Set in the constructor: not every engine has the symbol. */
  declare readonly [Symbol.dispose]: () => void;
  #bound: BoundPlan | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** Sessions are made by `compile`. */
  constructor(plan: Plan, backend: string, bound: BoundPlan) {
    this.plan = plan;
    this.backend = backend;
    this.#bound = bound;
    const dispose: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    // Engines without the symbol have no `using` either; compiled `using` asks for this one.
    Object.defineProperty(this, dispose, { value: () => this.close() });
  }

  /** Most images in one run. */
  get batch(): number {
    return this.plan.batch;
  }

  /** Bytes of memory held for activations. */
  get arenaBytes(): number {
    return this.#bound?.arena.byteLength ?? 0;
  }

  /**
   * Runs the network. Calls made while another runs wait their turn.
   *
   * @param input `[n, height, width, channels]` float32, 1 ≤ n ≤ `batch`, in the range the model wants; not kept
   * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`; `SESSION_CLOSED` after `close`
   */
  async run(input: Tensor, options: RunOptions = {}): Promise<RunResult<Output, Tap>> {
    checkKnownOptions("run", options, ["signal"]);
    const { signal } = options;
    signal?.throwIfAborted();
    const checked = this.#checkInput(input);
    const turn = this.#queue.then(() => this.#execute(checked, signal));
    // The queue goes on after a failed run; the failure is its caller's alone.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Frees the memory. Runs that wait or are under way reject with `SESSION_CLOSED`. May be called twice. */
  close(): void {
    this.#bound = undefined;
  }

  async #execute(input: FloatTensor, signal: AbortSignal | undefined): Promise<RunResult<Output, Tap>> {
    signal?.throwIfAborted();
    const batch = input.shape[0] ?? 1;
    const { arena, steps } = this.#open();
    arena.set(input.data, this.plan.inputOffset);
    let breath = performance.now();
    for (const step of steps) {
      step(batch);
      if (performance.now() - breath < BREATH_MS) continue;
      await new Promise((resolve) => setTimeout(resolve, 0));
      breath = performance.now();
      signal?.throwIfAborted();
      this.#open();
    }
    const copies = (planned: Readonly<Record<string, PlannedOutput>>) =>
      Object.fromEntries(Object.entries(planned).map(([name, value]) => [name, copyOut(arena, value, batch)]));
    return { ...copies(this.plan.outputs), taps: copies(this.plan.taps) } as RunResult<Output, Tap>;
  }

  #open(): BoundPlan {
    if (this.#bound !== undefined) return this.#bound;
    throw new DepthwiseError("SESSION_CLOSED", {
      what: `session of ${this.plan.network}: it was closed`,
      advice: "Compile the network again to run it.",
    });
  }

  #checkInput(input: Tensor): FloatTensor {
    this.#open();
    const checked = asFloat(input, `run: input of ${this.plan.network}`);
    const [batch = 0, ...sides] = checked.shape;
    const expected = this.plan.inputShape;
    if (checked.shape.length !== expected.length + 1 || sides.some((side, axis) => side !== expected[axis])) {
      throw inputError(this.plan, checked.shape, "A single image is a batch of one: its shape begins with 1.");
    }
    if (batch < 1 || batch > this.plan.batch) {
      const advice =
        batch < 1 ? "Pass at least one image." : `Compile with batch: ${batch}, or pass ${this.plan.batch} at a time.`;
      throw inputError(this.plan, checked.shape, advice);
    }
    return checked;
  }
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
