/** Activations, softmax, sum and product on tensors. Each gives a new tensor of its first input's shape. */

import { belowOne } from "../core/options.ts";
import { asFloat, type FloatTensor, type Tensor } from "../core/tensor.ts";
import { activateRange, leakRange } from "../kernels/reference/activation.ts";
import { elementwise as elementwiseKernel } from "../kernels/reference/elementwise.ts";
import { softmax as softmaxKernel } from "../kernels/reference/softmax.ts";
import type { FusedActivation } from "../operations/activation-names.ts";
import { add as addOperation, multiply as multiplyOperation } from "../operations/elementwise.ts";
import type { ElementwiseCall } from "../operations/kernel-call.ts";
import { lastAxis } from "../operations/operation.ts";
import { commonOptions, compute, produce } from "./run.ts";

/** `max(x, 0)`. */
export const relu = (input: Tensor): FloatTensor => activate("relu", input);

/** `min(max(x, 0), 6)`. */
export const relu6 = (input: Tensor): FloatTensor => activate("relu6", input);

/** `x · relu6(x + 3) / 6`. Source: Howard et al. 2019, section 5.2. */
export const hardSwish = (input: Tensor): FloatTensor => activate("hardSwish", input);

/** `relu6(x + 3) / 6`; not Keras 2's `clip(0.2x + 0.5)`. */
export const hardSigmoid = (input: Tensor): FloatTensor => activate("hardSigmoid", input);

/**
 * `x` where it is not below 0, `slope · x` elsewhere; `slope` is at least 0 and below 1, default 0.01 as in PyTorch.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for another slope, `DTYPE_MISMATCH`
 */
export function leakyRelu(input: Tensor, slope = 0.01): FloatTensor {
  const factor = Math.fround(belowOne("leakyRelu", "slope", slope));
  // What is no slope at all is ReLU, which gives 0 for minus infinity.
  return factor === 0 ? activate("relu", input) : activate("leakyRelu", input, factor);
}

/** Softmax on the last axis; huge logits do not overflow. */
export function softmax(input: Tensor): FloatTensor {
  const x = asFloat(input, "softmax: input");
  const channels = lastAxis(x.shape);
  const rows = channels === 0 ? 0 : x.data.length / channels;
  return compute(x.shape, softmaxKernel({ kernel: "softmax", rows, channels }), [x.data], [], 1);
}

/** What follows an elementwise operation. */
export interface ElementwiseOptions {
  /** Applied last. Default `linear`. */
  readonly activation?: FusedActivation;
}

/**
 * Sum. `b` may be broadcast to the shape of `a` by NumPy's rules (`[C]`, `[N, 1, 1, C]`, …); ranks 1 to 4.
 *
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`
 */
export function add(a: Tensor, b: Tensor, options: ElementwiseOptions = {}): FloatTensor {
  return combine("add", addOperation, a, b, options);
}

/** Product; see `add`. */
export function multiply(a: Tensor, b: Tensor, options: ElementwiseOptions = {}): FloatTensor {
  return combine("multiply", multiplyOperation, a, b, options);
}

function combine(
  owner: "add" | "multiply",
  operation: typeof addOperation,
  first: Tensor,
  second: Tensor,
  options: ElementwiseOptions,
): FloatTensor {
  const { activation } = commonOptions(owner, options, ["activation"]);
  const a = asFloat(first, `${owner}: first input`);
  const b = asFloat(second, `${owner}: second input`);
  const shape = operation.outputShape(owner, {}, [a.shape, b.shape]);
  const call = operation.call(owner, {}, [a.shape, b.shape], shape) as ElementwiseCall;
  return compute(shape, elementwiseKernel({ ...call, activation }), [a.data, b.data]);
}

function activate(name: FusedActivation | "leakyRelu", input: Tensor, slope = 0): FloatTensor {
  const x = asFloat(input, `${name}: input`);
  return produce(x.shape, (y) => {
    y.set(x.data);
    if (name === "leakyRelu") leakRange(slope, y, 0, y.length);
    else activateRange(name, y, 0, y.length);
  });
}
