/** Shapes of what is computed from constants alone, by numpy's rules: sides are counted from the last. */

import { elementCount, type Shape } from "../core/tensor.ts";
import type { GraphNode, ReshapeForm } from "./graph.ts";

/** Of a shape that is followed: each node of a tree looks at all its sides. */
const MAX_SIDES = 16;

const ARITHMETIC: ReadonlySet<string> = new Set(["add", "subtract", "multiply", "divide"]);

/** The shape of a node's value if all it reads are constants and it can be computed here. */
export function foldedShape(
  { operation, inputs }: GraphNode,
  shapeOf: (value: string) => Shape | undefined,
): Shape | undefined {
  const a = shapeOf(inputs[0] ?? "");
  if (a === undefined || a.length > MAX_SIDES) return undefined;
  const { type } = operation;
  if (type === "identity" || type === "rsqrt") return a;
  if (type === "reshape") return reshapedConstant(a, operation.form);
  if (!ARITHMETIC.has(type)) return undefined;
  const b = shapeOf(inputs[1] ?? "");
  return b === undefined || b.length > MAX_SIDES ? undefined : broadcastShape(a, b);
}

/** The shape of a sum; undefined if the two do not fit. */
function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const [x, y] = [aligned(a, rank), aligned(b, rank)];
  const fits = x.every((side, axis) => side === y[axis] || side === 1 || y[axis] === 1);
  return fits ? x.map((side, axis) => (side === 1 ? (y[axis] ?? 1) : side)) : undefined;
}

export function aligned(shape: Shape, rank: number): Shape {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

/** The shape of a constant that is laid out anew; undefined where numbers would move, or the shape is not known. */
function reshapedConstant(shape: Shape, form: ReshapeForm | undefined): Shape | undefined {
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
