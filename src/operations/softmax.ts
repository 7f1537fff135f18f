/** Softmax on the last axis: e^(x − max) / Σ e^(x − max). */

import { lastAxis, type PlainOperation, perExample, soleInput } from "./operation.ts";

export type SoftmaxAttributes = Readonly<Record<never, never>>;

export const softmax: PlainOperation<SoftmaxAttributes> = {
  isView: false,
  fuses: [],
  check: () => ({}),
  outputShape: (owner, _attributes, inputs) => soleInput(owner, inputs),
  parameters: () => [],
  multAdds: () => 0,
  call: (_owner, _attributes, _inputs, output) => ({
    kernel: "softmax",
    rows: perExample(output) / lastAxis(output),
    channels: lastAxis(output),
  }),
};
