/**
 * What follows a convolution, as bias, scale and batch norm, whichever way the file writes it.
 *
 * Batch norm may be an operation, or written out: y = x · M + S with M = rsqrt(variance + ε) · gamma and
 * S = beta − mean · M. Anything else that multiplies and adds is a scale and a shift: to be folded into the kernel, or
 * into the batch norm before it.
 */

import { shortestDecimal } from "../../core/shortest-decimal.ts";
import { elementCount } from "../../core/tensor.ts";
import type { GraphNode } from "../../formats/graph.ts";
import type { AffineStep, AfterStep, BatchNormStep, Unit } from "./chain.ts";
import type { Constants } from "./constants.ts";

export interface BatchNormValues {
  readonly epsilon: number;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** One number for each output channel; the kernel is multiplied by `scale`, then come bias and batch norm. */
export interface Normalization {
  readonly scale?: Float64Array;
  readonly bias?: Float64Array;
  readonly batchNorm?: BatchNormValues;
  /** Whether batch norm was written out as arithmetic. */
  readonly isWrittenOut: boolean;
}

/** @returns undefined if a step has neither one value nor one for each channel */
export function normalizationOf(
  unit: Pick<Unit, "bias" | "after">,
  channels: number,
  constants: Constants,
): Normalization | undefined {
  let scale: Float64Array | undefined;
  // Looked at before it is read: it may be anything.
  const fits = (name: string) => elementCount(constants.shape(name)) === channels;
  if (unit.bias !== undefined && !fits(unit.bias)) return undefined;
  let bias: Float64Array | undefined = unit.bias === undefined ? undefined : constants.read(unit.bias);
  let batchNorm: BatchNormValues | undefined;
  let isWrittenOut = false;
  const steps = withWrittenOut(unit.after, constants);
  for (const step of steps) {
    if (step.type === "batchNorm") {
      const values = batchNormValues(step, channels, constants);
      if (values === undefined) return undefined;
      isWrittenOut ||= step.isWrittenOut === true;
      batchNorm = batchNorm === undefined ? values : followed(batchNorm, foldedBatchNorm(values));
      continue;
    }
    const affine = affineOf(step, channels, constants);
    if (affine === undefined) return undefined;
    if (batchNorm !== undefined) {
      batchNorm = followed(batchNorm, affine);
      continue;
    }
    if (affine.scale !== undefined) scale = combine(scale, affine.scale, (a, b) => a * b);
    if (affine.scale !== undefined && bias !== undefined) bias = combine(bias, affine.scale, (a, b) => a * b);
    if (affine.shift !== undefined) bias = combine(bias, affine.shift, (a, b) => a + b);
  }
  return {
    isWrittenOut,
    ...(scale === undefined ? {} : { scale }),
    ...(bias === undefined ? {} : { bias }),
    ...(batchNorm === undefined ? {} : { batchNorm }),
  };
}

/** Batch norm as y = x · scale + shift: scale = gamma / sqrt(variance + ε), shift = beta − mean · scale. */
export function foldedBatchNorm({ epsilon, gamma, beta, mean, variance }: BatchNormValues): Required<Affine> {
  const scale = gamma.map((value, c) => value / Math.sqrt((variance[c] ?? 0) + epsilon));
  return { scale, shift: beta.map((value, c) => value - (mean[c] ?? 0) * (scale[c] ?? 0)) };
}

interface Affine {
  readonly scale?: Float64Array;
  readonly shift?: Float64Array;
}

/** x · scale + shift for one step; undefined if its values do not fit the channels. */
export function affineOf(step: AffineStep, channels: number, constants: Constants): Affine | undefined {
  const count = elementCount(constants.shape(step.value));
  if (count !== 1 && count !== channels) return undefined;
  const given = constants.read(step.value);
  constants.spend(channels);
  const values = new Float64Array(channels).map((_, c) => given[given.length === 1 ? 0 : c] ?? 0);
  switch (step.type) {
    case "multiply":
      return { scale: values };
    case "divide":
      return { scale: values.map((value) => 1 / value) };
    case "add":
      return { shift: values };
    case "subtract":
      return { shift: values.map((value) => -value) };
    case "subtractFrom":
      return { scale: new Float64Array(channels).fill(-1), shift: values };
  }
}

function combine(a: Float64Array | undefined, b: Float64Array, f: (a: number, b: number) => number): Float64Array {
  return a === undefined ? b : a.map((value, c) => f(value, b[c] ?? 0));
}

function followed(batchNorm: BatchNormValues, { scale, shift }: Affine): BatchNormValues {
  const gamma = scale === undefined ? batchNorm.gamma : combine(batchNorm.gamma, scale, (a, b) => a * b);
  const scaled = scale === undefined ? batchNorm.beta : combine(batchNorm.beta, scale, (a, b) => a * b);
  return { ...batchNorm, gamma, beta: shift === undefined ? scaled : combine(scaled, shift, (a, b) => a + b) };
}

type NormStep = AffineStep | (BatchNormStep & { readonly isWrittenOut?: boolean });

/** The steps with each written-out batch norm in place of its multiplication and addition. */
function withWrittenOut(after: readonly AfterStep[], constants: Constants): readonly NormStep[] {
  const steps: NormStep[] = [];
  for (let i = 0; i < after.length; i++) {
    const [first, second] = after.slice(i, i + 2);
    const found =
      first?.type === "multiply" && second?.type === "add"
        ? writtenOut(first.value, second.value, constants)
        : undefined;
    if (found !== undefined) i++;
    const step = found ?? first;
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

function writtenOut(scale: string, shift: string, constants: Constants): NormStep | undefined {
  const multiplier = constants.producer(scale);
  const difference = constants.producer(shift);
  if (multiplier === undefined || difference?.operation.type !== "subtract") return undefined;
  const [rootNode, gamma] = factors(multiplier, (value) => constants.producer(value)?.operation.type === "rsqrt");
  const root = constants.producer(rootNode);
  const sum = root?.operation.type === "rsqrt" ? constants.producer(root.inputs[0] ?? "") : undefined;
  if (sum?.operation.type !== "add") return undefined;
  const [beta = "", product = ""] = difference.inputs;
  const [, mean] = factors(constants.producer(product), (value) => constants.producer(value) === multiplier);
  const [a = "", b = ""] = sum.inputs;
  const isOne = (value: string) => constants.has(value) && elementCount(constants.shape(value)) === 1;
  const [variance, epsilon] = isOne(b) ? [a, b] : [b, a];
  if (mean === "" || !isOne(epsilon)) return undefined;
  return {
    type: "batchNorm",
    epsilon: constants.read(epsilon)[0] ?? 0,
    gamma,
    beta,
    mean,
    variance,
    isWrittenOut: true,
  };
}

/** Of a multiplication: the factor that is sought, and the other one. A node that is sought itself has none. */
function factors(node: GraphNode | undefined, isSought: (value: string) => boolean): readonly [string, string] {
  if (node?.operation.type !== "multiply") return [node?.outputs[0] ?? "", ""];
  const [a = "", b = ""] = node.inputs;
  return isSought(a) ? [a, b] : isSought(b) ? [b, a] : ["", ""];
}

function batchNormValues(step: BatchNormStep, channels: number, constants: Constants): BatchNormValues | undefined {
  const names = [step.gamma, step.beta, step.mean, step.variance];
  if (names.some((name) => name !== "" && elementCount(constants.shape(name)) !== channels)) return undefined;
  constants.spend(4 * channels);
  const vector = (name: string, absent: number) =>
    name === "" ? new Float64Array(channels).fill(absent) : constants.read(name);
  return {
    epsilon: shortestDecimal(step.epsilon),
    gamma: vector(step.gamma, 1),
    beta: vector(step.beta, 0),
    mean: vector(step.mean, 0),
    variance: vector(step.variance, 1),
  };
}
