/** Pools on tensors. Padding never counts. */

import { checkKnownOptions, type PerAxis } from "../core/options.ts";
import { asFloat, type FloatTensor, type Tensor } from "../core/tensor.ts";
import type { WindowOptions } from "../core/window.ts";
import { globalPool as globalPoolKernel, pool as poolKernel } from "../kernels/reference/pool.ts";
import { globalAveragePool as globalOperation } from "../operations/global-pool.ts";
import type { GlobalPoolCall, PoolCall } from "../operations/kernel-call.ts";
import { averagePool as averageOperation, maxPool as maxOperation } from "../operations/pool.ts";
import { compute } from "./run.ts";

/** The window of a pool. */
export interface PoolOptions extends WindowOptions {
  /** Size of the window, `n` or `[height, width]`. */
  readonly kernel: PerAxis;
}

/**
 * Mean over windows; divides by the pixels inside the image.
 *
 * @param input   `[batch, height, width, channels]`, float32
 * @param options `kernel`; `stride`, `dilation` (default 1), `padding` (default `'same'`) as in `conv2d`
 * @returns `[batch, outHeight, outWidth, channels]`, a new tensor
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`, `NETWORK_VANISHES`
 */
export function averagePool(input: Tensor, options: PoolOptions): FloatTensor {
  return pool("averagePool", averageOperation, input, options);
}

/** Maximum over windows; see `averagePool`. */
export function maxPool(input: Tensor, options: PoolOptions): FloatTensor {
  return pool("maxPool", maxOperation, input, options);
}

/**
 * Mean of each channel over the whole image: `[batch, channels]`, or `[batch, 1, 1, channels]` with `keepDims`.
 *
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`
 */
export function globalAveragePool(input: Tensor, options: { readonly keepDims?: boolean } = {}): FloatTensor {
  const owner = "globalAveragePool";
  checkKnownOptions(owner, options, ["keepDims"]);
  const x = asFloat(input, `${owner}: input`);
  const attributes = globalOperation.check(owner, { ...options });
  const shape = globalOperation.outputShape(owner, attributes, [x.shape]);
  const call = globalOperation.call(owner, attributes, [x.shape], shape) as GlobalPoolCall;
  return compute(shape, globalPoolKernel(call), [x.data]);
}

function pool(owner: string, operation: typeof averageOperation, input: Tensor, options: PoolOptions): FloatTensor {
  checkKnownOptions(owner, options, ["kernel", "stride", "dilation", "padding"]);
  const x = asFloat(input, `${owner}: input`);
  const attributes = operation.check(owner, { ...options });
  const shape = operation.outputShape(owner, attributes, [x.shape]);
  const call = operation.call(owner, attributes, [x.shape], shape) as PoolCall;
  return compute(shape, poolKernel(call), [x.data]);
}
