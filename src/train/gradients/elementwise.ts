/** Gradients of activations, softmax, sum and product. */

import { belowOne } from "../../core/options.ts";
import { asFloat, type FloatTensor, type Tensor } from "../../core/tensor.ts";
import type { ElementwiseOptions } from "../../eager/elementwise.ts";
import { commonOptions, compute, produce } from "../../eager/run.ts";
import { elementwise as elementwiseKernel } from "../../kernels/reference/elementwise.ts";
import { type AppliedActivation, activationGradientRange } from "../../kernels/reference/gradients/activation.ts";
import { softmaxRow } from "../../kernels/reference/gradients/cross-entropy.ts";
import { elementwiseGradientRunner } from "../../kernels/reference/gradients/elementwise.ts";
import { softmaxGradientRows } from "../../kernels/reference/gradients/softmax.ts";
import { add, multiply } from "../../operations/elementwise.ts";
import type { ElementwiseCall } from "../../operations/kernel-call.ts";
import { lastAxis } from "../../operations/operation.ts";
import { beforeActivation, expectUpstream, type InputGradient } from "./run.ts";

/** Gradient of `relu`: the upstream where x is above 0, else 0. */
export const reluGradient = (upstream: Tensor, input: Tensor): InputGradient =>
  activationGradient("reluGradient", { activation: "relu" }, upstream, input);

/** Gradient of `relu6`: the upstream where x lies between 0 and 6, else 0, also at 0 and at 6. */
export const relu6Gradient = (upstream: Tensor, input: Tensor): InputGradient =>
  activationGradient("relu6Gradient", { activation: "relu6" }, upstream, input);

/** Gradient of `hardSwish`: the upstream times 0 below −3, 1 above 3, and (2x + 3) / 6 from −3 to 3. */
export const hardSwishGradient = (upstream: Tensor, input: Tensor): InputGradient =>
  activationGradient("hardSwishGradient", { activation: "hardSwish" }, upstream, input);

/** Gradient of `hardSigmoid`: a sixth of the upstream where x lies between −3 and 3, else 0. */
export const hardSigmoidGradient = (upstream: Tensor, input: Tensor): InputGradient =>
  activationGradient("hardSigmoidGradient", { activation: "hardSigmoid" }, upstream, input);

/**
 * Gradient of `leakyRelu`: the upstream where x is above 0, `slope` times that elsewhere; default 0.01.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for another slope, `SHAPE_MISMATCH`, `DTYPE_MISMATCH`
 */
export function leakyReluGradient(upstream: Tensor, input: Tensor, slope = 0.01): InputGradient {
  const owner = "leakyReluGradient";
  const factor = Math.fround(belowOne(owner, "slope", slope));
  const of = factor === 0 ? ({ activation: "relu" } as const) : ({ activation: "leakyRelu", slope: factor } as const);
  return activationGradient(owner, of, upstream, input);
}

/** Gradient of `softmax` y of x, on the last axis: `dx = y · (upstream − Σ upstream · y)`. */
export function softmaxGradient(upstream: Tensor, input: Tensor): InputGradient {
  const owner = "softmaxGradient";
  const x = asFloat(input, `${owner}: input`);
  const dy = expectUpstream(owner, upstream, x.shape);
  const channels = lastAxis(x.shape);
  const rows = channels === 0 ? 0 : x.data.length / channels;
  const y = new Float64Array(channels);
  const dx = produce(x.shape, (into) => {
    for (let row = 0; row < rows; row++) {
      const [from, to] = [row * channels, (row + 1) * channels];
      softmaxRow(x.data, from, y, 0, channels);
      softmaxGradientRows(dy.data.subarray(from, to), y, into.subarray(from, to), 1, channels);
    }
  });
  return { dx };
}

/** The gradients of an operation of two inputs. */
export interface PairGradient {
  /** Of the shape of `a`. */
  readonly da: FloatTensor;
  /** Of the shape of `b`, summed over the axes that it was broadcast along. */
  readonly db: FloatTensor;
}

/**
 * Gradients of `add`: the upstream itself, for `b` summed over the axes that it was broadcast along.
 *
 * @param options as for `add`
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`
 */
export function addGradient(upstream: Tensor, a: Tensor, b: Tensor, options: ElementwiseOptions = {}): PairGradient {
  return pairGradient("addGradient", add, upstream, a, b, options);
}

/** Gradients of `multiply`: `da = upstream · b`, and `db = upstream · a`, summed as by `addGradient`. */
export function multiplyGradient(
  upstream: Tensor,
  a: Tensor,
  b: Tensor,
  options: ElementwiseOptions = {},
): PairGradient {
  return pairGradient("multiplyGradient", multiply, upstream, a, b, options);
}

function activationGradient(owner: string, of: AppliedActivation, upstream: Tensor, input: Tensor): InputGradient {
  const x = asFloat(input, `${owner}: input`);
  const dy = expectUpstream(owner, upstream, x.shape);
  return { dx: produce(x.shape, (dx) => activationGradientRange(of, dy.data, x.data, dx, dx.length)) };
}

function pairGradient(
  owner: string,
  operation: typeof add,
  upstream: Tensor,
  first: Tensor,
  second: Tensor,
  options: ElementwiseOptions,
): PairGradient {
  const { activation } = commonOptions(owner, options, ["activation"]);
  const a = asFloat(first, `${owner}: first input`);
  const b = asFloat(second, `${owner}: second input`);
  const shape = operation.outputShape(owner, {}, [a.shape, b.shape]);
  const of = operation.call(owner, {}, [a.shape, b.shape], shape) as ElementwiseCall;
  const dy = expectUpstream(owner, upstream, shape);
  const dz = beforeActivation(activation, dy, () => compute(shape, elementwiseKernel(of), [a.data, b.data]));
  const operands = { dy: dz, a: a.data, b: b.data };
  const gradient = (to: "a" | "b", values: FloatTensor, name: string) =>
    produce(values.shape, (into) => {
      const run = elementwiseGradientRunner({ kernel: "elementwiseGradient", of, to });
      run(shape[0] ?? 1, { ...operands, [name]: into }, { adds: false, scale: 1 });
    });
  return { da: gradient("a", a, "da"), db: gradient("b", b, "db") };
}
