/** Global pools: one number for each channel, over all pixels. `[N, C]`, or `[N, 1, 1, C]` with `keepDims`. */

import { booleanOption } from "../core/options.ts";
import { imageShape, type PlainOperation, soleInput } from "./operation.ts";

export interface GlobalPoolAttributes {
  readonly keepDims: boolean;
}

function globalPool(kernel: "globalAveragePool" | "globalMaxPool"): PlainOperation<GlobalPoolAttributes> {
  return {
    isView: false,
    fuses: [],
    check: (owner, attributes) => ({ keepDims: booleanOption(owner, "keepDims", attributes["keepDims"] ?? false) }),
    outputShape: (owner, { keepDims }, inputs) => {
      const [batch, , , channels] = imageShape(owner, soleInput(owner, inputs));
      return keepDims ? [batch, 1, 1, channels] : [batch, channels];
    },
    parameters: () => [],
    multAdds: () => 0,
    call: (owner, _attributes, inputs) => {
      const [, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
      return { kernel, pixels: height * width, channels };
    },
  };
}

export const globalAveragePool = /* @__PURE__ */ globalPool("globalAveragePool");
export const globalMaxPool = /* @__PURE__ */ globalPool("globalMaxPool");
