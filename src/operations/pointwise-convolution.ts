/** Pointwise convolution: a 1 × 1 kernel that mixes channels. Howard et al. 2017, section 3.1. */

import { booleanOption, positiveInteger } from "../core/options.ts";
import { elementCount } from "../core/tensor.ts";
import { biasRule } from "./convolution.ts";
import { type FusingOperation, imageShape, soleInput } from "./operation.ts";

export interface PointwiseAttributes {
  readonly filters: number;
  readonly bias: boolean;
}

export const pointwiseConvolution: FusingOperation<PointwiseAttributes> = {
  isView: false,
  fuses: ["batchNorm", "activation"],
  check: (owner, attributes) => ({
    filters: positiveInteger(owner, "filters", attributes["filters"]),
    bias: booleanOption(owner, "bias", attributes["bias"] ?? true),
  }),
  outputShape: (owner, { filters }, inputs) => {
    const [batch, height, width] = imageShape(owner, soleInput(owner, inputs));
    return [batch, height, width, filters];
  },
  parameters: ({ filters, bias }, input) => [
    { name: "kernel", role: "kernel", shape: [1, 1, input[3] ?? 0, filters], trainable: true },
    ...biasRule(bias, filters),
  ],
  multAdds: (_attributes, input, output) => (input[3] ?? 0) * elementCount(output),
  call: (owner, { filters }, inputs) => {
    const [, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
    return {
      kernel: "pointwiseConv2d",
      pixels: height * width,
      inChannels: channels,
      outChannels: filters,
      activation: "linear",
    };
  },
};
