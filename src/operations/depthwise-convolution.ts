/** Depthwise convolution: filters each channel on its own and mixes none. Howard et al. 2017, equation 3. */

import { DepthwiseError } from "../core/errors.ts";
import { booleanOption, show } from "../core/options.ts";
import { elementCount } from "../core/tensor.ts";
import { layWindow, type WindowAttributes, type WindowOptions, windowAttributes } from "../core/window.ts";
import { biasRule, kernelArea } from "./convolution.ts";
import { type FusingOperation, imageShape, soleInput } from "./operation.ts";

export interface DepthwiseAttributes extends WindowAttributes {
  /** Filters for each input channel; neither the width nor the resolution multiplier. */
  readonly multiplier: number;
  readonly bias: boolean;
}

export const depthwiseConvolution: FusingOperation<DepthwiseAttributes> = {
  isView: false,
  fuses: ["batchNorm", "activation"],
  check: (owner, attributes) => ({
    ...windowAttributes(owner, attributes["kernel"], attributes as WindowOptions),
    multiplier: checkMultiplier(owner, attributes["multiplier"] ?? 1),
    bias: booleanOption(owner, "bias", attributes["bias"] ?? true),
  }),
  outputShape: (owner, attributes, inputs) => {
    const [batch, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
    return [batch, ...layWindow(owner, attributes, [height, width]).output, channels * attributes.multiplier];
  },
  parameters: ({ kernel, multiplier, bias }, input) => {
    const channels = input[3] ?? 0;
    return [
      { name: "depthwise_kernel", role: "kernel", shape: [...kernel, channels, multiplier], trainable: true },
      ...biasRule(bias, channels * multiplier),
    ];
  },
  multAdds: ({ kernel }, _input, output) => kernelArea(kernel) * elementCount(output),
  call: (owner, attributes, inputs) => {
    const [, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
    return {
      kernel: "depthwiseConv2d",
      window: layWindow(owner, attributes, [height, width]),
      channels,
      multiplier: attributes.multiplier,
      activation: "linear",
    };
  },
};

function checkMultiplier(owner: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new DepthwiseError("OPTION_INVALID", {
    what: `${owner}: multiplier`,
    expected: "a positive integer, the number of filters for each channel",
    found: show(value),
    advice: "For a narrower network use alpha, for a smaller input rho or resolution.",
    fields: { owner, option: "multiplier", found: value },
  });
}
