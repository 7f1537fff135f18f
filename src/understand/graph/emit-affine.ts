/** Arithmetic with constants, and batch norm, as layers of their own or behind a kernel. */

import { quoted } from "../../core/file-error.ts";
import { tensor } from "../../core/tensor.ts";
import type { GraphNode } from "../../formats/graph.ts";
import { type AfterStep, afterStep } from "./chain.ts";
import { type BatchNormValues, foldedBatchNorm, normalizationOf } from "./normalization.ts";
import {
  described,
  fitsChannels,
  type LayerParameters,
  laidValue,
  layoutOf,
  naturally,
  rowsOf,
  type Site,
} from "./site.ts";
import { innermost, type Value, type View, withLast } from "./views.ts";

export interface After {
  readonly steps: readonly AfterStep[];
  /** The last node that was taken in, the first one if there was no other. */
  readonly last: GraphNode;
  /** The value that it makes. */
  readonly output: string;
  /** What the graph calls its batch norm. */
  readonly batchNorm?: string;
}

const AFFINE: ReadonlySet<string> = new Set(["add", "subtract", "multiply", "divide", "batchNorm"]);

/** All arithmetic with constants that follows a node, where nobody else reads what is between. */
export function stepsAfter(site: Site, first: GraphNode, view: View): After {
  const steps: AfterStep[] = [];
  let last = first;
  let batchNorm: string | undefined;
  for (let next = nextOf(site, last); next !== undefined; next = nextOf(site, last)) {
    if (next.operation.type !== "identity") {
      const step = stepOf(site, next, last.outputs[0] ?? "", view);
      if (step === undefined) break;
      steps.push(step);
      if (step.type === "batchNorm") batchNorm ??= next.name;
    }
    site.absorbed.add(next.name);
    last = next;
  }
  return { steps, last, output: last.outputs[0] ?? "", ...(batchNorm === undefined ? {} : { batchNorm }) };
}

function nextOf({ live }: Site, { outputs: [output = ""] }: GraphNode): GraphNode | undefined {
  return live.soleReader(output);
}

/** A node as a step that changes each channel alike; undefined if it is none. */
function stepOf(site: Site, node: GraphNode, value: string, view: View): AfterStep | undefined {
  if (!AFFINE.has(node.operation.type)) return undefined;
  const step = afterStep(node, site.constants);
  if (typeof step === "string") return undefined;
  if (step.type === "batchNorm") {
    const vectors = [step.gamma, step.beta, step.mean, step.variance].filter((name) => name !== "");
    const isApart = node.inputs[0] === value && vectors.every((name) => site.constants.has(name));
    return isApart && view.order.at(-1) === channelAxis(site, view) ? step : undefined;
  }
  return node.inputs.includes(value) && fitsChannels(site, step.value, view) ? step : undefined;
}

/** The axis that a batch norm is for. */
function channelAxis(site: Site, { sides }: View): number {
  return layoutOf(site) === "NCHW" ? 0 : sides.length - 1;
}

/** Arithmetic with a constant that follows no kernel: one layer for all that comes in a row. */
export function affine(site: Site, node: GraphNode): void {
  const { name, inputs, outputs, operation } = node;
  const { type } = operation;
  const computed = inputs.filter((input) => site.values.has(input));
  const [input, another] = computed;
  if (another !== undefined && type !== "batchNorm")
    site.refuse(`${quoted(name)} ${type}s one computed value by another`);
  const laid = laidValue(site, input, name);
  const isVector = inputs.some(
    (each) => site.constants.has(each) && site.constants.shape(each).some((side) => side !== 1),
  );
  const axis = type !== "batchNorm" && isVector ? (innermost(laid) ?? 0) : channelAxis(site, laid);
  const value = naturally(site, { ...laid, ...withLast(laid, axis) });
  const first = stepOf(site, node, input ?? "", value);
  if (first === undefined) {
    const step = afterStep(node, site.constants);
    const why =
      typeof step === "string" ? step : `changes ${described(value)} by constants that are not one for each channel`;
    site.refuse(`${quoted(name)} ${why}`);
  }
  const after = stepsAfter(site, node, value);
  const channels = value.shape.at(-1) ?? 1;
  const normalization =
    normalizationOf({ bias: undefined, after: [first, ...after.steps] }, channels, site.constants) ??
    site.refuse(`what ${quoted(name)} does does not fit ${channels} channels`);
  const { scale, bias, batchNorm } = normalization;
  const isBatchNorm = batchNorm !== undefined && scale === undefined && bias === undefined;
  const values = isBatchNorm ? batchNorm : undefined;
  const layer =
    values === undefined
      ? affineLayer(site, name, value, composed(channels, scale, bias, batchNorm))
      : batchNormLayer(site, after.batchNorm ?? name, value.node, values, value);
  site.values.set(after.output || (outputs[0] ?? ""), { ...value, node: layer });
}

/** Scale, shift and batch norm, one after the other, as one scale and one shift. */
function composed(
  channels: number,
  scale: Float64Array = new Float64Array(channels).fill(1),
  shift: Float64Array = new Float64Array(channels),
  batchNorm?: BatchNormValues,
): Factors {
  if (batchNorm === undefined) return { scale, shift };
  const folded = foldedBatchNorm(batchNorm);
  return {
    scale: scale.map((value, c) => value * (folded.scale[c] ?? 1)),
    shift: shift.map((value, c) => value * (folded.scale[c] ?? 1) + (folded.shift[c] ?? 0)),
  };
}

interface Factors {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** An epsilon that vanishes beside a variance of 1 in float64: the layer multiplies by gamma and adds beta. */
export const NO_EPSILON = 1e-16;

function affineLayer(site: Site, name: string, value: Value, { scale, shift }: Factors): string {
  if (scale.every((each) => each === 1) && shift.every((each) => each === 0)) return value.node;
  const mean = new Float64Array(scale.length);
  const values = { epsilon: NO_EPSILON, gamma: scale, beta: shift, mean, variance: mean.map(() => 1) };
  return batchNormLayer(site, name, value.node, values, value);
}

/** A layer of batch norm, its numbers in the order of `view` in memory; one without an epsilon is a scale and a shift. */
export function batchNormLayer(site: Site, name: string, node: string, values: BatchNormValues, view: View): string {
  const { epsilon } = values;
  const { gamma, beta, mean, variance } = epsilon > 0 ? values : withoutEpsilon(values);
  site.charge(16 * gamma.length, `the numbers of ${quoted(name)}`);
  const laid = (each: Float64Array) => tensor(rowsOf(Float32Array.from(each), view), [each.length]);
  const parameters: LayerParameters = {
    gamma: laid(gamma),
    beta: laid(beta),
    moving_mean: laid(mean),
    moving_variance: laid(variance),
  };
  const attributes = { epsilon: epsilon > 0 ? epsilon : NO_EPSILON, scale: true, center: true };
  return site.draft.add(name, "batchNorm", [node], attributes, parameters);
}

function withoutEpsilon(values: BatchNormValues): Omit<BatchNormValues, "epsilon"> {
  const { scale, shift } = foldedBatchNorm(values);
  const mean = new Float64Array(scale.length);
  return { gamma: scale, beta: shift, mean, variance: mean.map(() => 1) };
}
