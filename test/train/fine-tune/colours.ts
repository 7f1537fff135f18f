/** A tiny network with batch norm, and pictures of three colours. */

import { tensor } from "../../../src/core/tensor.ts";
import { type Network, network } from "../../../src/layers/index.ts";
import { arrays, type Dataset } from "../../../src/train/data/index.ts";
import { type Colour, picture } from "../few-shot/shapes.ts";

export const COLOURS: readonly Colour[] = ["red", "green", "blue"];

/** Five classes, none of which is a colour. */
export function base(seed = 5): Network<"logits"> {
  const relu = (name: string) => ({ type: "activation", name, attributes: { function: "relu6" } }) as const;
  return network({
    name: "base",
    inputShape: [12, 12, 3],
    layers: [
      { type: "conv2d", name: "conv", attributes: { filters: 8, kernel: 3, stride: 2, bias: false } },
      { type: "batchNorm", name: "conv_bn" },
      relu("conv_relu"),
      { type: "depthwiseConv2d", name: "dw", attributes: { kernel: 3, bias: false } },
      { type: "batchNorm", name: "dw_bn" },
      relu("dw_relu"),
      { type: "pointwiseConv2d", name: "pw", attributes: { filters: 12, bias: false } },
      { type: "batchNorm", name: "pw_bn" },
      relu("pw_relu"),
      { type: "globalAveragePool", name: "pool" },
      { type: "dense", name: "top", attributes: { filters: 5 } },
    ],
    outputs: { logits: "top" },
    seed,
  });
}

export function colours(each: number, from = 0): Dataset {
  const data = new Uint8Array(3 * each * 12 * 12 * 3);
  const labels: number[] = [];
  for (let i = 0; i < 3 * each; i++) {
    const rgba = picture(COLOURS[i % 3]!, from + i).data;
    for (let p = 0; p < 144; p++) data.set(rgba.subarray(4 * p, 4 * p + 3), (i * 144 + p) * 3);
    labels.push(i % 3);
  }
  return arrays(tensor(data, [3 * each, 12, 12, 3]), labels, { classes: COLOURS });
}
