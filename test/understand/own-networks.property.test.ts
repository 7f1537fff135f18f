/** @slow: it takes several seconds. */

/**
 * Random small networks of our own operations, written in each format as its tools would, and loaded again: branches,
 * gates, every activation, every padding, flattened maps; the answers are those of the network that was written.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { type Network, network, withParameters } from "../../src/layers/network.ts";
import type { NodeDefinition } from "../../src/layers/node.ts";
import { compile } from "../../src/session/compile.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";
import { kerasArchive, tfjsLayers } from "../writers/as-keras.ts";
import { networkAsGraphDef } from "../writers/network-as-graph-def.ts";
import { networkAsKeras } from "../writers/network-as-keras.ts";
import { networkAsOnnx } from "../writers/network-as-onnx.ts";
import { networkAsTflite } from "../writers/network-as-tflite.ts";

const TYPES = [
  ...["conv2d", "conv2d", "depthwiseConv2d", "pointwiseConv2d", "batchNorm", "batchNorm", "activation", "activation"],
  ...["add", "multiply", "gate", "maxPool", "averagePool", "softmax", "dropout"],
];

const gene = fc.record({
  type: fc.constantFrom(...TYPES),
  back: fc.constantFrom(0, 0, 0, 1, 2, 3),
  other: fc.nat({ max: 20 }),
  filters: fc.integer({ min: 1, max: 8 }),
  kernel: fc.constantFrom(1, 2, 3),
  stride: fc.constantFrom(1, 1, 2),
  dilation: fc.constantFrom(1, 1, 2),
  padding: fc.constantFrom<unknown>("same", "same", "valid", [
    [0, 1],
    [2, 1],
  ]),
  bias: fc.boolean(),
  function: fc.constantFrom("relu", "relu6", "hardSwish", "hardSigmoid", "leakyRelu", "linear"),
});
type Gene = Parameters<Parameters<typeof gene.map>[0]>[0];
const tail = fc.record({
  pool: fc.constantFrom("globalAveragePool", "globalMaxPool", "flatten"),
  isSoftmax: fc.boolean(),
});

function attributesOf(one: Gene, { kernel, stride, dilation }: Pick<Gene, "kernel" | "stride" | "dilation">) {
  const { type, filters, padding, bias, function: name } = one;
  // TensorFlow takes a step or a dilation, not both.
  const window = { kernel, stride, dilation: stride === 1 ? dilation : 1, padding };
  const { dilation: _none, ...pool } = { ...window, padding: padding === "valid" ? "valid" : "same" };
  const byType: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    conv2d: { filters, bias, ...window },
    depthwiseConv2d: { multiplier: 1 + (filters % 2), bias, ...window },
    pointwiseConv2d: { filters, bias },
    activation: { function: name, ...(name === "leakyRelu" ? { slope: filters / 10 } : {}) },
    maxPool: pool,
    averagePool: pool,
    dropout: { rate: 0.5 },
    batchNorm: { epsilon: 1e-3 },
  };
  return byType[type] ?? {};
}

/** The network of the genes; layers that would leave nothing of the picture are left out. */
function build(
  inputShape: readonly number[],
  genes: readonly Gene[],
  end: { pool: string; isSoftmax: boolean },
  seed: number,
) {
  const layers: NodeDefinition[] = [];
  let shapes: Network["shapes"] = new Map([["input", inputShape]]);
  const add = (
    name: string,
    type: string,
    inputs: readonly string[],
    attributes: NodeDefinition["attributes"] = {},
  ) => {
    layers.push({ name, type, inputs, attributes });
    ({ shapes } = network({ inputShape, layers, outputs: {} }));
    return name;
  };
  for (const [index, one] of genes.entries()) {
    const names = [...shapes.keys()];
    const from = names[Math.max(0, names.length - 1 - one.back)]!;
    const [height = 1, width = 1, channels = 1] = shapes.get(from)!;
    if (shapes.get(from)!.length !== 3 || Math.min(height, width) === 1) continue;
    const name = `n${index}`;
    if (one.type === "gate") {
      const pooled = add(`${name}_pool`, "globalAveragePool", [from], { keepDims: true });
      const squeezed = add(`${name}_fc`, "pointwiseConv2d", [pooled], { filters: channels });
      const gate = add(`${name}_gate`, "activation", [squeezed], { function: "hardSigmoid" });
      add(name, "multiply", [from, gate]);
      continue;
    }
    const alike = names.filter((other) => String(shapes.get(other)) === String(shapes.get(from)));
    const takesTwo = one.type === "add" || one.type === "multiply";
    const extent = (one.kernel - 1) * (one.stride === 1 ? one.dilation : 1) + 1;
    const kernel = extent > Math.min(height, width) ? 1 : one.kernel;
    add(
      name,
      one.type,
      takesTwo ? [from, alike[one.other % alike.length]!] : [from],
      attributesOf(one, { ...one, kernel }),
    );
  }
  const last = [...shapes.keys()].filter((name) => shapes.get(name)!.length === 3).at(-1)!;
  const row = add("tail", end.pool, [last]);
  const classes = add("classes", "dense", [row], { filters: 4 });
  const result = end.isSoftmax ? add("result", "softmax", [classes]) : classes;
  // What nobody reads is in no file, or would be a result.
  const needed = new Set([result]);
  const kept = [...layers].reverse().filter(({ name, inputs = [] }) => {
    if (needed.has(name)) for (const input of inputs) needed.add(input);
    return needed.has(name);
  });
  return withRandom(network({ inputShape, layers: kept.reverse(), outputs: { output: result } }), seed);
}

/** All parameters random: means and shifts as well. */
function withRandom(model: Network<"output">, seed: number): Network<"output"> {
  const random = mulberry32(seed);
  const values = [...model.parameterInfo.values()].map(({ name, role, shape }): [string, FloatTensor] => {
    const count = shape.reduce((a, b) => a * b, 1);
    const low = role === "variance" || role === "gamma" ? 0.5 : -0.5;
    return [
      name,
      tensor(
        Float32Array.from({ length: count }, () => low + random()),
        shape,
      ),
    ];
  });
  return withParameters(model, new Map(values));
}

async function answers(model: Network, input: FloatTensor): Promise<Float32Array> {
  const session = await compile(model as Network<"output">, { backend: "reference", batch: input.shape[0]! });
  const { output } = await session.run(input);
  session.close();
  return output.data;
}

const FORMS: Readonly<Record<string, (model: Network) => ModelSource | Promise<ModelSource>>> = {
  ONNX: (model) => networkAsOnnx(model),
  "ONNX, activations written out": (model) => networkAsOnnx(model, true),
  "frozen graph": (model) => networkAsGraphDef(model),
  "frozen graph, batch norm written out": (model) => networkAsGraphDef(model, true),
  TFLite: (model) => networkAsTflite(model),
  "TensorFlow.js layers": (model) => tfjsLayers(networkAsKeras(model)),
  ".keras": (model) => kerasArchive(networkAsKeras(model)),
};

describe("random networks of our own operations, written and loaded", () => {
  it.each(Object.entries(FORMS))("as %s", async (form, write) => {
    const size = fc.tuple(
      fc.integer({ min: 5, max: 9 }),
      fc.integer({ min: 5, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
    );
    const genes = fc.array(gene, { minLength: 1, maxLength: 8 });
    const property = fc.asyncProperty(size, genes, tail, fc.nat({ max: 1000 }), async (inputShape, all, end, seed) => {
      const written = build(inputShape, all, end, seed);
      const loaded = await loadModel(await write(written));
      expect(loaded.info.architecture).toBe("custom");
      const input = recipe([2, ...inputShape], seed + 1, -1, 1);
      const [expected, found] = [await answers(written, input), await answers(loaded, input)];
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
      expect(largestDifference(found, expected), "the answers").toBeLessThanOrEqual(1e-4 * largest);
      const kinds = (model: Network, type: string) => model.layers.filter((layer) => layer.type === type).length;
      for (const type of ["add", "dense", "maxPool"]) expect(kinds(loaded, type), type).toBe(kinds(written, type));
      const swishes = ({ layers }: Network) =>
        layers.filter(({ attributes }) => "function" in attributes && attributes.function === "hardSwish").length;
      // What is written out is one layer again; x times its hard-sigmoid is one as well.
      expect(swishes(loaded)).toBeGreaterThanOrEqual(swishes(written));
      const again = await loadModel(await encodeModel(loaded));
      expect(await answers(again, input), "after it was saved").toEqual(found);
    });
    await fc.assert(property, { seed: 20170417, numRuns: form === ".keras" ? 10 : 60 });
  });
});
