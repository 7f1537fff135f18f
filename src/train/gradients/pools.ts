/** Gradients of pools. */

import { checkKnownOptions } from "../../core/options.ts";
import { asFloat, type FloatTensor, type Shape, type Tensor } from "../../core/tensor.ts";
import type { PoolOptions } from "../../eager/pools.ts";
import { produce } from "../../eager/run.ts";
import { poolGradientRunner } from "../../kernels/reference/gradients/pool.ts";
import { globalAveragePool } from "../../operations/global-pool.ts";
import type { GlobalPoolCall, PoolCall } from "../../operations/kernel-call.ts";
import { averagePool, maxPool } from "../../operations/pool.ts";
import { expectUpstream, type InputGradient } from "./run.ts";

/**
 * Gradient of `averagePool`: each pixel of a window gets the upstream divided by the pixels inside the image.
 *
 * @param upstream `[batch, outHeight, outWidth, channels]`, float32
 * @param input    `[batch, height, width, channels]`, float32
 * @param options  as for `averagePool`
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`, `NETWORK_VANISHES`
 */
export function averagePoolGradient(upstream: Tensor, input: Tensor, options: PoolOptions): InputGradient {
  return windowGradient("averagePoolGradient", averagePool, upstream, input, options);
}

/** Gradient of `maxPool`: the largest pixel of a window gets it all, of equal ones the first; see `averagePoolGradient`. */
export function maxPoolGradient(upstream: Tensor, input: Tensor, options: PoolOptions): InputGradient {
  return windowGradient("maxPoolGradient", maxPool, upstream, input, options);
}

/**
 * Gradient of `globalAveragePool`: each pixel gets the upstream divided by their number.
 *
 * @param upstream `[batch, channels]`, or `[batch, 1, 1, channels]` with `keepDims`, float32
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`
 */
export function globalAveragePoolGradient(
  upstream: Tensor,
  input: Tensor,
  options: { readonly keepDims?: boolean } = {},
): InputGradient {
  const owner = "globalAveragePoolGradient";
  checkKnownOptions(owner, options, ["keepDims"]);
  const x = asFloat(input, `${owner}: input`);
  const attributes = globalAveragePool.check(owner, { ...options });
  const shape = globalAveragePool.outputShape(owner, attributes, [x.shape]);
  const call = globalAveragePool.call(owner, attributes, [x.shape], shape) as GlobalPoolCall;
  return gradient(owner, call, upstream, x, shape);
}

function windowGradient(
  owner: string,
  operation: typeof averagePool,
  upstream: Tensor,
  input: Tensor,
  options: PoolOptions,
): InputGradient {
  checkKnownOptions(owner, options, ["kernel", "stride", "dilation", "padding"]);
  const x = asFloat(input, `${owner}: input`);
  const attributes = operation.check(owner, { ...options });
  const shape = operation.outputShape(owner, attributes, [x.shape]);
  const call = operation.call(owner, attributes, [x.shape], shape) as PoolCall;
  return gradient(owner, call, upstream, x, shape);
}

function gradient(
  owner: string,
  of: PoolCall | GlobalPoolCall,
  upstream: Tensor,
  x: FloatTensor,
  output: Shape,
): InputGradient {
  const dy = expectUpstream(owner, upstream, output);
  const run = poolGradientRunner({ kernel: "poolGradient", of });
  const dx = produce(x.shape, (into) =>
    run(x.shape[0] ?? 1, { dy: dy.data, x: x.data, dx: into }, { adds: false, scale: 1 }),
  );
  return { dx };
}
