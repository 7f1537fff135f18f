/** The values of a trainer that outlive a step: parameters, what the optimizer keeps of them, and their averages. */

import type { BoundTraining } from "../backends/training/bound-training.ts";
import type { FloatTensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import { slotsOf, type UpdateRule } from "../operations/update-call.ts";
import type { TrainingPlan } from "../plan/training/training-plan.ts";
import { averageOf, slotOf } from "../plan/training/update-steps.ts";

export class TrainedValues {
  readonly #model: Network;
  readonly #plan: TrainingPlan;
  readonly #rule: UpdateRule;
  readonly #bound: BoundTraining;
  readonly #keepsAverages: boolean;
  /** Parameters that no step reads: they stay as they are. */
  readonly #others: ReadonlyMap<string, FloatTensor>;

  /** Writes the parameters where steps find them. */
  constructor(
    model: Network,
    plan: TrainingPlan,
    rule: UpdateRule,
    bound: BoundTraining,
    keepsAverages: boolean,
    parameters: ReadonlyMap<string, FloatTensor>,
  ) {
    this.#model = model;
    this.#plan = plan;
    this.#rule = rule;
    this.#bound = bound;
    this.#keepsAverages = keepsAverages;
    const read = new Set(plan.parameters);
    this.#others = new Map([...parameters].filter(([name]) => !read.has(name)));
    for (const name of plan.parameters) {
      const tensor = parameters.get(name);
      if (tensor !== undefined) bound.write({ [name]: tensor.data });
    }
    for (const name of plan.gradients.keys()) {
      const { data = new Float32Array() } = parameters.get(name) ?? {};
      for (const slot of slotsOf(rule)) {
        // Memory begins as zeros.
        if (slot.initial === 0) continue;
        bound.write({ [slotOf(name, slot.name)]: new Float32Array(data.length).fill(slot.initial) });
      }
      if (keepsAverages) bound.write({ [averageOf(name)]: data });
    }
  }

  /** All parameters of the network, in tensors of their own. `average`: in place of what is trained its average. */
  parameters(average = false): Map<string, FloatTensor> {
    const read = new Set(this.#plan.parameters);
    const from = (name: string) => (average && this.#plan.gradients.has(name) ? averageOf(name) : name);
    return new Map(
      [...this.#model.parameterInfo].map(([name, { shape }]) => {
        const other = this.#others.get(name);
        const data = read.has(name) ? this.#bound.read(from(name)) : (other?.data.slice() ?? new Float32Array());
        return [name, { dtype: "float32", shape, data }];
      }),
    );
  }

  /** The parameters, and all that is kept besides them. */
  state(): Map<string, FloatTensor> {
    const tensors = this.parameters();
    for (const { name, shape } of this.#kept()) {
      tensors.set(name, { dtype: "float32", shape, data: this.#bound.read(name) });
    }
    return tensors;
  }

  /** What a state must have. */
  expected(): { readonly name: string; readonly shape: readonly number[] }[] {
    return [...this.#plan.parameters.map((name) => ({ name, shape: this.#shapeOf(name) })), ...this.#kept()];
  }

  /** What steps change, by name, to be written back. */
  snapshot(): Readonly<Record<string, Float32Array>> {
    return Object.fromEntries(this.expected().map(({ name }) => [name, this.#bound.read(name)]));
  }

  /** What is kept besides parameters, under its names. */
  #kept(): { readonly name: string; readonly shape: readonly number[] }[] {
    return [...this.#plan.gradients.keys()].flatMap((name) => {
      const shape = this.#shapeOf(name);
      const slots = slotsOf(this.#rule).map((slot) => ({ name: slotOf(name, slot.name), shape }));
      return this.#keepsAverages ? [...slots, { name: averageOf(name), shape }] : slots;
    });
  }

  #shapeOf(name: string): readonly number[] {
    return this.#model.parameterInfo.get(name)?.shape ?? [];
  }
}
