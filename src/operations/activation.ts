/** Activations: functions of one number. Sources: relu6, Howard et al. 2017; hard-swish, Howard et al. 2019, §5.2. */

import { oneOf } from "../core/options.ts";
import { type Operation, perExample, soleInput } from "./operation.ts";

/**
 * `linear` x; `relu` max(x, 0); `relu6` min(max(x, 0), 6); `hardSigmoid` relu6(x + 3) / 6;
 * `hardSwish` x · relu6(x + 3) / 6.
 */
export const ACTIVATIONS = ["linear", "relu", "relu6", "hardSwish", "hardSigmoid"] as const;
export type ActivationName = (typeof ACTIVATIONS)[number];

export interface ActivationAttributes {
  readonly function: ActivationName;
}

export const activation: Operation<ActivationAttributes> = {
  check: (owner, attributes) => ({ function: oneOf(owner, "function", attributes["function"], ACTIVATIONS) }),
  outputShape: (owner, _attributes, inputs) => soleInput(owner, inputs),
  parameters: () => [],
  multAdds: () => 0,
  call: (_owner, attributes, _inputs, output) => ({
    kernel: "activation",
    elements: perExample(output),
    activation: attributes.function,
  }),
};
