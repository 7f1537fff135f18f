/**
 * Values of a graph as they lie in a network: a file counts their sides in its own order of axes, and reshapes and
 * transpositions that move no number are followed, not computed.
 */

import { elementCount, MOST_SIDES, type Shape } from "../../core/tensor.ts";
import type { ExplicitPadding } from "../../core/window.ts";
import type { ImageLayout, ReshapeForm } from "../../formats/graph.ts";

export interface View {
  /** Without the batch, in the order of the file. */
  readonly sides: Shape;
  /** The axes of `sides` in the order in which they lie in memory, the outermost first. */
  readonly order: readonly number[];
  /** What was laid in a row in another order than that in which it lies in memory. */
  readonly flattened?: View;
  /** Whether the file does not say the sides, and a row of all is only what a dense layer would read. */
  readonly isUnsure?: true;
}

export interface Value extends View {
  /** The network's node, and its shape there. */
  readonly node: string;
  readonly shape: Shape;
  /** Zeros around the image, which lie in no memory yet. */
  readonly pad?: ExplicitPadding;
}

/** Axes of height, width and channels. */
const IMAGE: Readonly<Record<ImageLayout, readonly number[]>> = { NHWC: [0, 1, 2], NCHW: [1, 2, 0] };

/** An image of the network, as the file counts its sides. */
export function imageView([height = 1, width = 1, channels = 1]: Shape, layout: ImageLayout): View {
  const sides = layout === "NHWC" ? [height, width, channels] : [channels, height, width];
  return { sides, order: IMAGE[layout] };
}

/** As rows lie: the first axis outermost. */
export function plainView(sides: Shape): View {
  return { sides, order: sides.map((_, axis) => axis) };
}

/** `[height, width, channels]` if the numbers lie like that in memory. */
export function asImage(view: View, layout: ImageLayout): Shape | undefined {
  const wanted = IMAGE[layout];
  const { sides } = view;
  if (sides.length !== 3 || view.isUnsure || view.flattened !== undefined) return undefined;
  const lies = longAxes(view);
  const shape = wanted.map((axis) => sides[axis] ?? 1);
  return longAxes({ sides, order: wanted }).every((axis, i) => axis === lies[i]) ? shape : undefined;
}

/** The sides in the order in which they lie in memory: what the network's shape is, if nothing else is wanted. */
export function naturalShape({ sides, order }: View): Shape {
  return order.map((axis) => sides[axis] ?? 1);
}

/** The axis that lies innermost, which is the last of the network's. */
export function innermost(view: View): number | undefined {
  return longAxes(view).at(-1) ?? view.order.at(-1);
}

/** The view with an axis as the network's last, if numbers need not move for that. */
export function withLast(view: View, axis: number): View | undefined {
  const { sides, order } = view;
  if (view.flattened !== undefined || view.isUnsure) return undefined;
  if (sides[axis] !== 1 && axis !== innermost(view)) return undefined;
  return { sides, order: [...order.filter((each) => each !== axis), axis] };
}

/** What a view becomes, or undefined where numbers would have to move, or do not fit. */
export function reshapedView(view: View, form: ReshapeForm | undefined): View | undefined {
  const { sides } = view;
  const rank = sides.length + 1;
  if (form?.kind === "flatten" && sides.length === 1) return view;
  if (view.isUnsure || view.flattened !== undefined) return undefined;
  if (form === undefined) {
    // One long side can hardly become anything but a row.
    return longAxes(view).length <= 1 ? plainView([elementCount(sides)]) : { ...row(view), isUnsure: true };
  }
  switch (form.kind) {
    case "flatten":
      return row(view);
    case "transpose": {
      const order = form.order.map((axis) => axis - 1);
      const isWhole = order.length === rank && order[0] === -1 && sides.every((_, axis) => order.includes(axis));
      if (!isWhole) return undefined;
      const axes = order.slice(1);
      const places = view.order.map((axis) => axes.indexOf(axis));
      return { sides: axes.map((axis) => sides[axis] ?? 1), order: places };
    }
    case "squeeze": {
      const axes = new Set(form.axes.map((axis) => (axis < 0 ? axis + rank : axis) - 1));
      const isLeftOut = (axis: number) => sides[axis] === 1 && (axes.size === 0 || axes.has(axis));
      return [...axes].every((axis) => axis === -1 || sides[axis] === 1) ? without(view, isLeftOut) : undefined;
    }
    case "unsqueeze": {
      const longer = rank + form.axes.length;
      const axes = form.axes.map((axis) => (axis < 0 ? axis + longer : axis) - 1).sort((a, b) => a - b);
      return axes.reduce<View | undefined>((before, axis) => before && withSide(before, axis), view);
    }
    case "sides":
      return toSides(view, form.sides);
  }
}

/** Axes of more than one place, the outermost first: all that decides where numbers lie. */
export function longAxes({ sides, order }: View): readonly number[] {
  return order.filter((axis) => sides[axis] !== 1);
}

function isPlain(view: View): boolean {
  return longAxes(view).every((axis, i, axes) => i === 0 || axis > (axes[i - 1] ?? 0));
}

/** All numbers of an example in a row, as the file counts them. */
export function row(view: View): View {
  const flat = plainView([elementCount(view.sides)]);
  return isPlain(view) ? flat : { ...flat, flattened: view };
}

function without({ sides, order }: View, isLeftOut: (axis: number) => boolean): View {
  const kept = sides.map((_, axis) => axis).filter((axis) => !isLeftOut(axis));
  return {
    sides: kept.map((axis) => sides[axis] ?? 1),
    order: order.filter((axis) => !isLeftOut(axis)).map((axis) => kept.indexOf(axis)),
  };
}

function withSide({ sides, order }: View, at: number): View | undefined {
  if (at < 0 || at > sides.length || sides.length >= MOST_SIDES) return undefined;
  const longer = [...sides.slice(0, at), 1, ...sides.slice(at)];
  return { sides: longer, order: [at, ...order.map((axis) => (axis < at ? axis : axis + 1))] };
}

function toSides(view: View, wanted: readonly number[]): View | undefined {
  const { sides } = view;
  if (wanted.length > MOST_SIDES) return undefined;
  const count = elementCount(sides);
  // A file for one picture at a time may leave the batch out of a row.
  const [batch = 1, ...rest] =
    wanted.length === 1 ? [1, ...wanted] : wanted.map((side, i) => (side === 0 ? (sides[i - 1] ?? 0) : side));
  const known = rest.reduce((product, side) => (side === -1 ? product : product * side), 1);
  const opens = rest.filter((side) => side === -1).length;
  const left = count / known;
  // An open batch is one if the other sides hold all of an example.
  const isSound = batch === -1 ? opens === 0 && left === 1 : (batch === 1 || wanted[0] === 0) && opens <= 1;
  if (!isSound || !Number.isSafeInteger(left) || left < 1 || (opens === 0 && left !== 1)) return undefined;
  const result = rest.map((side) => (side === -1 ? left : side));
  if (isPlain(view)) return plainView(result);
  if (result.length === 1) return row(view);
  return regrouped(view, result);
}

/** Where only sides of 1 come and go, each other axis stays where it lies. */
function regrouped(view: View, result: Shape): View | undefined {
  const squeezed = without(view, (axis) => view.sides[axis] === 1);
  const long = result.flatMap((side, axis) => (side === 1 ? [] : [axis]));
  if (long.length !== squeezed.sides.length || long.some((axis, i) => result[axis] !== squeezed.sides[i]))
    return undefined;
  const ones = result.flatMap((side, axis) => (side === 1 ? [axis] : []));
  return { sides: result, order: [...ones, ...squeezed.order.map((axis) => long[axis] ?? 0)] };
}
