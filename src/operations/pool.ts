/**
 * Windowed pools. Padding never counts: the average divides by the pixels inside the image, the maximum pads with
 * minus infinity. A window that lies outside altogether gives 0.
 */

import { layWindow, type WindowAttributes, type WindowOptions, windowAttributes } from "../core/window.ts";
import { imageShape, type PlainOperation, soleInput } from "./operation.ts";

export type PoolAttributes = WindowAttributes;

function pool(kernel: "averagePool" | "maxPool"): PlainOperation<PoolAttributes> {
  return {
    isView: false,
    fuses: [],
    check: (owner, attributes) => windowAttributes(owner, attributes["kernel"], attributes as WindowOptions),
    outputShape: (owner, attributes, inputs) => {
      const [batch, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
      return [batch, ...layWindow(owner, attributes, [height, width]).output, channels];
    },
    parameters: () => [],
    multAdds: () => 0,
    call: (owner, attributes, inputs) => {
      const [, height, width, channels] = imageShape(owner, soleInput(owner, inputs));
      return { kernel, window: layWindow(owner, attributes, [height, width]), channels };
    },
  };
}

export const averagePool = /* @__PURE__ */ pool("averagePool");
export const maxPool = /* @__PURE__ */ pool("maxPool");
