/**
 * Many small networks as one session on the wasm backend: their plans one behind the other, on one memory. Workers
 * take tens of milliseconds to start; hundreds of golden cases share them this way, and the barrier between steps is
 * passed hundreds of times in a run.
 */

import { chooseBackend, type Simd } from "../../src/backends/choose-backend.ts";
import type { WorkerFactory } from "../../src/backends/wasm/own-worker.ts";
import { threadWorker } from "../../src/backends/wasm/thread-worker.ts";
import { wasmBackend } from "../../src/backends/wasm/wasm-backend.ts";
import type { FloatTensor } from "../../src/core/tensor.ts";
import type { Network } from "../../src/layers/network.ts";
import { plan as planNetwork } from "../../src/plan/plan.ts";
import type { WeightNames } from "../../src/plan/step-weights.ts";
import { Session } from "../../src/session/session.ts";

export interface Member {
  readonly name: string;
  readonly model: Network<"output">;
  /** `[batch, …]`, the same batch for all. */
  readonly input: FloatTensor;
}

export interface ManyOptions {
  readonly simd: Simd;
  readonly threads: number;
  readonly worker: WorkerFactory;
}

/** A session that has all members' outputs, by name, and what its `run` takes: all inputs, each in its place. */
export async function sessionOfMany(members: readonly Member[], { simd, threads, worker }: ManyOptions) {
  const batch = members[0]!.input.shape[0]!;
  const parameters = new Map<string, FloatTensor>();
  let elements = 0;
  const parts = members.map(({ name, model, input }) => {
    const plan = planNetwork(model, { batch });
    const base = elements;
    elements += Math.ceil(plan.arenaElements / (4 * batch)) * 4 * batch;
    const own = (parameter: string) => `${name}: ${parameter}`;
    for (const [parameter, value] of model.parameters) parameters.set(own(parameter), value);
    return {
      place: base + plan.inputOffset,
      input,
      output: [name, { ...plan.outputs["output"]!, offset: base + plan.outputs["output"]!.offset }] as const,
      steps: plan.steps.map(({ weights, ...step }) => ({
        ...step,
        name: own(step.name),
        inputOffsets: step.inputOffsets.map((offset) => base + offset),
        outputOffset: base + step.outputOffset,
        ...(weights === undefined ? {} : { weights: renamed(weights, own) }),
      })),
    };
  });
  const data = new Float32Array(elements);
  for (const { place, input } of parts) data.set(input.data, place);
  const plan = {
    network: `${members.length} networks`,
    batch,
    // All of the arena is written before a run: each input lies where its own plan has it.
    inputShape: [elements / batch],
    inputOffset: 0,
    steps: parts.flatMap(({ steps }) => steps),
    outputs: Object.fromEntries(parts.map(({ output }) => output)),
    taps: {},
    arenaElements: elements,
    parameterInfo: new Map(),
  };
  const choice = chooseBackend("wasm", simd, threads);
  const backend = wasmBackend({
    relaxed: choice.simd === "relaxed",
    threads: choice.threads,
    batch,
    worker: worker ?? threadWorker,
  });
  return { session: new Session<string>(plan, choice, await backend.layOut(plan).bind(parameters)), data };
}

function renamed(weights: WeightNames, own: (name: string) => string): WeightNames {
  const entries = Object.entries(weights).map(([role, value]: [string, unknown]) => {
    if (typeof value === "string") return [role, own(value)];
    return [role, typeof value === "object" ? renamed(value as WeightNames, own) : value];
  });
  return Object.fromEntries(entries) as WeightNames;
}
