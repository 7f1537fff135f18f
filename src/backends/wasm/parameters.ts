/** Parameters of a wasm session one by one, unpacked and packed again where they lie: a module of its own, handed in. */

import { type Packer, readSlots, setKernel, writeSlots } from "../../kernels/wasm/index.ts";
import type { Plan } from "../../plan/plan.ts";
import { operandsOf } from "../operands.ts";
import { type BoundParameters, checkPlanParameter } from "../parameters.ts";
import type { Layout } from "./layout.ts";

/** In the order in which steps name them. */
const PARTS = ["kernel", "bias"] as const;

/** For the option `parameters` of the wasm backend. */
export function parametersInMemory(plan: Plan, { placed }: Layout, packer: Packer): BoundParameters {
  const places = new Map(
    placed.flatMap(({ step, lowered, weights: at }) =>
      operandsOf(plan, step).parameters.map((name, index) => [name, { packing: lowered.weights, at, index }] as const),
    ),
  );
  return {
    read(name) {
      const place = places.get(name);
      if (place === undefined) return undefined;
      const { packing, at, index } = place;
      return readSlots(packing[PARTS[index] ?? "kernel"], packer.memory, at, plan.values.get(name)?.elements ?? 0);
    },
    write(name, numbers) {
      checkPlanParameter(plan, name, numbers);
      const place = places.get(name);
      if (place === undefined) return;
      const { packing, at, index } = place;
      if (index === 0) setKernel(packing, packer, at, numbers);
      else writeSlots(packing.bias, packer.memory, at, numbers);
    },
  };
}
