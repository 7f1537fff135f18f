/** A network that trains in no time, numbers for it, and the error of a call. */

import type { Tensor } from "../../src/core/tensor.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  dropout,
  globalAveragePool,
  pointwise,
  sequential,
} from "../../src/layers/index.ts";
import type { Network } from "../../src/layers/network.ts";
import { recipe } from "../golden/vectors.ts";

export const CLASSES = 4;

export function smallNetwork({ seed = 1, rate = 0 } = {}): Network {
  return sequential({ inputShape: [8, 8, 3], seed }, [
    conv2d({ filters: 8, kernel: 3, stride: 2, bias: false, name: "conv" }),
    batchNorm({ name: "conv_bn" }),
    activation("relu6"),
    depthwise({ kernel: 3, bias: false, name: "dw" }),
    batchNorm({ name: "dw_bn" }),
    activation("relu6"),
    pointwise({ filters: 12, bias: false, name: "pw" }),
    batchNorm({ name: "pw_bn" }),
    activation("relu6"),
    globalAveragePool(),
    ...(rate === 0 ? [] : [dropout(rate)]),
    dense({ filters: CLASSES, name: "logits" }),
  ]);
}

export const pictures = (count: number, seed: number): Tensor => recipe([count, 8, 8, 3], seed, -1, 1);

export const labelsOf = (count: number, seed = 0): number[] =>
  Array.from({ length: count }, (_, n) => (3 * n + seed) % CLASSES);

/** The error of a call, whether it is thrown or rejected: its code and its message. */
export async function errorOf(call: () => unknown): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await call();
  } catch (error) {
    return error as { readonly code: string; readonly message: string };
  }
  throw new Error("nothing was refused");
}
