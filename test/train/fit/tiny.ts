/** A tiny network and tiny data for `fit`: seconds become milliseconds. */

import { tensor } from "../../../src/core/tensor.ts";
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
} from "../../../src/layers/index.ts";
import type { Network } from "../../../src/layers/network.ts";
import { arrays } from "../../../src/train/data/arrays.ts";
import type { Dataset } from "../../../src/train/data/dataset.ts";

export const SIDE = 8;
export const CLASSES = 3;

/** Convolution, depthwise, pointwise, each with batch norm, and a head; dropout before it. */
export function tinyModel({ classes = CLASSES, dropRate = 0.2 } = {}): Network {
  return sequential({ name: "tiny", inputShape: [SIDE, SIDE, 3] }, [
    conv2d({ name: "conv", filters: 8, kernel: 3, stride: 2, padding: "same", bias: false }),
    batchNorm({ name: "conv_bn" }),
    activation("relu6"),
    depthwise({ name: "dw", kernel: 3, padding: "same", bias: false }),
    batchNorm({ name: "dw_bn" }),
    activation("relu6"),
    pointwise({ name: "pw", filters: 16, bias: false }),
    batchNorm({ name: "pw_bn" }),
    activation("relu6"),
    globalAveragePool(),
    dropout(dropRate),
    dense({ name: "head", filters: classes }),
  ]);
}

/** Pictures of one colour a class, with noise: learnt in a few epochs. */
export function tinyData(count: number, { classes = CLASSES, seed = 1 } = {}): Dataset {
  const pixels = new Uint8Array(count * SIDE * SIDE * 3);
  let state = seed;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const example = Math.floor(i / (SIDE * SIDE * 3));
    pixels[i] = (state >>> 25) + (i % 3 === example % classes ? 100 : 0);
  }
  const labels = Array.from({ length: count }, (_, n) => n % classes);
  return arrays(tensor(pixels, [count, SIDE, SIDE, 3]), labels, { classes });
}
