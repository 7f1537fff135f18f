/**
 * What an operation is: its attributes, shape rule, parameters, multiplications and the kernel call it becomes.
 * Eager calls, layers, plan and cost all ask here, so no rule stands twice.
 */

import { DepthwiseError } from "../core/errors.ts";
import { type Shape, shapeText } from "../core/tensor.ts";
import type { FusingCall, KernelCall } from "./kernel-call.ts";

/** What a parameter does; counting conventions speak of roles. */
export type ParameterRole = "kernel" | "bias" | "gamma" | "beta" | "mean" | "variance";

export interface ParameterRule {
  /** Keras' name of the weight: `kernel`, `depthwise_kernel`, `moving_mean`, … */
  readonly name: string;
  readonly role: ParameterRole;
  readonly shape: Shape;
  /** Moving statistics are the only parameters that training does not update by gradient. */
  readonly trainable: boolean;
}

/** Layers that may run inside the step of the layer before them. */
export type Fusible = "batchNorm" | "activation";

/** Shapes include the batch. `owner` names the layer or function in errors. */
interface Rules<Attributes> {
  /** Checks attributes of unknown origin and completes them. Throws `OPTION_INVALID`. */
  check(owner: string, attributes: Readonly<Record<string, unknown>>): Attributes;
  /** Throws `SHAPE_MISMATCH` or `NETWORK_VANISHES`. */
  outputShape(owner: string, attributes: Attributes, inputs: readonly Shape[]): Shape;
  parameters(attributes: Attributes, input: Shape): readonly ParameterRule[];
  /** Multiply-adds of the whole batch; 0 where the paper counts none. */
  multAdds(attributes: Attributes, input: Shape, output: Shape): number;
}

/** Another name for the buffer that it reads: no number changes. */
export interface ViewOperation<Attributes> extends Rules<Attributes> {
  readonly isView: true;
  readonly fuses: readonly [];
}

interface Computed<Attributes, Fuses extends readonly Fusible[], Call extends KernelCall> extends Rules<Attributes> {
  readonly isView: false;
  /** Which layers right behind it run in its step. A batch norm wants a parameter `kernel` to fold into. */
  readonly fuses: Fuses;
  /** The kernel that computes it. */
  call(owner: string, attributes: Attributes, inputs: readonly Shape[], output: Shape): Call;
}

/** A step that takes in nothing. */
export type PlainOperation<Attributes> = Computed<Attributes, readonly [], KernelCall>;

/** A step that takes in what follows: its call has a field for the activation, or it does not compile. */
export type FusingOperation<Attributes> = Computed<
  Attributes,
  readonly ["activation"] | readonly ["batchNorm", "activation"],
  FusingCall
>;

export type Operation<Attributes> =
  | ViewOperation<Attributes>
  | PlainOperation<Attributes>
  | FusingOperation<Attributes>;

/** Requires a rank; `axes` spells the axes out in the error. */
export function expectRank(owner: string, shape: Shape, rank: number, axes: string): void {
  if (shape.length === rank) return;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: input`,
    expected: `rank ${rank} ${axes}`,
    found: shapeText(shape),
    advice: rank === 4 ? "A single image is a batch of one: add a leading 1 to its shape." : "Reshape it first.",
    fields: { owner, shape },
  });
}

/** The input of an operation that takes one. */
export function soleInput(owner: string, inputs: readonly Shape[]): Shape {
  const [first] = inputs;
  if (first === undefined || inputs.length !== 1) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: owner,
      expected: "one input",
      found: `${inputs.length}`,
      advice: "Only add and multiply take two.",
    });
  }
  return first;
}

/** `[batch, height, width, channels]` of a rank-4 shape. */
export function imageShape(owner: string, shape: Shape): readonly [number, number, number, number] {
  expectRank(owner, shape, 4, "[batch, height, width, channels]");
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  return [batch, height, width, channels];
}

/** Elements of one example. */
export function perExample(shape: Shape): number {
  let count = 1;
  for (const side of shape.slice(1)) count *= side;
  return count;
}

/** Size of the last axis. */
export function lastAxis(shape: Shape): number {
  return shape[shape.length - 1] ?? 1;
}
