/**
 * What every thread of a session runs: stages of calls, as plain data that goes to a worker as it is. A stage is a
 * range of units, cut evenly among the threads; a thread may take its share band by band, all calls of the stage on
 * one band before the next, so that what one call hands to the other stays in the nearest cache.
 */

import type { Instances, Kernel } from "../../kernels/wasm/index.ts";

export interface Call {
  readonly module: string;
  readonly entry: string;
  /** Address of the words. */
  readonly block: number;
  /** Index of the step in the plan. */
  readonly step: number;
}

export interface Stage {
  readonly calls: readonly Call[];
  readonly units: number;
  /** Whether a batch has so many units for each example, or in all. */
  readonly perExample: boolean;
  /** Units that pass all calls at once; 0 for all. */
  readonly band: number;
}

/** Byte addresses of what the threads of a session share. */
export interface Control {
  readonly start: number;
  readonly barrier: number;
  readonly batch: number;
  readonly cancelled: number;
}

export interface Program {
  readonly stages: readonly Stage[];
  readonly control: Control;
  readonly threads: number;
  /** How often a thread looks at a gate before it sleeps. */
  readonly spins: number;
  /** Each thread's own memory. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

/** Instances of the modules, on one memory. */
export async function instantiate(
  modules: Readonly<Record<string, WebAssembly.Module>>,
  memory: WebAssembly.Memory,
): Promise<Instances> {
  const made = Object.entries(modules).map(async ([name, module]) => {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    return [name, exports] as const;
  });
  return Object.fromEntries(await Promise.all(made));
}

/** The kernel that a module exports by a name. */
export type FindKernel = (module: string, entry: string) => Kernel;

export type RunStage = (stage: number, batch: number, times?: Float64Array) => undefined;

/** The work of one thread: a function that computes its share of a stage. */
export function bindThread(program: Program, find: FindKernel, thread: number): RunStage {
  const { threads, scratch, scratchBytes } = program;
  const own = scratch + thread * scratchBytes;
  const stages = program.stages.map((stage) => ({
    ...stage,
    kernels: stage.calls.map(({ module, entry }) => find(module, entry)),
  }));
  return (index, batch, times) => {
    const stage = stages[index];
    if (stage === undefined) return;
    const { kernels, calls, band } = stage;
    const total = stage.perExample ? stage.units * batch : stage.units;
    const from = Math.floor((total * thread) / threads);
    const end = Math.floor((total * (thread + 1)) / threads);
    for (let at = from; at < end; ) {
      const to = band === 0 ? end : Math.min(at + band, end);
      for (let i = 0; i < kernels.length; i++) {
        const { block, step } = calls[i] as Call;
        const start = times === undefined ? 0 : performance.now();
        (kernels[i] as Kernel)(block, at, to, batch, own);
        if (times !== undefined) times[step] = (times[step] ?? 0) + performance.now() - start;
      }
      at = to;
    }
  };
}
