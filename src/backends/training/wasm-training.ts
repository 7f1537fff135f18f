/** Training on wasm: emitted kernels on one memory, walked by one thread or several, as a run is. */

import { checkBytes } from "../../core/memory.ts";
import { chooseTiles, type Features, FORWARD, probeFeatures, TILES, type TileName } from "../../kernels/wasm/index.ts";
import { TRAINING_MODULES } from "../../kernels/wasm/training/index.ts";
import type { TrainingPlan } from "../../plan/training/training-plan.ts";
import { countCores } from "../choose-backend.ts";
import type { WorkerFactory } from "../wasm/own-worker.ts";
import { instantiate } from "../wasm/program.ts";
import { boundProgram, type Compile, compiled, compiledWide, modulesOf } from "../wasm/wasm-backend.ts";
import type { BoundTraining } from "./bound-training.ts";
import { GROUPS } from "./chunking.ts";
import { layOutTraining } from "./training-layout.ts";
import { trainingValues } from "./training-values.ts";

export interface WasmTrainingOptions {
  readonly relaxed: boolean;
  readonly wide: boolean;
  /** A divisor of `GROUPS`: see `trainingThreads`. */
  readonly threads: number;
  readonly worker: WorkerFactory;
  readonly signal?: AbortSignal | undefined;
}

const PAGE = 65_536;

/** As many threads as have whole groups of chunks each: the largest power of two that was asked for, at most 8. */
export function trainingThreads(asked: number): number {
  return Math.min(GROUPS, 2 ** Math.floor(Math.log2(asked)));
}

/** @throws {DepthwiseError} `MEMORY_EXCEEDED` before anything is allocated */
export async function wasmTraining(plan: TrainingPlan, options: WasmTrainingOptions): Promise<BoundTraining> {
  const { relaxed, threads, worker, signal } = options;
  const features: Features = { relaxed, shared: threads > 1 };
  const tileName: TileName = options.wide ? "wide" : chooseTiles(features, probeFeatures().early);
  const layout = layOutTraining(plan, TILES[tileName], threads, countCores());
  const what = `train: ${plan.network} with batch ${plan.batch}`;
  checkBytes(what, layout.bytes, "Use a smaller alpha, input or batch.", { batch: plan.batch });
  const compileAll = async (compile: Compile) => {
    const module = async (name: string) =>
      [name, await compiled(TRAINING_MODULES, name, features, tileName, compile)] as const;
    return Object.fromEntries(await Promise.all([...modulesOf(layout.program)].map(module)));
  };
  const modules = options.wide
    ? await compiledWide(
        async (compile) => {
          // The product of a run tells whether this engine joins vectors, and rightly.
          await compiled(TRAINING_MODULES, "product", features, tileName, compile);
          return compileAll(compile);
        },
        FORWARD,
        features,
        signal,
      )
    : await compileAll((_, bytes) => WebAssembly.compile(bytes));
  signal?.throwIfAborted();
  const pages = Math.ceil(layout.bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: features.shared });
  const instances = await instantiate(modules, memory);
  signal?.throwIfAborted();
  const view = new DataView(memory.buffer);
  layout.writeBlocks(view);
  const values = trainingValues(plan, new Float32Array(memory.buffer, layout.arena, plan.arenaBytes / 4));
  const shared = { bytes: pages * PAGE, threads, write: () => undefined, read: () => [], replace: () => undefined };
  const bound = await boundProgram(
    layout.program,
    plan.network,
    { modules, memory, instances },
    shared,
    worker,
    signal,
  );
  return {
    bytes: pages * PAGE,
    threads,
    parts: layout.parts,
    forwardStages: layout.program.stages.findIndex(({ calls }) =>
      calls.some(({ step }) => layout.parts[step]?.phase !== "forward"),
    ),
    get isWhole() {
      return bound.isWhole !== false;
    },
    mend: async () => bound.mend?.(),
    write: values.write,
    writeBits: values.writeBits,
    read: values.read,
    run(batch, { adds, scale, updates, ...rest }) {
      view.setInt32(layout.flags.adds, adds ? 1 : 0, true);
      view.setFloat32(layout.flags.scale, scale, true);
      view.setInt32(layout.flags.updates, updates ? 1 : 0, true);
      return bound.run(batch, rest);
    },
    close: () => bound.close(),
  };
}
