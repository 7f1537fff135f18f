/** @slow: it takes 2 seconds. */

/**
 * Random graphs: whatever shares memory, runs as one stage or is kept because somebody taps it, the bits are the same
 * as where every step has memory of its own; and the reference backend agrees.
 */

import fc from "fast-check";
import { expect, it } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { type Network, network } from "../../src/layers/network.ts";
import type { NodeDefinition } from "../../src/layers/node.ts";
import { type CompileOptions, compile } from "../../src/session/compile.ts";
import { NOT_WIDE, SIMD } from "../backends.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";

const TYPES = [
  "conv2d",
  "depthwiseConv2d",
  "pointwiseConv2d",
  "batchNorm",
  "activation",
  "add",
  "multiply",
  "maxPool",
  "averagePool",
  "softmax",
  "reshape",
] as const;

interface Gene {
  readonly type: (typeof TYPES)[number];
  /** How many layers back its input lies; 0 is the layer before. */
  readonly back: number;
  /** Which of the fitting layers is the second input. */
  readonly other: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly function: string;
  readonly isTapped: boolean;
}

const gene: fc.Arbitrary<Gene> = fc.record({
  // Depthwise and pointwise layers are those that run as one: as many of them as of all others.
  type: fc.oneof(fc.constantFrom(...TYPES), fc.constantFrom("depthwiseConv2d" as const, "pointwiseConv2d" as const)),
  back: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 4 })),
  other: fc.integer({ min: 0, max: 20 }),
  filters: fc.integer({ min: 1, max: 40 }),
  kernel: fc.constantFrom(1, 2, 3, 5),
  stride: fc.constantFrom(1, 1, 2),
  function: fc.constantFrom("relu", "relu6", "hardSwish", "hardSigmoid", "leakyRelu"),
  isTapped: fc.integer({ min: 0, max: 3 }).map((value) => value === 0),
});

const ATTRIBUTES: Readonly<
  Record<string, (gene: Gene, input: readonly number[]) => Readonly<Record<string, unknown>>>
> = {
  conv2d: ({ filters, kernel, stride }) => ({ filters, kernel, stride, padding: "same" }),
  depthwiseConv2d: ({ kernel, stride }) => ({ kernel, stride, padding: "same" }),
  pointwiseConv2d: ({ filters }) => ({ filters }),
  activation: ({ function: name, filters }) => ({
    function: name,
    ...(name === "leakyRelu" ? { slope: filters / 50 } : {}),
  }),
  maxPool: ({ kernel, stride }) => ({ kernel, stride, padding: "same" }),
  averagePool: ({ kernel, stride }) => ({ kernel, stride, padding: "same" }),
  reshape: ({ kernel }, [height = 1, width = 1, channels = 1]) => ({
    shape:
      kernel === 1
        ? [1, 1, height * width * channels]
        : kernel === 2
          ? [1, height, width * channels]
          : [width, height, channels],
  }),
};

/** The network of the genes, and the layers that somebody taps. */
function build(inputShape: readonly number[], genes: readonly Gene[], seed: number) {
  const layers: NodeDefinition[] = [];
  let shapes: Network["shapes"] = new Map([["input", inputShape]]);
  for (const [index, one] of genes.entries()) {
    const names = [...shapes.keys()];
    const from = names[Math.max(0, names.length - 1 - one.back)]!;
    const alike = names.filter((name) => String(shapes.get(name)) === String(shapes.get(from)));
    const takesTwo = one.type === "add" || one.type === "multiply";
    layers.push({
      name: `n${index}`,
      type: one.type,
      inputs: takesTwo ? [from, alike[one.other % alike.length]!] : [from],
      attributes: ATTRIBUTES[one.type]?.(one, shapes.get(from) ?? []) ?? {},
    });
    ({ shapes } = network({ inputShape, layers, outputs: {} }));
  }
  const model = network({ inputShape, layers, outputs: { output: layers.at(-1)!.name }, seed });
  return { model, taps: layers.map(({ name }) => name).filter((_, index) => genes[index]!.isTapped) };
}

async function valuesOf(model: Network<"output">, input: FloatTensor, options: CompileOptions) {
  const batch = input.shape[0]!;
  const session = await compile(model, { batch, ...options });
  const { output, taps } = await session.run(input);
  const { steps } = session.explain();
  session.close();
  const values: Readonly<Record<string, FloatTensor>> = { ...taps, output };
  return { values, steps };
}

it("keep a tapped value apart from a step that runs as one with the next, and takes no room itself", async () => {
  const model = network({
    inputShape: [12, 13, 16],
    layers: [
      { name: "first", type: "activation", attributes: { function: "hardSwish" } },
      { name: "tapped", type: "activation", attributes: { function: "hardSwish" } },
      { name: "second", type: "activation", inputs: ["first"], attributes: { function: "relu6" } },
      { name: "depthwise", type: "depthwiseConv2d", attributes: { kernel: 2 } },
      { name: "pointwise", type: "pointwiseConv2d", attributes: { filters: 31 } },
    ],
    outputs: { output: "pointwise" },
  });
  const input = recipe([1, 12, 13, 16], 1, -1, 1);
  const { values, steps } = await valuesOf(model, input, { backend: "wasm", taps: ["tapped"] });
  expect(steps.filter(({ joined }) => joined).map(({ name }) => name)).toEqual(["depthwise"]);
  const reference = await valuesOf(model, input, { backend: "reference", taps: ["tapped"] });
  expect(values["tapped"]!.data).toEqual(reference.values["tapped"]!.data);
});

// The next layer sees other pixels than the depthwise one gives: run as one, nothing was computed.
it.each(["flatten", "reshape"] as const)("run a depthwise layer and one behind a %s apart", async (type) => {
  const model = network({
    inputShape: [4, 4, 4],
    layers: [
      { name: "depthwise", type: "depthwiseConv2d", attributes: { kernel: 3 } },
      { name: "view", type, attributes: type === "flatten" ? {} : { shape: [1, 1, 64] } },
      { name: "last", type: type === "flatten" ? "dense" : "pointwiseConv2d", attributes: { filters: 16 } },
    ],
    outputs: { output: "last" },
  });
  for (const batch of [1, 5]) {
    const input = recipe([batch, 4, 4, 4], 1, -1, 1);
    const { values, steps } = await valuesOf(model, input, { backend: "wasm" });
    expect(steps.filter(({ joined }) => joined)).toEqual([]);
    const reference = await valuesOf(model, input, { backend: "reference" });
    expect(largestDifference(values["output"]!.data, reference.values["output"]!.data)).toBeLessThan(1e-5);
  }
});

it("give the same bits with shared memory as with memory of their own, and what the reference gives", async () => {
  let joined = 0;
  const size = fc.tuple(
    fc.integer({ min: 1, max: 14 }),
    fc.integer({ min: 1, max: 14 }),
    fc.integer({ min: 1, max: 20 }),
  );
  const genes = fc.array(gene, { minLength: 2, maxLength: 12 });
  const batches = fc.integer({ min: 1, max: 3 });
  const property = fc.asyncProperty(
    size,
    genes,
    batches,
    fc.nat({ max: 1000 }),
    async (inputShape, all, batch, seed) => {
      const { model, taps } = build(inputShape, all, seed);
      const input = recipe([batch, ...inputShape], seed + 1, -1, 1);
      const reference = await valuesOf(model, input, { backend: "reference", taps });
      let relaxed: Record<string, FloatTensor> = {};
      for (const simd of [...SIMD, ...(NOT_WIDE === undefined ? (["wide"] as const) : [])]) {
        const { values, steps } = await valuesOf(model, input, { backend: "wasm", simd, taps });
        joined += steps.filter((step) => step.joined).length;
        const heads = [...new Set([...steps.map(({ name }) => name), ...taps])];
        const apart = await valuesOf(model, input, { backend: "wasm", simd, taps: heads });
        expect(apart.steps.filter((step) => step.joined)).toEqual([]);
        for (const [name, { data }] of Object.entries(values)) {
          expect(largestDifference(data, apart.values[name]!.data), `${name}, against memory of its own`).toBe(0);
          if (simd === "relaxed") relaxed = values;
          if (simd === "wide") expect(data, `${name}, against relaxed`).toEqual(relaxed[name]!.data);
          const exact = reference.values[name]!.data;
          // Twenty times the most that was seen; a wrong address is off by the whole number.
          const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expect(largestDifference(data, exact), `${name}, against the reference`).toBeLessThanOrEqual(1e-4 * largest);
        }
      }
    },
  );
  await fc.assert(property, { seed: 20170417, numRuns: 400 });
  expect(joined).toBeGreaterThan(20);
});
