/** From a network to a session: plan it, choose a backend, allocate. */

import { isDepthwiseError } from "../core/errors.ts";
import { refusal } from "../core/memory.ts";
import {
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  signalOption,
  stringsOf,
} from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import type { Network } from "../layers/network.ts";
import { parametersOf, plan as planNetwork } from "../plan/plan.ts";
import type { Backend, Parameters } from "./backend.ts";
import { BACKENDS, type BackendName, type Choice, chooseBackend, type Simd } from "./choose-backend.ts";
import { checkModules, type GivenModules } from "./given-modules.ts";
import { Session } from "./session.ts";
import type { WorkerFactory } from "./threads.ts";
import { type WasmOptions, wasmBackend } from "./wasm-backend.ts";

export type { BackendName };

/** How a network is compiled. None of them changes what it computes beyond rounding. */
export interface CompileOptions<Tap extends string = string> {
  /** Default `auto`: `wasm` where it can run, else `plain`. `reference` is the plainest and slowest. */
  readonly backend?: BackendName;
  /** Threads of the wasm backend: a number, or `auto` for as many as there are cores, at most 8. Default 1. */
  readonly threads?: number | "auto";
  /** Which SIMD the wasm backend emits. Default `auto`: relaxed where the engine has it. */
  readonly simd?: Simd;
  /** Makes a worker of `depthwise/worker`, where a bundler moved the script: `() => new Worker(url, { type: "module" })`. */
  readonly worker?: WorkerFactory;
  /**
   * Modules to use in place of compiling, where code may not be compiled from bytes (Workers): those that
   * `kernelModules` of `depthwise/kernels` wrote at build time, by the same names. Their SIMD is used.
   */
  readonly modules?: Readonly<Record<string, WebAssembly.Module>>;
  /** Most images in one run: memory is laid out for so many. Default 1. */
  readonly batch?: number;
  /** Layers or blocks whose activated output each run returns under `taps`. Default none. */
  readonly taps?: readonly Tap[];
  /** Whether batch norm is folded into the convolutions before it. Default true. */
  readonly fold?: boolean;
  /** Ends the compilation; it then rejects with `signal.reason`, and nothing stays. */
  readonly signal?: AbortSignal;
}

const OPTIONS = ["backend", "threads", "simd", "worker", "modules", "batch", "taps", "fold", "signal"];

/**
 * Compiles a network: folds batch norm, fuses activations, lays out memory, emits kernels. Close the session when done.
 *
 *     using session = await compile(model, { threads: 2, batch: 4, taps: ["conv_pw_6"] });
 *
 * The network's parameters are those of the call: what is set in its Map afterwards changes nothing. Their numbers are
 * read until the promise resolves and must stand still so long; `session.replaceParameters` reads others. Without
 * shared memory (a page that is not cross-origin isolated), and where a worker cannot be started (a bundler that left
 * its script out), `threads` falls back to one, and `session.explain().reasons` says so.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `NAME_UNKNOWN` for a tap; `PARAMETERS_MISMATCH`, also if numbers are
 *         transferred away meanwhile; `MEMORY_EXCEEDED` before anything is allocated, random parameters included, or if
 *         the system refuses the memory; `BACKEND_UNAVAILABLE` for a backend or SIMD that was asked for by name and
 *         cannot run
 */
export async function compile<Output extends string, const Tap extends string = never>(
  network: Network<Output>,
  options: CompileOptions<Tap> = {},
): Promise<Session<Output, Tap>> {
  checkKnownOptions("compile", options, OPTIONS);
  const { worker } = options;
  const signal = signalOption("compile", options.signal);
  signal?.throwIfAborted();
  const name = oneOf("compile", "backend", options.backend ?? "auto", ["auto", ...BACKENDS]);
  const simd = oneOf("compile", "simd", options.simd ?? "auto", ["auto", "relaxed", "plain"] as const);
  const { taps: given = [] } = options;
  const taps = stringsOf("compile", "taps", given, "an array of layer names") as readonly Tap[];
  if (worker !== undefined && typeof worker !== "function") {
    throw optionError("compile", "worker", "a function that makes a Worker of depthwise/worker", worker);
  }
  const modules = checkModules(options.modules, simd);
  const batch = positiveInteger("compile", "batch", options.batch ?? 1);
  const fold = booleanOption("compile", "fold", options.fold ?? true);
  const asked = options.threads ?? 1;
  let parameters: Parameters | undefined;
  // Up to the first await it runs within the call of `compile`: what is passed may change as soon as that returns.
  const bind = async (choice: Choice): Promise<Session<Output, Tap>> => {
    const wasm = choice.backend === "wasm" ? wasmBackend(wasmOptions(choice, batch, worker, modules)) : undefined;
    const joins = wasm?.joins;
    const plan = planNetwork(network, { batch, taps, fold, ...(joins === undefined ? {} : { joins }) });
    const laidOut = wasm?.layOut(plan);
    // Only now, when all sizes are known to fit: parameters that nobody gave are made when asked for.
    parameters ??= parametersOf(network);
    try {
      const backend = laidOut ?? (await loadBackend(choice.backend)).layOut(plan);
      signal?.throwIfAborted();
      return new Session<Output, Tap>(plan, choice, await backend.bind(parameters, signal));
    } catch (cause) {
      const what = `compile: ${plan.network} with batch ${batch}`;
      const weights = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
      const bytes = laidOut?.bytes ?? 4 * (plan.arenaElements + weights);
      throw refusal(cause, what, bytes, "Use a smaller alpha, input or batch.", { batch });
    }
  };
  const choice = chooseBackend(name, simd, asked, modules);
  try {
    return await bind(choice);
  } catch (error) {
    // A bundler that left the script out, or a page's policy, is no reason not to run: the bits are the same.
    if (!isDepthwiseError(error) || error.code !== "WORKER_LOST") throw error;
    return bind({ ...choice, threads: 1, reasons: [...choice.reasons, `one thread: ${error.message}`] });
  }
}

function wasmOptions(
  { simd, threads }: Choice,
  batch: number,
  worker: WorkerFactory | undefined,
  given: GivenModules | undefined,
): WasmOptions {
  return { relaxed: simd === "relaxed", threads, batch, worker, given };
}

/** Loaded when they are chosen: a page that runs wasm never fetches the plain kernels. */
async function loadBackend(backend: Choice["backend"]): Promise<Backend> {
  if (backend === "plain") return (await ownPart("the plain backend", () => import("./plain-backend.ts"))).plainBackend;
  return (await ownPart("the reference backend", () => import("./reference-backend.ts"))).referenceBackend;
}
