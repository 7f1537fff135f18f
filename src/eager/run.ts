/** Eager calls: check everything, allocate the output, call a kernel. */

import { DepthwiseError } from "../core/errors.ts";
import { allocated } from "../core/memory.ts";
import { checkKnownOptions, oneOf } from "../core/options.ts";
import {
  asFloat,
  elementCount,
  type FloatTensor,
  type Shape,
  sameShape,
  shapeText,
  type Tensor,
  tensor,
} from "../core/tensor.ts";
import type { Runner } from "../kernels/reference/runner.ts";
import { FUSED_ACTIVATIONS, type FusedActivation } from "../operations/activation-names.ts";

/** What follows the sums of an eager operation. */
export interface EagerOptions {
  /** `[output channels]`. Default none. */
  readonly bias?: Tensor;
  /** Applied last. Default `linear`. */
  readonly activation?: FusedActivation;
}

/** The options of an eager call after the checks that all share. */
export function commonOptions(owner: string, options: EagerOptions, known: readonly string[]) {
  checkKnownOptions(owner, options, known);
  return { activation: oneOf(owner, "activation", options.activation ?? "linear", FUSED_ACTIVATIONS) };
}

/** Weights that must have a shape known from the input. */
export function expectShape(owner: string, what: string, value: Tensor, expected: Shape, advice: string): FloatTensor {
  const checked = asFloat(value, `${owner}: ${what}`);
  if (sameShape(checked.shape, expected)) return checked;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: ${what}`,
    expected: `shape ${shapeText(expected)}`,
    found: shapeText(checked.shape),
    advice,
    fields: { expected, found: checked.shape },
  });
}

/** A bias of one number a channel, or none. */
export function expectBias(owner: string, bias: Tensor | undefined, channels: number): Float32Array | undefined {
  if (bias === undefined) return undefined;
  return expectShape(owner, "bias", bias, [channels], "A bias has one number for each output channel.").data;
}

/** A new tensor filled by `fill`. */
export function produce(shape: Shape, fill: (output: Float32Array) => void): FloatTensor {
  const count = elementCount(shape);
  const what = `output of shape ${shapeText(shape)}`;
  const output = allocated(
    what,
    4 * count,
    "Use a smaller input, less padding or a larger stride.",
    () => new Float32Array(count),
  );
  fill(output);
  return tensor(output, shape);
}

/** A new tensor that a kernel computes, example by example. */
export function compute(
  shape: Shape,
  run: Runner,
  inputs: readonly Float32Array[],
  parameters: readonly (Float32Array | undefined)[] = [],
  examples = shape[0] ?? 1,
): FloatTensor {
  return produce(shape, (output) => run(examples, { inputs, parameters, output }));
}
