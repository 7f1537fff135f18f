/** Runs the network of a trainer as it would be run outside: made when it is first asked for, with parameters as they are then. */

import { optionError } from "../core/options.ts";
import { isMap } from "../core/realms.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import { checkParameters, type Network } from "../layers/network.ts";
import { heldParameters } from "../plan/plan.ts";
import { compile } from "../session/compile.ts";
import type { Session } from "../session/session.ts";
import { closedForTraining } from "./closed.ts";
import type { CheckedTrainerOptions } from "./trainer-options.ts";

/**
 * Copies of parameters that a caller passed, who may change them while they wait.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`, `PARAMETERS_MISMATCH`
 */
export function passedParameters(model: Network, parameters: unknown): Map<string, FloatTensor> {
  if (!isMap(parameters)) {
    throw optionError("evaluate", "parameters", "a Map of tensors, as a network's parameters", parameters);
  }
  const given = parameters as Map<string, FloatTensor>;
  checkParameters(model, given, "evaluate");
  return heldParameters(model, given, (data) => data.slice());
}

export class EvaluationSession {
  readonly #model: Network;
  /** The layer that gives the logits. */
  readonly #target: string;
  readonly #options: CheckedTrainerOptions;
  #session: Session<"logits"> | undefined;
  /** What its parameters are of. */
  #of: unknown;
  #isClosed = false;

  constructor(model: Network, target: string, options: CheckedTrainerOptions) {
    this.#model = model;
    this.#target = target;
    this.#options = options;
  }

  /**
   * The logits of a batch, with the parameters that `read` gives: it is asked where `of` is not that of the last time.
   *
   * @throws {DepthwiseError} `SESSION_CLOSED`; what `compile` and `replaceParameters` throw
   */
  async run(
    data: Float32Array<ArrayBuffer>,
    shape: readonly number[],
    of: unknown,
    read: () => Map<string, FloatTensor>,
  ): Promise<Float32Array> {
    const session = await this.#with(of, read);
    const { logits } = await session.run(tensor(data, shape));
    return logits.data;
  }

  /** The next run reads its parameters again. */
  forget(): void {
    this.#of = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#session?.close();
  }

  async #with(of: unknown, read: () => Map<string, FloatTensor>): Promise<Session<"logits">> {
    if (this.#session !== undefined && this.#of === of) return this.#session;
    const parameters = read();
    if (this.#session === undefined) {
      const { batch, backend, simd, threads, worker } = this.#options;
      const network = { ...this.#model, outputs: { logits: this.#target }, parameters };
      const own = worker === undefined ? {} : { worker };
      const session = await compile(network, { batch, backend, simd, threads, ...own });
      if (this.#isClosed) {
        session.close();
        throw closedForTraining("trainer", this.#model.name);
      }
      this.#session = session;
    } else await this.#session.replaceParameters(parameters);
    this.#of = of;
    return this.#session;
  }
}
