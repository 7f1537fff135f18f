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
import { type PlannedValue, plan as planNetwork } from "../../src/plan/plan.ts";
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
  const values = new Map<string, PlannedValue>();
  let arenaBytes = 0;
  const parts = members.map(({ name, model, input }) => {
    const plan = planNetwork(model, { batch });
    const base = arenaBytes;
    arenaBytes += Math.ceil(plan.arenaBytes / (16 * batch)) * 16 * batch;
    const own = (value: string) => `${name}: ${value}`;
    for (const [parameter, value] of model.parameters) parameters.set(own(parameter), value);
    for (const [value, { offset, ...known }] of plan.values)
      values.set(own(value), { ...known, ...(offset === undefined ? {} : { offset: base + offset }) });
    const { value, shape } = plan.outputs["output"]!;
    return {
      place: values.get(own(plan.input))!.offset!,
      input,
      output: [name, { value: own(value), shape }] as const,
      steps: plan.steps.map(({ weights, ...step }) => ({
        ...step,
        name: own(step.name),
        reads: step.reads.map(own),
        writes: step.writes.map(own),
        ...(weights === undefined ? {} : { weights: renamed(weights, own) }),
      })),
    };
  });
  const elements = arenaBytes / 4;
  const data = new Float32Array(elements);
  for (const { place, input } of parts) data.set(input.data, place / 4);
  // All of the arena is written before a run: each input lies where its own plan has it.
  values.set("all", { kind: "activation", dtype: "float32", elements: elements / batch, offset: 0, from: -1, to: -1 });
  const plan = {
    network: `${members.length} networks`,
    batch,
    input: "all",
    inputShape: [elements / batch],
    steps: parts.flatMap(({ steps }) => steps),
    values,
    outputs: Object.fromEntries(parts.map(({ output }) => output)),
    taps: {},
    arenaBytes,
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
