/** @slow: it takes more than a second. */

/**
 * Constants that a graph computes from one another: what is folded has the shape and the numbers that TensorFlow.js
 * gives, whichever sides are broadcast. Sides are few and alike, so that shapes fit by chance, and rows may be taken for
 * columns.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GraphOperation, ModelGraph, ReshapeForm } from "../../src/formats/graph.ts";
import { findConstants } from "../../src/understand/graph/constants.ts";
import { GraphBuilder } from "../fixtures/graphs.ts";
import { interpretTensors } from "../fixtures/tfjs-interpreter.ts";
import { largestDifference } from "../golden/vectors.ts";

const refused = (reason: string) => new Error(reason);
const reshape = (form?: ReshapeForm): GraphOperation => ({ type: "reshape", ...(form && { form }) });

const shape = fc.array(fc.constantFrom(1, 1, 2, 3, 3), { maxLength: 4 });
const form = fc.oneof(
  fc.constant<ReshapeForm>({ kind: "flatten" }),
  fc.record({
    kind: fc.constant("squeeze" as const),
    axes: fc.uniqueArray(fc.integer({ min: -2, max: 2 }), { maxLength: 1 }),
  }),
  fc.record({
    kind: fc.constant("unsqueeze" as const),
    axes: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 1 }),
  }),
  fc.record({
    kind: fc.constant("sides" as const),
    sides: fc.constantFrom([-1], [-1, 1], [3, -1], [0, -1], [1, 3, 3], [1, -1, 1, 1]),
  }),
  fc.record({
    kind: fc.constant("transpose" as const),
    order: fc.constantFrom([1, 0], [0, 2, 1], [2, 0, 1], [0, 3, 1, 2]),
  }),
);
/** All positive, and no differences, which have no roots. */
const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<GraphOperation>({ type: "add" }, { type: "multiply" }, { type: "divide" }),
  },
  { weight: 2, arbitrary: form.map(reshape) },
  { weight: 1, arbitrary: fc.constant<GraphOperation>({ type: "rsqrt" }) },
);

async function expectSame(graph: ModelGraph): Promise<boolean> {
  const [value] = await interpretTensors(graph, Float32Array.of(0), [1]);
  const constants = findConstants(graph, refused);
  const [name = ""] = graph.outputs;
  if (!constants.has(name)) return false;
  expect(constants.shape(name)).toEqual(value!.shape);
  expect(largestDifference(Float32Array.from(constants.read(name)), value!.dataSync() as Float32Array)).toBeLessThan(
    1e-4,
  );
  return true;
}

describe("constants computed from constants", () => {
  it("are what TensorFlow.js computes, or are none", async () => {
    let folded = 0;
    let left = 0;
    const property = fc.asyncProperty(
      fc.array(shape, { minLength: 2, maxLength: 4 }),
      fc.array(operation, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (shapes, operations, isSecond) => {
        const g = new GraphBuilder();
        const [first = "", ...others] = shapes.map((sides, i) => g.constant(`c${i}`, sides, 0.5, 1.5));
        g.value = first;
        for (const [i, each] of operations.entries()) {
          const other = others[i % others.length]!;
          const isOne = each.type === "reshape" || each.type === "rsqrt";
          g.value = g.aside(`n${i}`, each, ...(isOne ? [g.value] : isSecond ? [other, g.value] : [g.value, other]));
        }
        // What TensorFlow.js cannot run is no graph.
        const graph = g.graph();
        if (
          !(await interpretTensors(graph, Float32Array.of(0), [1]).then(
            () => true,
            () => false,
          ))
        )
          return;
        if (await expectSame(graph)) folded++;
        else left++;
      },
    );
    await fc.assert(property, { seed: 20170417, numRuns: 1500 });
    expect(folded).toBeGreaterThan(4 * left);
  });
});
