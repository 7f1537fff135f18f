/** How a network is compiled: the options, checked. */

import { BACKENDS, type BackendName, type Simd } from "../backends/choose-backend.ts";
import { checkModules, type GivenModules } from "../backends/wasm/given-modules.ts";
import type { WorkerFactory } from "../backends/wasm/own-worker.ts";
import {
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  signalOption,
  stringsOf,
} from "../core/options.ts";

/** How a network is compiled. None of them changes what it computes beyond rounding. */
export interface CompileOptions<Tap extends string = string> {
  /** Default `auto`: `wasm` where it can run, else `plain`. `reference` is the plainest and slowest. */
  readonly backend?: BackendName;
  /** Threads of the wasm backend: a number, or `auto` for as many as there are cores, at most 8. Default 1. */
  readonly threads?: number | "auto";
  /**
   * Which SIMD the wasm backend emits. Default `auto`: relaxed where the engine has it. `wide`, in Node 24 and later, is
   * nearly twice as fast with the same bits; it turns on an experimental switch of V8
   * (`--experimental-wasm-revectorize`), and that for all WebAssembly that the process compiles from then on.
   */
  readonly simd?: Simd;
  /**
   * Makes a worker of `depthwise/worker`, where a bundler moved the script: `() => new Worker(url, { type: "module" })`.
   * With `inWorker` one of `depthwise/session-worker`, which is the script of its threads too.
   */
  readonly worker?: WorkerFactory;
  /**
   * Whether the session computes in a worker of its own, so that the thread that asks stays free: a page's, as a rule.
   * It has the same interface and gives the same bits. Where the worker cannot be started the session is on this thread,
   * with the threads that were asked for, and `session.explain().reasons` says why. Default false.
   */
  readonly inWorker?: boolean;
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

const OPTIONS = ["backend", "threads", "simd", "worker", "inWorker", "modules", "batch", "taps", "fold", "signal"];

/** Options that were checked, all but `threads`, which the choice of a backend checks. */
export interface CheckedOptions {
  readonly backend: BackendName;
  readonly threads: number | "auto";
  readonly simd: Simd;
  readonly worker: WorkerFactory | undefined;
  readonly inWorker: boolean;
  readonly modules: GivenModules | undefined;
  readonly batch: number;
  readonly taps: readonly string[];
  readonly fold: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws {DepthwiseError} `OPTION_INVALID`; the reason of a signal that was aborted */
export function checkCompileOptions(options: CompileOptions): CheckedOptions {
  checkKnownOptions("compile", options, OPTIONS);
  const { worker } = options;
  const signal = signalOption("compile", options.signal);
  signal?.throwIfAborted();
  const backend = oneOf("compile", "backend", options.backend ?? "auto", ["auto", ...BACKENDS]);
  const simd = oneOf("compile", "simd", options.simd ?? "auto", ["auto", "relaxed", "plain", "wide"] as const);
  const inWorker = booleanOption("compile", "inWorker", options.inWorker ?? false);
  if (worker !== undefined && typeof worker !== "function") {
    const advice = typeof worker === "boolean" ? "For a session in a worker pass inWorker: true." : undefined;
    const script = inWorker ? "depthwise/session-worker" : "depthwise/worker";
    throw optionError("compile", "worker", `a function that makes a Worker of ${script}`, worker, advice);
  }
  return {
    backend,
    threads: options.threads ?? 1,
    simd,
    worker,
    inWorker,
    modules: checkModules(options.modules, simd),
    batch: positiveInteger("compile", "batch", options.batch ?? 1),
    taps: stringsOf("compile", "taps", options.taps ?? [], "an array of layer names"),
    fold: booleanOption("compile", "fold", options.fold ?? true),
    signal,
  };
}
