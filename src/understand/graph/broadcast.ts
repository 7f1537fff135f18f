/** Arithmetic between two constants, by numpy's rules: sides are counted from the last. */

import { elementCount, type Shape } from "../../core/tensor.ts";
import { aligned } from "../../formats/folded-shape.ts";

/** One operand of an arithmetic operation. */
interface Operand {
  readonly data: Float64Array;
  readonly shape: Shape;
}

/** @param shape as `broadcastShape` gives it */
export function broadcast(f: (a: number, b: number) => number, a: Operand, b: Operand, shape: Shape): Float64Array {
  const result = new Float64Array(elementCount(shape));
  const sides = shape.length === 0 ? [1] : shape;
  const [stepsA, stepsB] = [stepsOf(a.shape, sides.length), stepsOf(b.shape, sides.length)];
  const last = sides.length - 1;
  const [length = 1, stepA = 0, stepB = 0] = [sides[last], stepsA[last], stepsB[last]];
  for (let start = 0; start < result.length; start += length) {
    let [atA, atB, left] = [0, 0, start / length];
    for (let axis = last - 1; axis >= 0; axis--) {
      const side = sides[axis] ?? 1;
      atA += (left % side) * (stepsA[axis] ?? 0);
      atB += (left % side) * (stepsB[axis] ?? 0);
      left = Math.floor(left / side);
    }
    for (let i = 0; i < length; i++) result[start + i] = f(a.data[atA + i * stepA] ?? 0, b.data[atB + i * stepB] ?? 0);
  }
  return result;
}

/** How far apart neighbours along each axis lie; 0 along one that is repeated. */
function stepsOf(shape: Shape, rank: number): readonly number[] {
  const sides = aligned(shape, rank);
  return sides.map((side, axis) => (side === 1 ? 0 : elementCount(sides.slice(axis + 1))));
}
