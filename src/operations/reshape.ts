/** Views: operations that move no number. */

import { DepthwiseError } from "../core/errors.ts";
import { belowOne, isListOf, optionError } from "../core/options.ts";
import { MOST_SIDES, type Shape, shapeText } from "../core/tensor.ts";
import { perExample, soleInput, type ViewOperation } from "./operation.ts";

export interface ReshapeAttributes {
  /** Shape of one example, without the batch. */
  readonly shape: Shape;
}

export const reshape: ViewOperation<ReshapeAttributes> = {
  isView: true,
  fuses: [],
  check: (owner, attributes) => {
    const shape = attributes["shape"];
    const isSide = (side: unknown): side is number => Number.isSafeInteger(side) && (side as number) > 0;
    if (isListOf(shape, isSide) && shape.length <= MOST_SIDES) return { shape: [...shape] };
    const expected = `an array of at most ${MOST_SIDES} positive integers, without the batch`;
    throw optionError(owner, "shape", expected, shape);
  },
  outputShape: (owner, { shape }, inputs) => {
    const input = soleInput(owner, inputs);
    const output = [input[0] ?? 0, ...shape];
    if (perExample(output) === perExample(input)) return output;
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${owner}: input`,
      expected: `${perExample(output)} elements an example for ${shapeText(shape)}`,
      found: shapeText(input),
      advice: "A reshape keeps the number of elements.",
      fields: { owner, input, shape },
    });
  },
  parameters: () => [],
  multAdds: () => 0,
};

export type FlattenAttributes = Readonly<Record<never, never>>;

/** `[N, …]` to `[N, elements]`. */
export const flatten: ViewOperation<FlattenAttributes> = {
  isView: true,
  fuses: [],
  check: () => ({}),
  outputShape: (owner, _attributes, inputs) => {
    const input = soleInput(owner, inputs);
    return [input[0] ?? 0, perExample(input)];
  },
  parameters: () => [],
  multAdds: () => 0,
};

export interface DropoutAttributes {
  /** Share of elements that training sets to 0; in inference nothing happens. */
  readonly rate: number;
}

export const dropout: ViewOperation<DropoutAttributes> = {
  isView: true,
  fuses: [],
  check: (owner, attributes) => ({ rate: belowOne(owner, "rate", attributes["rate"]) }),
  outputShape: (owner, _attributes, inputs) => soleInput(owner, inputs),
  parameters: () => [],
  multAdds: () => 0,
};
