/**
 * Initial parameters: kernels uniform in ±√(6 / fan-in) (He et al. 2015), gamma and variance 1, the rest 0.
 * Seeded, so that the same network starts from the same numbers everywhere.
 */

import { allocated, checkBytes } from "../core/memory.ts";
import { mulberry32 } from "../core/random.ts";
import { elementCount, type FloatTensor, type Shape, tensor } from "../core/tensor.ts";
import type { ParameterInfo } from "./parameter-info.ts";

const ADVICE = "Use a smaller alpha, or fewer filters, classes or blocks.";

/** Bytes of parameters, from their shapes alone. */
export function parameterBytes(parameters: Iterable<ParameterInfo>): number {
  let bytes = 0;
  for (const { shape } of parameters) bytes += 4 * elementCount(shape);
  return bytes;
}

/** @throws {DepthwiseError} `MEMORY_EXCEEDED` for more parameters than can be held; `owner` is what has them */
export function checkParameterBytes(owner: string, parameters: Iterable<ParameterInfo>): void {
  checkBytes(`${owner}: parameters`, parameterBytes(parameters), ADVICE);
}

export function initialise(parameters: Iterable<ParameterInfo>, seed: number): Map<string, FloatTensor> {
  const random = mulberry32(seed);
  const values = new Map<string, FloatTensor>();
  for (const { name, role, shape } of parameters) {
    const count = elementCount(shape);
    const data = allocated(name, 4 * count, ADVICE, () => new Float32Array(count));
    if (role === "kernel") {
      const bound = Math.sqrt(6 / fanIn(name, shape));
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random() - 1);
    } else if (role === "gamma" || role === "variance") {
      data.fill(1);
    }
    values.set(name, tensor(data, shape));
  }
  return values;
}

/** Numbers that flow into one output: all but the last axis; of a depthwise kernel only its window. */
function fanIn(name: string, shape: Shape): number {
  const axes = name.endsWith("/depthwise_kernel") ? shape.slice(0, 2) : shape.slice(0, -1);
  return Math.max(1, elementCount(axes));
}
