/** Standard convolution: every output channel reads every input channel. Howard et al. 2017, equation 1. */

import { booleanOption, positiveInteger } from "../core/options.ts";
import { elementCount } from "../core/tensor.ts";
import { layWindow, type WindowAttributes, type WindowOptions, windowAttributes } from "../core/window.ts";
import { type FusingOperation, imageShape, type ParameterRule, soleInput } from "./operation.ts";

export interface ConvolutionAttributes extends WindowAttributes {
  readonly filters: number;
  readonly bias: boolean;
}

export const convolution: FusingOperation<ConvolutionAttributes> = {
  isView: false,
  fuses: ["batchNorm", "activation"],
  check: (owner, attributes) => ({
    ...windowAttributes(owner, attributes["kernel"], attributes as WindowOptions),
    filters: positiveInteger(owner, "filters", attributes["filters"]),
    bias: booleanOption(owner, "bias", attributes["bias"] ?? true),
  }),
  outputShape: (owner, attributes, inputs) => {
    const [batch, height, width] = imageShape(owner, soleInput(owner, inputs));
    return [batch, ...layWindow(owner, attributes, [height, width]).output, attributes.filters];
  },
  parameters: ({ kernel, filters, bias }, input) => [
    { name: "kernel", role: "kernel", shape: [...kernel, input[3] ?? 0, filters], trainable: true },
    ...biasRule(bias, filters),
  ],
  multAdds: ({ kernel }, input, output) => kernelArea(kernel) * (input[3] ?? 0) * elementCount(output),
  call: (owner, attributes, inputs) => {
    const [, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
    return {
      kernel: "conv2d",
      window: layWindow(owner, attributes, [height, width]),
      inChannels: channels,
      outChannels: attributes.filters,
      activation: "linear",
    };
  },
};

/** The bias of a layer, if it has one. */
export function biasRule(hasBias: boolean, channels: number): readonly ParameterRule[] {
  return hasBias ? [{ name: "bias", role: "bias", shape: [channels], trainable: true }] : [];
}

export function kernelArea([height, width]: readonly [number, number]): number {
  return height * width;
}
