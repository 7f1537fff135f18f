/** Dense (fully connected) layer on the last axis of `[batch, channels]`. */

import { booleanOption, positiveInteger } from "../core/options.ts";
import { elementCount } from "../core/tensor.ts";
import { biasRule } from "./convolution.ts";
import { expectRank, type FusingOperation, soleInput } from "./operation.ts";

export interface DenseAttributes {
  /** Output channels; Keras calls them units. */
  readonly filters: number;
  readonly bias: boolean;
}

export const dense: FusingOperation<DenseAttributes> = {
  isView: false,
  fuses: ["batchNorm", "activation"],
  check: (owner, attributes) => ({
    filters: positiveInteger(owner, "filters", attributes["filters"]),
    bias: booleanOption(owner, "bias", attributes["bias"] ?? true),
  }),
  outputShape: (owner, { filters }, inputs) => {
    const input = soleInput(owner, inputs);
    expectRank(owner, input, 2, "[batch, channels]");
    return [input[0] ?? 0, filters];
  },
  parameters: ({ filters, bias }, input) => [
    { name: "kernel", role: "kernel", shape: [input[1] ?? 0, filters], trainable: true },
    ...biasRule(bias, filters),
  ],
  multAdds: (_attributes, input, output) => (input[1] ?? 0) * elementCount(output),
  call: (_owner, { filters }, [input = []]) => ({
    kernel: "pointwiseConv2d",
    pixels: 1,
    inChannels: input[1] ?? 0,
    outChannels: filters,
    activation: "linear",
  }),
};
