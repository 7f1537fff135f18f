/** From a network to a session on this thread: plan it, choose a backend, allocate. */

import type { Backend } from "../backends/backend.ts";
import { type Choice, chooseBackend } from "../backends/choose-backend.ts";
import type { WorkerFactory } from "../backends/wasm/own-worker.ts";
import { wasmBackend } from "../backends/wasm/wasm-backend.ts";
import { type DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { refusal } from "../core/memory.ts";
import { ownPart } from "../core/own-part.ts";
import type { FloatTensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import { type PlannedNetwork, parametersOf, plan as planNetwork } from "../plan/plan.ts";
import type { CheckedOptions } from "./compile-options.ts";
import { Session } from "./session.ts";

/** Binds a network elsewhere, with parameters in a Map of its own whose numbers it must copy. */
export type Elsewhere = (parameters: Map<string, FloatTensor>) => Promise<Session>;

/**
 * Up to the first await it runs within the call: what is passed may change as soon as that returns.
 *
 * @param worker    makes those of threads
 * @param elsewhere binds it in place of this thread, once all sizes are known to fit; if that cannot be started, this
 *                  thread does
 * @throws {DepthwiseError} what `compile` throws
 */
export async function bindNetwork(
  network: PlannedNetwork & Pick<Network, "parameters">,
  options: Omit<CheckedOptions, "worker" | "inWorker">,
  worker: WorkerFactory,
  elsewhere?: Elsewhere,
): Promise<Session> {
  const { modules, batch, taps, fold, signal } = options;
  let parameters: Map<string, FloatTensor> | undefined;
  const bind = async (choice: Choice, away?: Elsewhere): Promise<Session> => {
    const { threads } = choice;
    const isWasm = choice.backend === "wasm";
    const simd = { relaxed: choice.simd !== "plain", ...(choice.simd === "wide" ? { tiles: choice.simd } : {}) };
    const wasm = isWasm ? wasmBackend({ ...simd, threads, batch, worker, given: modules }) : undefined;
    const joins = wasm?.joins;
    const plan = planNetwork(network, { batch, taps, fold, ...(joins === undefined ? {} : { joins }) });
    const laidOut = wasm?.layOut(plan);
    // Only now, when all sizes are known to fit: parameters that nobody gave are made when asked for.
    parameters ??= parametersOf(network);
    try {
      if (away !== undefined) return await away(parameters);
      const backend = laidOut ?? (await loadBackend(choice.backend)).layOut(plan);
      signal?.throwIfAborted();
      return new Session(plan, choice, await backend.bind(parameters, signal));
    } catch (cause) {
      const what = `compile: ${plan.network} with batch ${batch}`;
      const weights = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
      const bytes = laidOut?.bytes ?? plan.arenaBytes + 4 * weights;
      throw refusal(cause, what, bytes, "Use a smaller alpha, input or batch.", { batch });
    }
  };
  // A bundler that left a script out, or a page's policy, is no reason not to run: the bits are the same.
  const bindSomehow = async (choice: Choice, away?: Elsewhere): Promise<Session> => {
    try {
      return await bind(choice, away);
    } catch (error) {
      if (away !== undefined && hasNotStarted(error)) {
        return bindSomehow({ ...choice, reasons: [...choice.reasons, `on this thread: ${error.message}`] });
      }
      if (away !== undefined || !isDepthwiseError(error) || error.code !== "WORKER_LOST") throw error;
      return bind({ ...choice, threads: 1, reasons: [...choice.reasons, `one thread: ${error.message}`] });
    }
  };
  return bindSomehow(chooseBackend(options.backend, options.simd, options.threads, modules), elsewhere);
}

/** One that was lost while it compiled is another matter: memory may have run out, and would here. */
function hasNotStarted(error: unknown): error is DepthwiseError {
  if (!isDepthwiseError(error)) return false;
  return error.code === "FILE_UNREADABLE" || (error.code === "WORKER_LOST" && error.fields["started"] === false);
}

/** Loaded when they are chosen: a page that runs wasm never fetches the plain kernels. */
async function loadBackend(backend: Choice["backend"]): Promise<Backend> {
  if (backend === "plain")
    return (await ownPart("the plain backend", () => import("../backends/plain-backend.ts"))).plainBackend;
  return (await ownPart("the reference backend", () => import("../backends/reference-backend.ts"))).referenceBackend;
}
