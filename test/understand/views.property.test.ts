/** @slow: it takes several seconds. */

/**
 * Random reshapes, transpositions and what reads their results, channels first and last: a graph is refused, or gives
 * what TensorFlow.js computes of it, operation by operation. No number may be read from another's place.
 */

import fc from "fast-check";
import { expect, it } from "vitest";
import type { GraphOperation, ImageLayout, ModelGraph } from "../../src/formats/graph.ts";
import { network, withParameters } from "../../src/layers/network.ts";
import { compile } from "../../src/session/compile.ts";
import { translateGraph } from "../../src/understand/graph/translate.ts";
import { GraphBuilder } from "../fixtures/graphs.ts";
import { interpret, interpretTensors } from "../fixtures/tfjs-interpreter.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";

const axis = fc.integer({ min: -1, max: 3 });
const form = fc.oneof(
  fc.constant({ kind: "flatten" } as const),
  fc.record({ kind: fc.constant("squeeze" as const), axes: fc.uniqueArray(axis, { maxLength: 2 }) }),
  fc.record({ kind: fc.constant("unsqueeze" as const), axes: fc.array(axis, { minLength: 1, maxLength: 1 }) }),
  fc.record({
    kind: fc.constant("transpose" as const),
    order: fc.constantFrom([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [0, 2, 1, 3], [0, 1], [0, 2, 1]),
  }),
  fc.record({
    kind: fc.constant("sides" as const),
    sides: fc.constantFrom([0, -1], [-1, 6], [1, -1, 1, 1], [0, 1, 1, -1], [1, 6, 1, 1], [0, 0, -1], [1, 3, -1, 1]),
  }),
);
const step = fc.oneof(
  { weight: 4, arbitrary: form.map((value): GraphOperation => ({ type: "reshape", form: value })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<GraphOperation>(
      { type: "activation", function: "relu" },
      { type: "globalPool", kind: "max", keepDims: true },
      { type: "globalPool", kind: "average" },
      { type: "pool", kind: "max", kernel: [1, 2], strides: [1, 1], padding: "same" },
      {
        type: "pad",
        padding: [
          [0, 1],
          [1, 0],
        ],
      },
      { type: "softmax", axis: -1 },
      { type: "batchNorm", epsilon: 1e-3 },
      { type: "add" },
      { type: "multiply" },
    ),
  },
);
const input = fc.record({
  layout: fc.constantFrom<ImageLayout>("NHWC", "NCHW"),
  sides: fc.tuple(...[1, 2, 3].map(() => fc.constantFrom(1, 2, 3))),
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  /** Of a constant of the sum; undefined: as many as the last side has. */
  shape: fc.constantFrom<readonly number[] | undefined>(undefined, [], [1], [2], [3], [3, 1, 1], [2, 1, 1], [1, 3]),
});

/** The graph of these steps; behind them all numbers in a row, and a dense layer for which their order counts. */
async function build({ layout, sides, steps, shape }: typeof input extends fc.Arbitrary<infer Value> ? Value : never) {
  const [height = 1, width = 1, channels = 1] = sides;
  const given = recipe(sides, 5, -1, 1).data;
  const place = (c: number, y: number, x: number) => (y * width + x) * channels + c;
  const first = Float32Array.from(
    given,
    (_, i) => given[place(Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width)]!,
  );
  const file =
    layout === "NCHW" ? { data: first, shape: [1, channels, height, width] } : { data: given, shape: [1, ...sides] };
  const g = new GraphBuilder();
  const graph = (): ModelGraph => ({
    ...g.graph(),
    layout,
    inputs: [{ name: "input", shape: sides, ...(layout === "NCHW" ? { isChannelsFirst: true } : {}) }],
  });
  for (const [i, operation] of steps.entries()) {
    const name = `n${i}`;
    const [value] = await interpretTensors(graph(), file.data, file.shape);
    const last = [value!.shape.at(-1)!];
    if (operation.type === "add" || operation.type === "multiply")
      g.node(name, operation, g.constant(`${name}/c`, shape ?? last));
    else if (operation.type === "batchNorm") {
      const channels = layout === "NCHW" ? [value!.shape[1]!] : last;
      const vectors = ["gamma", "beta", "mean"].map((part) => g.constant(`${name}/${part}`, channels));
      g.node(name, operation, ...vectors, g.constant(`${name}/variance`, channels, 0.5, 1.5));
    } else g.node(name, operation);
  }
  const [before] = await interpret(graph(), file.data, file.shape);
  g.node("row", { type: "reshape", form: { kind: "flatten" } });
  g.node("fc", { type: "dense", transposed: false }, g.constant("w", [before!.length, 3]));
  const whole = graph();
  return { graph: whole, given, expected: (await interpret(whole, file.data, file.shape))[0]! };
}

it("random views are followed to the last number, or refused", async () => {
  let translated = 0;
  let refused = 0;
  const property = fc.asyncProperty(input, async (genes) => {
    // What TensorFlow.js cannot run is no graph.
    const built = await build(genes).catch(() => undefined);
    if (built === undefined || built.expected.length !== 3) return;
    let parts: ReturnType<typeof translateGraph>;
    try {
      parts = translateGraph(
        built.graph,
        () => {},
        (reason) => new Error(`refused: ${reason}`),
      );
    } catch (error) {
      expect(String(error)).toMatch(/refused: /);
      refused++;
      return;
    }
    const { inputShape, layers, outputs, parameters } = parts;
    const model = withParameters(network({ inputShape, layers, outputs }), parameters);
    const session = await compile(model, { backend: "reference" });
    const { output } = (await session.run(built.given)) as Record<string, { data: Float32Array }>;
    session.close();
    expect(largestDifference(output!.data, built.expected)).toBeLessThan(1e-5);
    translated++;
  });
  await fc.assert(property, { seed: 20170417, numRuns: 1500 });
  // Of those that are graphs at all.
  expect(translated).toBeGreaterThan(2 * refused);
});
