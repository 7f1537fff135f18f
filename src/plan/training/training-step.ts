/** What training is made of: steps over named values, and what is asked of them. */

import type { ParameterInfo } from "../../layers/parameter-info.ts";
import type { KernelCall } from "../../operations/kernel-call.ts";
import type { Norm, TrainingCall } from "../../operations/training-call.ts";
import type { StepValue } from "../steps.ts";

/** Names of values by the roles that the call knows. */
export type NamedOperands = Readonly<Record<string, string>>;

/** One thing to compute, and the names of what it reads and writes. A state that changes is both. */
export interface TrainingStep<Call extends { readonly kernel: string } = TrainingCall | KernelCall> {
  /** The layer that it computes, or whose gradients; of an update the parameter. */
  readonly name: string;
  readonly phase: "forward" | "loss" | "backward" | "update";
  readonly call: Call;
  readonly reads: NamedOperands;
  readonly writes: NamedOperands;
  readonly multAdds: number;
  /** What it writes may lie where the first value lies that it reads, if nobody reads that afterwards. */
  readonly inPlace?: boolean;
}

export interface TrainingStepsOptions {
  /** Whose output is trained: a layer. */
  readonly target: string;
  /** Which parameters change. */
  readonly trains: (parameter: ParameterInfo) => boolean;
  /** Of the moving statistics; see `Norm`. */
  readonly momentum: number;
  readonly variance: Norm["variance"];
  /** How a batch norm normalises, by its layer. Default: by the batch if its gamma or beta is trained. */
  readonly normMode?: ((layer: string) => Norm["mode"]) | undefined;
  /** Softmax cross-entropy with `targets`; or none, and the gradient of the target is given from outside. */
  readonly loss: "softmaxCrossEntropy" | "given";
  /** Whether the gradient of the network's input is wanted. Default false. */
  readonly inputGradient?: boolean;
}

export interface TrainingSteps {
  readonly steps: readonly TrainingStep[];
  readonly values: ReadonlyMap<string, StepValue>;
  /** Values that are there before the first step or after the last one. */
  readonly kept: ReadonlySet<string>;
  /** The value of the target. */
  readonly output: string;
  /** The gradients of the parameters that change, by the parameters' names. */
  readonly gradients: ReadonlyMap<string, string>;
  /** The parameters that the steps read. */
  readonly parameters: readonly string[];
}

/** Names of values that belong to no layer; a layer of such a name is refused. */
export const TARGETS = "targets";
export const LOSSES = "losses";
export const RANDOM = "random";
/** Words of it: the seed's low one, how often it was drawn, the seed's high one. */
export const RANDOM_WORDS = 3;
/** What is written there. */
export const randomWords = (seed: number, draw: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.of(seed, draw, Math.floor(seed / 2 ** 32));
export const gradientOf = (name: string): string => `gradient(${name})`;
export const normOf = (layer: string): string => `norm(${layer})`;
