/**
 * Activations: functions of one number. Sources: relu6, Howard et al. 2017; hard-swish, Howard et al. 2019, §5.2;
 * leaky ReLU, Maas et al. 2013.
 */

import { belowOne, oneOf, optionError } from "../core/options.ts";
import { ACTIVATIONS, type FusedActivation } from "./activation-names.ts";
import { type PlainOperation, perExample, soleInput } from "./operation.ts";

export type ActivationAttributes =
  | { readonly function: FusedActivation }
  | {
      readonly function: "leakyRelu";
      /** Factor of numbers below 0: at least 0, below 1. */
      readonly slope: number;
    };

/** PyTorch's and ONNX's. */
const SLOPE = 0.01;

export const activation: PlainOperation<ActivationAttributes> = {
  isView: false,
  fuses: [],
  check: (owner, { function: value, slope }) => {
    const name = oneOf(owner, "function", value, ACTIVATIONS);
    if (name === "leakyRelu") return { function: name, slope: belowOne(owner, "slope", slope ?? SLOPE) };
    if (slope !== undefined) throw optionError(owner, "function", '"leakyRelu" with a slope', name);
    return { function: name };
  },
  outputShape: (owner, _attributes, inputs) => soleInput(owner, inputs),
  parameters: () => [],
  multAdds: () => 0,
  call: (_owner, attributes, _inputs, output) => {
    const call = { kernel: "activation", elements: perExample(output) } as const;
    if (attributes.function !== "leakyRelu") return { ...call, activation: attributes.function };
    const slope = Math.fround(attributes.slope);
    // Without a slope it is the function that gives 0, and not NaN, for minus infinity.
    return slope > 0 ? { ...call, activation: "leakyRelu", slope } : { ...call, activation: "relu" };
  },
};
