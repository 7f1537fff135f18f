/**
 * The parameters of a step: their names in the plan, their numbers when a backend asks. Batch norm folds into the
 * convolution before it as a factor and a bias for each output channel,
 *
 *     scale = gamma / √(variance + epsilon)
 *     bias' = beta + (bias − mean) · scale
 *
 * in float64, so that `kernel · scale` is rounded once. Source: Jacob et al. 2018, equation 14, in another order.
 */

import { DepthwiseError, invariant } from "../core/errors.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { parameterFault } from "../layers/check-parameter.ts";
import type { Network } from "../layers/network.ts";
import { scaleAndShift } from "../operations/batch-norm.ts";
import type { Group } from "./fuse.ts";

/** Names of tensors. A step of a lone batch norm has no kernel. */
export interface WeightNames {
  readonly kernel?: string;
  readonly bias?: string;
  readonly batchNorm?: {
    readonly gamma?: string;
    readonly beta?: string;
    readonly mean: string;
    readonly variance: string;
    readonly epsilon: number;
  };
}

export interface StepWeights {
  /** Any layout whose last axes run over the output channels: HWIO, `[kh, kw, in, multiplier]`, `[in, out]`. */
  readonly kernel: Float32Array;
  /** A factor for each output channel, not yet multiplied in. */
  readonly scale?: Float64Array;
  readonly bias?: Float32Array;
}

/** Names of a node's parameters by their role. */
export type RoleNames = ReadonlyMap<string, Readonly<Record<string, string>>>;

export function namesByRole(network: Pick<Network, "parameterInfo">): RoleNames {
  const names = new Map<string, Record<string, string>>();
  for (const { node, role, name } of network.parameterInfo.values()) {
    const own = names.get(node) ?? {};
    own[role] = name;
    names.set(node, own);
  }
  return names;
}

export function weightNames(
  names: RoleNames,
  { lead, batchNorm }: Pick<Group, "lead" | "batchNorm">,
): WeightNames | undefined {
  const norm = lead.type === "batchNorm" ? lead : batchNorm;
  const own = names.get(lead.name) ?? {};
  if (norm === undefined) return own["kernel"] === undefined ? undefined : own;
  const statistics = names.get(norm.name) ?? {};
  const { mean, variance } = statistics;
  invariant(mean !== undefined && variance !== undefined, "A batch norm lacks its statistics.");
  const folded = { ...statistics, mean, variance, epsilon: norm.attributes.epsilon };
  if (lead.type === "batchNorm") return { batchNorm: folded };
  invariant(own["kernel"] !== undefined, `"${norm.name}" was folded into "${lead.name}", which has no kernel.`);
  return { ...own, batchNorm: folded };
}

/**
 * The numbers of a step: those of a lone batch norm are `{ kernel: scale, bias: shift }`.
 *
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH` for numbers that were taken away since they were checked
 */
export function stepWeights(parameters: ReadonlyMap<string, FloatTensor>, names: WeightNames): StepWeights {
  const read = (name: string | undefined) => {
    const value = name === undefined ? undefined : parameters.get(name);
    const fault = value === undefined ? undefined : parameterFault(value, value.shape);
    if (fault === undefined) return value?.data;
    throw new DepthwiseError("PARAMETERS_MISMATCH", {
      what: `compile: "${name}" was taken away before it was read: ${fault}`,
      advice: "Let the numbers be until compile has resolved, or pass a copy of them.",
      fields: { problems: [fault] },
    });
  };
  const required = (name: string | undefined): Float32Array => {
    const data = read(name);
    invariant(data !== undefined, `There is no parameter "${name}".`);
    return data;
  };
  const { kernel, bias, batchNorm } = names;
  if (batchNorm === undefined) {
    const own = read(bias);
    return { kernel: required(kernel), ...(own === undefined ? {} : { bias: own }) };
  }
  const { gamma, beta, mean, variance, epsilon } = batchNorm;
  const numbers = { gamma: read(gamma), beta: read(beta), mean: required(mean), variance: required(variance) };
  const { scale, shift } = scaleAndShift(numbers, epsilon);
  if (kernel === undefined) return { kernel: new Float32Array(scale), bias: new Float32Array(shift) };
  const own = read(bias);
  if (own !== undefined)
    for (let c = 0; c < shift.length; c++) shift[c] = (shift[c] ?? 0) + (own[c] ?? 0) * (scale[c] ?? 1);
  return { kernel: required(kernel), scale, bias: new Float32Array(shift) };
}

/** `[kernel, bias]` with the scale multiplied in, as the reference loops take them; nobody else's arrays. */
export function foldedWeights({ kernel, scale, bias }: StepWeights): readonly (Float32Array | undefined)[] {
  if (scale === undefined) return [kernel.slice(), bias?.slice()];
  return [kernel.map((value, index) => value * (scale[index % scale.length] ?? 1)), bias];
}
