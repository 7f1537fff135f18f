/** The golden runs of training: one tiny network, one batch, five updates with every optimizer. */

import type { FloatTensor } from "../../src/core/tensor.ts";
import { type Network, network } from "../../src/layers/network.ts";
import type { Optimizer } from "../../src/train/optimizers.ts";
import type { Schedule } from "../../src/train/schedules.ts";
import { readIntegers, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";

type References = Readonly<Record<string, TensorReference>>;

export interface GoldenRun {
  readonly name: string;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly options: {
    readonly clipNorm?: number;
    readonly accumulate?: number;
    readonly averageDecay?: number;
    readonly labelSmoothing?: number;
    readonly train?: readonly string[];
  };
  readonly learningRates: readonly number[];
  readonly loss: readonly number[];
  readonly gradientNorm: readonly number[];
  readonly parameters: References;
  readonly moving: References;
  readonly average?: References;
  readonly inferenceLogits: TensorReference;
  /** By the names of tensors, of averages `average:NAME`, and `loss`, `gradientNorm`, `inferenceLogits`. */
  readonly tolerance: Readonly<Record<string, number>>;
}

export interface GoldenTraining {
  readonly counts: { readonly runs: number; readonly schedules: number };
  readonly data: { readonly images: TensorReference; readonly labels: TensorReference };
  readonly network: readonly Readonly<Record<string, unknown> & { readonly name: string; readonly type: string }>[];
  readonly initial: References;
  readonly initialMoving: References;
  readonly firstStep: {
    readonly loss: number;
    readonly logits: TensorReference;
    readonly gradients: References;
    readonly tolerance: {
      readonly loss: number;
      readonly logits: number;
      readonly gradients: Readonly<Record<string, number>>;
    };
  };
  readonly runs: readonly GoldenRun[];
}

export const goldenTraining = (): GoldenTraining => readJson<GoldenTraining>("golden/train/index.json");

export const goldenLabels = ({ data }: GoldenTraining) => readIntegers("golden/train", data.labels);

export const goldenTensor = (reference: TensorReference) => readTensor("golden/train", reference);

/** The network of the runs, with the parameters that they all begin with. */
export function goldenNetwork(golden: GoldenTraining): Network<"logits"> {
  const layers = golden.network.map(({ name, type, momentum: _momentum, units, ...attributes }) => {
    if (type.startsWith("relu")) return { name, type: "activation", attributes: { function: type } };
    return { name, type, attributes: units === undefined ? attributes : { ...attributes, filters: units } };
  });
  const model = network({ inputShape: [9, 9, 3], layers, outputs: { logits: "dense" } });
  for (const [name, reference] of Object.entries({ ...golden.initial, ...golden.initialMoving })) {
    model.parameters.set(name, goldenTensor(reference) as FloatTensor);
  }
  return model;
}
