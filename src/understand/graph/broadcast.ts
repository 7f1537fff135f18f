/** Shapes of constants, and arithmetic between two of them, by numpy's rules: sides are counted from the last. */

import { elementCount, type Shape } from "../../core/tensor.ts";
import type { ReshapeForm } from "../../formats/graph.ts";

/** The shape of a sum; undefined if the two do not fit. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const [x, y] = [aligned(a, rank), aligned(b, rank)];
  const fits = x.every((side, axis) => side === y[axis] || side === 1 || y[axis] === 1);
  return fits ? x.map((side, axis) => (side === 1 ? (y[axis] ?? 1) : side)) : undefined;
}

function aligned(shape: Shape, rank: number): Shape {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

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

/** The shape of a constant that is laid out anew; undefined where numbers would move, or the shape is not known. */
export function reshapedConstant(shape: Shape, form: ReshapeForm | undefined): Shape | undefined {
  const count = elementCount(shape);
  const rank = shape.length;
  switch (form?.kind) {
    case undefined:
      // One number is the same in any shape.
      return count === 1 ? [] : undefined;
    case "flatten":
      return rank === 0 ? undefined : [shape[0] ?? 1, elementCount(shape.slice(1))];
    case "transpose": {
      const { order } = form;
      const long = order.filter((axis) => shape[axis] !== 1);
      const isWhole = order.length === rank && shape.every((_, axis) => order.includes(axis));
      const isKept = long.every((axis, i) => i === 0 || axis > (long[i - 1] ?? 0));
      return isWhole && isKept ? order.map((axis) => shape[axis] ?? 1) : undefined;
    }
    case "squeeze": {
      const axes = new Set(form.axes.map((axis) => (axis < 0 ? axis + rank : axis)));
      if ([...axes].some((axis) => shape[axis] !== 1)) return undefined;
      return shape.filter((side, axis) => side !== 1 || (axes.size > 0 && !axes.has(axis)));
    }
    case "unsqueeze": {
      const longer = rank + form.axes.length;
      const axes = new Set(form.axes.map((axis) => (axis < 0 ? axis + longer : axis)));
      if (axes.size < form.axes.length || [...axes].some((axis) => !(axis >= 0 && axis < longer))) return undefined;
      const sides = shape.values();
      return Array.from({ length: longer }, (_, axis) => (axes.has(axis) ? 1 : (sides.next().value ?? 1)));
    }
    case "sides": {
      const stated = form.sides.map((side, axis) => (side === 0 ? (shape[axis] ?? 0) : side));
      const rest = count / elementCount(stated.filter((side) => side !== -1));
      const sides = stated.map((side) => (side === -1 ? rest : side));
      const isSound = sides.every((side) => Number.isSafeInteger(side) && side >= 0);
      return isSound && elementCount(sides) === count ? sides : undefined;
    }
  }
}
