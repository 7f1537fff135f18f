/**
 * Gradients of a sum and a product y of a and b: da = dy, or dy · b; db = dy, or dy · a, summed over the axes that b was
 * broadcast along. b has strides over the shape of a, as in the forward loops.
 */

import type { ElementwiseGradientCall, SumCall } from "../../../operations/training-call.ts";
import { type TrainingRunner, writeSums } from "./runner.ts";

export function elementwiseGradientRunner({ of, to }: ElementwiseGradientCall): TrainingRunner {
  const [outer, middle, inner] = of.shape;
  const [outerStride, middleStride, innerStride] = of.strides;
  const isSum = of.kernel === "add";

  /** Calls `visit` with every element of an example, and the element of b's example that goes with it. */
  const eachElement = (visit: (at: number, bAt: number) => void) => {
    let at = 0;
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < middle; j++) {
        for (let k = 0; k < inner; k++) visit(at++, i * outerStride + j * middleStride + k * innerStride);
      }
    }
  };
  const elements = outer * middle * inner;

  if (to === "a") {
    return (batch, { dy, b, da }) => {
      for (let n = 0; n < batch; n++) {
        const base = n * elements;
        eachElement((at, bAt) => {
          da![base + at] = isSum ? dy![base + at] : dy![base + at] * b![n * of.exampleStride + bAt];
        });
      }
    };
  }
  const ownSides = of.shape.map((side, axis) => (of.strides[axis] === 0 ? 1 : side));
  const sums = new Float64Array(ownSides.reduce((product, side) => product * side, 1));
  return (batch, { dy, a, db }) => {
    sums.fill(0);
    for (let n = 0; n < batch; n++) {
      const base = n * elements;
      eachElement((at, bAt) => {
        sums[bAt] += isSum ? dy![base + at] : dy![base + at] * a![base + at];
      });
      if (of.exampleStride === 0) continue;
      writeSums(sums, db!, n * of.exampleStride);
      sums.fill(0);
    }
    if (of.exampleStride === 0) writeSums(sums, db!, 0);
  };
}

/** y = a + b: two gradients of one value. y may be a. */
export function sumRunner({ elements }: SumCall): TrainingRunner {
  return (batch, { a, b, y }) => {
    for (let i = 0; i < batch * elements; i++) y![i] = a![i] + b![i];
  };
}
