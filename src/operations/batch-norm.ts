/**
 * Batch norm with moving statistics, over the last axis:
 *
 *     y = gamma · (x − mean) / √(variance + epsilon) + beta
 *
 * Source: Ioffe and Szegedy 2015, algorithm 2.
 */

import { booleanOption, positiveNumber } from "../core/options.ts";
import { type FusingOperation, lastAxis, type ParameterRule, perExample, soleInput } from "./operation.ts";

export interface BatchNormAttributes {
  readonly epsilon: number;
  /** Whether there is a gamma; absent it counts as 1. */
  readonly scale: boolean;
  /** Whether there is a beta; absent it counts as 0. */
  readonly center: boolean;
}

export const batchNorm: FusingOperation<BatchNormAttributes> = {
  isView: false,
  fuses: ["activation"],
  check: (owner, attributes) => ({
    epsilon: positiveNumber(owner, "epsilon", attributes["epsilon"] ?? 1e-3),
    scale: booleanOption(owner, "scale", attributes["scale"] ?? true),
    center: booleanOption(owner, "center", attributes["center"] ?? true),
  }),
  outputShape: (owner, _attributes, inputs) => soleInput(owner, inputs),
  parameters: ({ scale, center }, input) => {
    const shape = [lastAxis(input)];
    const rules: ParameterRule[] = [];
    if (scale) rules.push({ name: "gamma", role: "gamma", shape, trainable: true });
    if (center) rules.push({ name: "beta", role: "beta", shape, trainable: true });
    rules.push({ name: "moving_mean", role: "mean", shape, trainable: false });
    rules.push({ name: "moving_variance", role: "variance", shape, trainable: false });
    return rules;
  },
  multAdds: () => 0,
  call: (_owner, _attributes, _inputs, output) => ({
    kernel: "scaleShift",
    pixels: perExample(output) / lastAxis(output),
    channels: lastAxis(output),
    activation: "linear",
  }),
};

/** The statistics and the learned numbers of a batch norm, each `[channels]`. */
export interface BatchNormNumbers {
  readonly gamma?: Float32Array | undefined;
  readonly beta?: Float32Array | undefined;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/**
 * Batch norm as `y = x · scale + shift`, both in float64 so that folding rounds once:
 * scale = gamma / √(variance + epsilon), shift = beta − mean · scale.
 */
export function scaleAndShift({ gamma, beta, mean, variance }: BatchNormNumbers, epsilon: number) {
  const scale = new Float64Array(variance.length);
  const shift = new Float64Array(variance.length);
  for (let c = 0; c < scale.length; c++) {
    const factor = (gamma?.[c] ?? 1) / Math.sqrt((variance[c] as number) + epsilon);
    scale[c] = factor;
    shift[c] = (beta?.[c] ?? 0) - (mean[c] as number) * factor;
  }
  return { scale, shift };
}
