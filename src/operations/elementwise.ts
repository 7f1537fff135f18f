/** Sum and product of two tensors. The second may be broadcast over the first, by NumPy's rules. */

import { DepthwiseError } from "../core/errors.ts";
import { type Shape, shapeText } from "../core/tensor.ts";
import type { FusingOperation } from "./operation.ts";

export type ElementwiseAttributes = Readonly<Record<never, never>>;

function elementwise(kernel: "add" | "multiply"): FusingOperation<ElementwiseAttributes> {
  return {
    isView: false,
    fuses: ["activation"],
    check: () => ({}),
    outputShape: (owner, _attributes, inputs) => {
      const [a, b] = twoInputs(owner, inputs);
      alignShapes(owner, a, b);
      return a;
    },
    parameters: () => [],
    multAdds: () => 0,
    call: (owner, _attributes, inputs) => {
      const [a, b] = twoInputs(owner, inputs);
      return { kernel, ...broadcast(a, alignShapes(owner, a, b)), activation: "linear" };
    },
  };
}

export const add = /* @__PURE__ */ elementwise("add");
export const multiply = /* @__PURE__ */ elementwise("multiply");

function twoInputs(owner: string, inputs: readonly Shape[]): readonly [Shape, Shape] {
  const [a, b] = inputs;
  if (a !== undefined && b !== undefined && inputs.length === 2) return [a, b];
  throw new DepthwiseError("NETWORK_INVALID", { what: owner, expected: "two inputs", found: `${inputs.length}` });
}

/** `b` with leading ones up to the rank of `a`, each side equal to that of `a` or 1. */
function alignShapes(owner: string, a: Shape, b: Shape): Shape {
  const aligned = [...Array<number>(Math.max(0, a.length - b.length)).fill(1), ...b];
  const fits = aligned.length === a.length && aligned.every((side, axis) => side === 1 || side === a[axis]);
  if (fits && a.length >= 1 && a.length <= 4) return aligned;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: second input`,
    expected: `a shape that broadcasts to ${shapeText(a)}, of at most 4 axes`,
    found: shapeText(b),
    advice: "Each of its sides, counted from the last, must be equal or 1.",
    fields: { owner, a, b },
  });
}

/** Strides of `b` for the axes after the batch, filled up to three. */
function broadcast(a: Shape, b: Shape) {
  const sides = [1, 1, 1, ...a.slice(1)].slice(-3);
  const other = [1, 1, 1, ...b.slice(1)].slice(-3);
  const strides = [0, 0, 0];
  let stride = 1;
  for (let axis = 2; axis >= 0; axis--) {
    const side = other[axis] ?? 1;
    strides[axis] = side === 1 ? 0 : stride;
    stride *= side;
  }
  return {
    shape: sides as [number, number, number],
    strides: strides as [number, number, number],
    exampleStride: b[0] === 1 && a[0] !== 1 ? 0 : stride,
  };
}
