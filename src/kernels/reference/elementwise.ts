/** Sum and product of two tensors; the second is read with strides, 0 along each axis it is broadcast over. */

import type { ElementwiseCall } from "../../operations/kernel-call.ts";
import { activateRange } from "./activation.ts";
import type { Runner } from "./runner.ts";

const fround = Math.fround;

export function elementwise(call: ElementwiseCall): Runner {
  return (batch, { inputs: [a, b], output: y }) => {
    const [outer, middle, inner] = call.shape;
    const [outerStride, middleStride, innerStride] = call.strides;
    const isSum = call.kernel === "add";
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (let i = 0; i < outer; i++) {
        for (let j = 0; j < middle; j++) {
          const bAt = n * call.exampleStride + i * outerStride + j * middleStride;
          for (let k = 0; k < inner; k++) {
            const other = b[bAt + k * innerStride];
            y[at + k] = isSum ? fround(a[at + k] + other) : fround(a[at + k] * other);
          }
          activateRange(call.activation, y, at, inner);
          at += inner;
        }
      }
    }
  };
}
