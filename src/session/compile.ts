/** From a network to a session, here or in a worker of its own. */

import type { BackendName } from "../backends/choose-backend.ts";
import { threadWorker } from "../backends/wasm/thread-worker.ts";
import { ownPart } from "../core/own-part.ts";
import type { Network } from "../layers/network.ts";
import { parametersOf } from "../plan/plan.ts";
import { bindNetwork } from "./bind-network.ts";
import { type CompileOptions, checkCompileOptions } from "./compile-options.ts";
import { copiedParameters, Session } from "./session.ts";

export type { BackendName, CompileOptions };

/**
 * Compiles a network: folds batch norm, fuses activations, lays out memory, emits kernels. Close the session when done.
 *
 *     using session = await compile(model, { threads: 2, batch: 4, taps: ["conv_pw_6"] });
 *
 * The network's parameters are those of the call: what is set in its Map afterwards changes nothing. Their numbers are
 * read until the promise resolves and must stand still so long; `session.replaceParameters` reads others. Without
 * shared memory (a page that is not cross-origin isolated), and where a worker cannot be started (a bundler that left
 * its script out), `threads` falls back to one, and `session.explain().reasons` says so. With `inWorker` the numbers are
 * copied to the worker, which computes; this thread only plans.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `NAME_UNKNOWN` for a tap; `PARAMETERS_MISMATCH`, also if numbers are
 *         transferred away meanwhile; `MEMORY_EXCEEDED` before anything is allocated, random parameters included, or if
 *         the system refuses the memory; `BACKEND_UNAVAILABLE` for a backend or SIMD that was asked for by name and
 *         cannot run; `FILE_UNREADABLE` for a part of the library that cannot be loaded; `WORKER_LOST` if the worker of
 *         `inWorker` ends meanwhile
 */
export async function compile<Output extends string, const Tap extends string = never>(
  network: Network<Output>,
  options: CompileOptions<Tap> = {},
): Promise<Session<Output, Tap>> {
  const checked = checkCompileOptions(options);
  const model = network as Network<string>;
  const session = checked.inWorker
    ? bindNetwork(model, checked, threadWorker, async (parameters) => {
        const { openRemotePlan } = await ownPart("sessions in a worker", () => import("./remote-session.ts"));
        checked.signal?.throwIfAborted();
        // Once more: numbers may have been transferred away meanwhile.
        const { name, parameterInfo } = model;
        const still = parametersOf({ name, parameterInfo, parameters });
        const copies = copiedParameters(name, model, still);
        const { plan, choice, bound } = await openRemotePlan(model, copies, checked);
        return new Session(plan, choice, bound);
      })
    : bindNetwork(model, checked, checked.worker ?? threadWorker);
  return session as Promise<Session<Output, Tap>>;
}
