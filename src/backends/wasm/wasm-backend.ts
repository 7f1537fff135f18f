/** The wasm backend: emitted kernels on one memory, walked by one thread or several. */

import { breathe } from "../../core/breath.ts";
import { isDepthwiseError } from "../../core/errors.ts";
import { checkBytes } from "../../core/memory.ts";
import { ownPart } from "../../core/own-part.ts";
import {
  BARRIER_GATE,
  chooseTiles,
  emitModule,
  exportOf,
  type Features,
  FORWARD,
  type Instances,
  lower,
  type ModuleExports,
  type Packer,
  packAll,
  probeFeatures,
  SLEEPERS,
  TILES,
  type TileName,
  type WasmKernels,
} from "../../kernels/wasm/index.ts";
import type { KernelCall, Plan } from "../../plan/plan.ts";
import { stepWeights } from "../../plan/step-weights.ts";
import type { Backend, BoundPlan, Parameters } from "../backend.ts";
import { countCores } from "../choose-backend.ts";
import { valuesIn } from "../operands.ts";
import type { BoundParameters } from "../parameters.ts";
import { walk } from "../walk.ts";
import { checkComplete, type GivenModules } from "./given-modules.ts";
import { joins, type Layout, layOut } from "./layout.ts";
import type { WorkerFactory } from "./own-worker.ts";
import { bindThread, instantiate, type Program } from "./program.ts";
import { startThreads, type Threads } from "./threads.ts";

export interface WasmOptions {
  readonly relaxed: boolean;
  readonly threads: number;
  /** Most images in one run. */
  readonly batch: number;
  readonly tiles?: TileName;
  /** Makes the workers, where there are several threads. */
  readonly worker: WorkerFactory;
  /** In place of compiling. */
  readonly given?: GivenModules | undefined;
  /** Ours, or ours and others spread into one. Default ours. */
  readonly kernels?: WasmKernels<KernelCall>;
  /** Makes `parameters` of what is bound; see `parametersInMemory`. Default: it has none. */
  readonly parameters?: (plan: Plan, layout: Layout, packer: Packer) => BoundParameters;
}

const PAGE = 65_536;

export function wasmBackend({ relaxed, threads, batch, worker, given, ...options }: WasmOptions): Backend {
  const features: Features = { relaxed, shared: given?.shared ?? threads > 1 };
  const tileName = given?.tiles ?? options.tiles ?? chooseTiles(features, probeFeatures().early);
  const tiles = TILES[tileName];
  const { kernels = FORWARD } = options;
  return {
    name: "wasm",
    joins: (first, second) => joins(first, second, batch, threads, tiles),
    layOut(plan) {
      const layout = layOut(plan, tiles, threads, countCores(), kernels);
      if (given !== undefined) checkComplete(given, modulesOf(layout.program), plan.network);
      const what = `${plan.network} with batch ${plan.batch}: weights and activations`;
      checkBytes(what, layout.bytes, "Use a smaller alpha, input or batch, or fewer classes.", { batch: plan.batch });
      return { bytes: pagesOf(layout) * PAGE, bind: (parameters, signal) => bind(plan, layout, parameters, signal) };
    },
  };

  async function bind(plan: Plan, layout: Layout, parameters: Parameters, signal?: AbortSignal): Promise<BoundPlan> {
    const pages = pagesOf(layout);
    const compileAll = async (compile: Compile) => {
      const module = async (name: string) =>
        [name, given?.modules[name] ?? (await compiled(kernels.modules, name, features, tileName, compile))] as const;
      return Object.fromEntries(await Promise.all([...modulesOf(layout.program)].map(module)));
    };
    const modules = await (tileName === "wide"
      ? compiledWide(compileAll, kernels, features, signal)
      : compileAll((_, bytes) => WebAssembly.compile(bytes)));
    signal?.throwIfAborted();
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: features.shared });
    const instances = await instantiate(modules, memory);
    signal?.throwIfAborted();
    layout.writeBlocks(new DataView(memory.buffer));
    const packer: Packer = {
      memory: new Float32Array(memory.buffer),
      staging: layout.staging,
      // Of a network with none of its kernels there is no such module.
      get pack() {
        return exportOf(instances, "product", "pack");
      },
    };
    const replace = (current: Parameters) => {
      for (const { step, lowered, weights: at } of layout.placed) {
        if (step.weights !== undefined) packAll(lowered.weights, packer, at, stepWeights(current, step.weights));
      }
    };
    replace(parameters);
    const { read, write } = valuesIn(plan, new Float32Array(memory.buffer, layout.arena, plan.arenaBytes / 4));
    const shared = {
      bytes: pages * PAGE,
      threads,
      write,
      read,
      replace,
      parameters: options.parameters?.(plan, layout, packer),
    };
    return boundProgram(layout.program, plan.network, { modules, memory, instances }, shared, worker, signal);
  }
}

/** A program's code, and the memory that it is on. */
export interface Opened {
  readonly modules: Readonly<Record<string, WebAssembly.Module>>;
  readonly memory: WebAssembly.Memory;
  readonly instances: Instances;
}

/** A program that runs, on as many threads as it was laid out for; `shared` is what else is bound. */
export async function boundProgram(
  program: Program,
  network: string,
  { modules, memory, instances }: Opened,
  shared: Omit<BoundPlan, "run" | "close">,
  worker: WorkerFactory,
  signal: AbortSignal | undefined,
): Promise<BoundPlan> {
  const run = bindThread(program, (module, entry) => exportOf(instances, module, entry), 0);
  if (program.threads === 1) {
    let isClosed = false;
    const steps = { network, stages: program.stages.length, run, isClosed: () => isClosed };
    return {
      ...shared,
      run: (count, options) => walk(steps, count, options),
      close() {
        isClosed = true;
      },
    };
  }
  const task = { program, modules, memory };
  const start = (stop?: AbortSignal, ranBefore = false) => startThreads(task, worker, stop, ranBefore);
  const gateOf = <E extends keyof Gate>(entry: E): Gate[E] => exportOf(instances, "gate", entry);
  const gate = { open: gateOf("open"), arrive: gateOf("arrive"), pass: gateOf("pass") };
  return threaded(shared, program, network, memory, run, gate, start, signal);
}

/** The modules that its calls need. */
export function modulesOf({ stages, threads }: Program): ReadonlySet<string> {
  const names = new Set(stages.flatMap(({ calls }) => calls.map(({ module }) => module)));
  return threads > 1 ? names.add("gate") : names;
}

function pagesOf({ bytes }: Layout): number {
  return Math.ceil(bytes / PAGE);
}

type Modules = WasmKernels<KernelCall>["modules"];
export type Compile = (name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<WebAssembly.Module>;

/** Of each table, by name and features. */
const binaries = new WeakMap<Modules, Map<string, Promise<WebAssembly.Module>>>();

/** A module, emitted and compiled once a process for each set of features. */
export function compiled(
  modules: Modules,
  name: string,
  features: Features,
  tiles: TileName,
  compile: Compile,
): Promise<WebAssembly.Module> {
  const own = binaries.get(modules) ?? new Map<string, Promise<WebAssembly.Module>>();
  binaries.set(modules, own);
  const key = `${name} ${features.relaxed} ${features.shared} ${tiles}`;
  const known = own.get(key);
  if (known !== undefined) return known;
  const module = compile(name, emitModule(name, features, TILES[tiles], modules));
  own.set(key, module);
  // A refusal now (memory, a policy) may be none the next time.
  module.catch(() => own.delete(key));
  return module;
}

/** What came of it when wide registers were asked for, for who wants to know. */
export const wideness: { found?: boolean } = {};

export async function compiledWide<Modules>(
  compileAll: (compile: Compile) => Promise<Modules>,
  kernels: WasmKernels<KernelCall>,
  { shared }: Features,
  signal: AbortSignal | undefined,
): Promise<Modules> {
  const { compileWide } = await ownPart("wide registers", () => import("../wide/wide.ts"));
  const lowered = (call: KernelCall) => lower(call, TILES.wide, kernels);
  try {
    const made = await compileWide(
      (compile) => compileAll((name, bytes) => compile(name, bytes, shared, lowered)),
      signal,
    );
    wideness.found = true;
    return made;
  } catch (error) {
    if (isDepthwiseError(error) && error.code === "BACKEND_UNAVAILABLE") wideness.found ??= false;
    throw error;
  }
}

type Gate = ModuleExports["gate"];

/** How long the first thread waits at a barrier before it takes a worker for lost, in ms: a stage takes some. */
const PATIENCE_MS = 30_000;
/** How long the first thread sleeps at most before it looks whether a worker is lost, in ms. */
const NAP_MS = 2;

async function threaded(
  shared: Omit<BoundPlan, "run" | "close">,
  { control, threads, spins, stages }: Program,
  network: string,
  memory: WebAssembly.Memory,
  run: ReturnType<typeof bindThread>,
  gate: Gate,
  start: (signal?: AbortSignal, ranBefore?: boolean) => Threads,
  signal: AbortSignal | undefined,
): Promise<BoundPlan> {
  const words = new Int32Array(memory.buffer);
  const atGate = (control.barrier + BARRIER_GATE) / 4;
  let workers: Threads | undefined = start(signal);
  await workers.ready;
  if (signal?.aborted) await workers.terminate();
  signal?.throwIfAborted();
  let mending: Promise<void> | undefined;

  const wait = async (seen: number): Promise<void> => {
    let waited = 0;
    let last = performance.now();
    while (Atomics.load(words, atGate) === seen) {
      // Closed in the middle: the session rejects the run.
      if (workers === undefined) return;
      if (workers.lost !== undefined) throw workers.lost;
      nap(words, atGate, seen);
      await breathe();
      // A browser does not say that a worker was ended. A sleep of the whole machine counts as one step.
      const now = performance.now();
      waited += Math.min(now - last, 50);
      last = now;
      if (waited > PATIENCE_MS) workers.lose(`it has not come to a barrier for ${PATIENCE_MS / 1000} seconds`);
    }
  };
  const replaceWorkers = async (): Promise<void> => {
    // Whoever is not lost may be in the middle of a step, or about to count itself in at a barrier.
    await workers?.terminate();
    // Closed meanwhile.
    if (workers === undefined) return;
    words.fill(0, 0, control.cancelled / 4 + 1);
    workers = start(undefined, true);
    await workers.ready;
  };
  return {
    ...shared,
    get isWhole() {
      return mending === undefined && workers !== undefined && workers.lost === undefined;
    },
    mend() {
      mending ??= replaceWorkers().finally(() => {
        mending = undefined;
      });
      return mending;
    },
    run(batch, options) {
      // Wakes the other threads.
      words[control.batch / 4] = batch;
      Atomics.store(words, control.cancelled / 4, 0);
      gate.open(control.start);
      return walk(
        {
          network,
          stages: stages.length,
          run(stage, count, times) {
            if (words[control.cancelled / 4] === 0) run(stage, count, times);
            const seen = Atomics.load(words, atGate);
            return gate.arrive(control.barrier, threads, spins, 0) === 1 ? undefined : wait(seen);
          },
          cancel: () => Atomics.store(words, control.cancelled / 4, 1),
          isClosed: () => workers === undefined,
        },
        batch,
        options,
      );
    },
    close() {
      void workers?.terminate();
      workers = undefined;
    },
  };
}

/** Sleeps a little before a gate, where this thread may: a browser's main thread may not. */
function nap(words: Int32Array, at: number, seen: number): void {
  const sleepers = at + SLEEPERS / 4;
  Atomics.add(words, sleepers, 1);
  try {
    Atomics.wait(words, at, seen, NAP_MS);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  } finally {
    Atomics.sub(words, sleepers, 1);
  }
}
