/**
 * Every backend against answers from elsewhere: the golden operations as networks of one layer, the golden V1 networks
 * tap by tap, real weights on real photographs. And the promise of the same bits for every number of threads and
 * every way of cutting a batch.
 */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { type Network, network } from "../../src/layers/network.ts";
import type { NodeDefinition } from "../../src/layers/node.ts";
import { mobileNetV1 } from "../../src/models/mobilenet-v1/mobilenet-v1.ts";
import type { MobileNetV1Options } from "../../src/models/mobilenet-v1/options.ts";
import type { ParameterRole } from "../../src/operations/operation.ts";
import { compile } from "../../src/session/compile.ts";
import type { Explanation } from "../../src/session/session.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { BACKENDS, type BackendVariant, describeEachBackend, SIMD, worker } from "../backends.ts";
import {
  largestDifference,
  readIntegers,
  readJson,
  readTensor,
  recipe,
  type TensorReference,
} from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { sessionOfMany } from "./session-of-many.ts";

const read = <T>(path: string, absent: T): T => (sharedRoot === undefined ? absent : readJson<T>(path));

/** What passed on each backend. */
interface Passed {
  readonly operations: Record<string, number>;
  networks: number;
  taps: number;
  images: number;
  sameTop: number;
}
const passed = new Map<string, Passed>(
  BACKENDS.map(({ name }) => [name, { operations: {}, networks: 0, taps: 0, images: 0, sameTop: 0 }]),
);
const passedOn = ({ name }: BackendVariant): Passed => passed.get(name)!;

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

interface OperationCase {
  readonly name: string;
  readonly op: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, TensorReference>>;
  readonly outputs: { readonly y: TensorReference };
  readonly tolerance: { readonly y: number };
}

const operations = read<{ counts: { forward: Record<string, number> }; cases: readonly OperationCase[] }>(
  "golden/ops/index.json",
  { counts: { forward: {} }, cases: [] },
);

/** The layer of a golden operation: its type, and the attributes that the case leaves to its tensors. */
const LAYERS: Readonly<Record<string, (t: Readonly<Record<string, FloatTensor>>) => Omit<NodeDefinition, "name">>> = {
  conv2d: ({ w, b }) => {
    const [kh, kw, , filters] = w!.shape;
    return { type: "conv2d", attributes: { kernel: [kh, kw], filters, bias: b !== undefined, padding: "valid" } };
  },
  depthwiseConv2d: ({ w, b }) => {
    const [kh, kw, , multiplier] = w!.shape;
    const attributes = { kernel: [kh, kw], multiplier, bias: b !== undefined, padding: "valid" };
    return { type: "depthwiseConv2d", attributes };
  },
  pointwiseConv2d: ({ w, b }) => ({
    type: "pointwiseConv2d",
    attributes: { filters: w!.shape.at(-1), bias: b !== undefined },
  }),
  dense: ({ w, b }) => ({ type: "dense", attributes: { filters: w!.shape[1], bias: b !== undefined } }),
  batchNorm: ({ gamma, beta }) => ({
    type: "batchNorm",
    attributes: { scale: gamma !== undefined, center: beta !== undefined },
  }),
  relu: () => ({ type: "activation", attributes: { function: "relu" } }),
  relu6: () => ({ type: "activation", attributes: { function: "relu6" } }),
  hardSwish: () => ({ type: "activation", attributes: { function: "hardSwish" } }),
  hardSigmoid: () => ({ type: "activation", attributes: { function: "hardSigmoid" } }),
  softmax: () => ({ type: "softmax" }),
  globalAveragePool: () => ({ type: "globalAveragePool" }),
  averagePool: () => ({ type: "averagePool", attributes: { padding: "valid" } }),
  maxPool: () => ({ type: "maxPool", attributes: { padding: "valid" } }),
  add: () => ({ type: "add", inputs: ["first", "second"] }),
  multiply: () => ({ type: "multiply", inputs: ["first", "second"] }),
};

const ROLES: Readonly<Record<ParameterRole, string>> = {
  kernel: "w",
  bias: "b",
  gamma: "gamma",
  beta: "beta",
  mean: "mean",
  variance: "variance",
};

/** A golden operation as a network with one layer, or with those that bring it its second input. */
function networkOf({ op, options: { activation, ...options }, inputs }: OperationCase) {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([key, reference]) => [key, readTensor("golden/ops", reference)]),
  );
  const { type, attributes, ...rest } = LAYERS[op]!(tensors);
  const { layers: before, input } = tensors["x"] ? { layers: [], input: tensors["x"] } : sideBySide(tensors);
  const layers = [
    ...before,
    { ...rest, name: "layer", type, attributes: { ...attributes, ...options } },
    ...(activation === undefined ? [] : [{ name: "after", type: "activation", attributes: { function: activation } }]),
  ];
  const model = network({
    inputShape: input.shape.slice(1),
    layers,
    outputs: { output: activation === undefined ? "layer" : "after" },
  });
  for (const { name, node, role, shape } of model.parameterInfo.values()) {
    const value = node === "layer" ? tensors[ROLES[role]]! : selection(shape, node === "first" ? 0 : shape.at(-1)!);
    model.parameters.set(name, tensor(value.data, shape));
  }
  return { model, input };
}

/**
 * A network has one input: a and b lie in it side by side, channel by channel, and two layers of zeros and ones take
 * them apart, to the bit. What is broadcast over the pixels is brought back to one by a maximum of equal numbers.
 */
function sideBySide({ a, b }: Readonly<Record<string, FloatTensor>>) {
  const { shape } = a!;
  const channels = shape.at(-1)!;
  const rows = a!.data.length / channels;
  const data = new Float32Array(2 * a!.data.length);
  const bRows = b!.data.length / channels;
  for (let row = 0; row < rows; row++) {
    data.set(a!.data.subarray(row * channels, (row + 1) * channels), 2 * row * channels);
    const from = Math.floor((row * bRows) / rows) * channels;
    data.set(b!.data.subarray(from, from + channels), (2 * row + 1) * channels);
  }
  const type = shape.length === 4 ? "pointwiseConv2d" : "dense";
  const take = (name: string) => ({ name, type, inputs: ["input"], attributes: { filters: channels, bias: false } });
  const isBroadcast = bRows < rows;
  const layers: readonly NodeDefinition[] = [
    take("first"),
    take(isBroadcast ? "whole" : "second"),
    ...(isBroadcast ? [{ name: "second", type: "globalMaxPool", attributes: { keepDims: true } }] : []),
  ];
  return { layers, input: tensor(data, [...shape.slice(0, -1), 2 * channels]) };
}

/** A kernel `[…, in, out]` of zeros, and a one from input channel `first + c` to each output channel c. */
function selection(shape: readonly number[], first: number): FloatTensor {
  const channels = shape.at(-1)!;
  const kernel = tensor(new Float32Array(2 * channels * channels), shape);
  for (let c = 0; c < channels; c++) kernel.data[(first + c) * channels + c] = 1;
  return kernel;
}

type Options = BackendVariant["options"];

/** Computes golden operations: each as a session of its own, or many as one where workers must be started for it. */
async function outputsOf(cases: readonly OperationCase[], options: Options): Promise<readonly FloatTensor[]> {
  const outputs = new Map<string, FloatTensor>();
  const check = (explanation: Explanation) =>
    expect(explanation).toMatchObject({ backend: options.backend, threads: options.threads ?? 1, fallbackSteps: [] });
  const members = cases.map((entry) => ({ name: entry.name, ...networkOf(entry) }));
  if ((options.threads ?? 1) === 1) {
    for (const { name, model, input } of members) {
      const session = await compile(model, { ...options, batch: input.shape[0]! });
      outputs.set(name, (await session.run(input)).output);
      check(session.explain());
      session.close();
    }
  } else {
    const { simd = "auto", threads } = options;
    for (const batch of new Set(members.map(({ input }) => input.shape[0]!))) {
      const alike = members.filter(({ input }) => input.shape[0] === batch);
      const { session, data } = await sessionOfMany(alike, { simd, threads: Number(threads), worker });
      const results: Readonly<Record<string, FloatTensor>> = await session.run(data);
      for (const { name } of alike) outputs.set(name, results[name]!);
      check(session.explain());
      session.close();
    }
  }
  return cases.map(({ name }) => outputs.get(name)!);
}

/** Why a golden operation does not hold, or undefined. */
function problemOf({ name, outputs: { y }, tolerance }: OperationCase, { shape, data }: FloatTensor) {
  const expected = readTensor("golden/ops", y);
  if (String(shape) !== String(expected.shape)) return `${name}: shape ${shape}, expected ${expected.shape}`;
  const difference = largestDifference(data, expected.data);
  return difference <= tolerance.y ? undefined : `${name}: off by ${difference}, allowed ${tolerance.y}`;
}

interface ModelCase {
  readonly name: string;
  readonly options: MobileNetV1Options & { readonly architecture: string; readonly inputShape: readonly number[] };
  readonly input: { readonly shape: number[]; readonly seed: number; readonly low: number; readonly high: number };
  readonly parameters: readonly (readonly [name: string, shape: number[], seed: number, low: number, high: number])[];
  readonly taps: readonly {
    readonly name: string;
    readonly shape: number[];
    readonly mean: number;
    readonly indices: TensorReference;
    readonly values: TensorReference;
    readonly tolerance: number;
  }[];
  readonly outputs: Readonly<Record<string, TensorReference>>;
  readonly tolerance: Readonly<Record<string, number>>;
}

const models = read<{ counts: { cases: number }; cases: readonly ModelCase[] }>("golden/models/index.json", {
  counts: { cases: 0 },
  cases: [],
});

const built = new Map<string, Network>();

/** A golden network with its parameters, made once for all backends. */
function goldenModel({ name, options, parameters }: ModelCase): Network {
  const known = built.get(name);
  if (known !== undefined) return known;
  const { architecture: _, inputShape, ...rest } = options;
  const [height, width, channels] = inputShape;
  const model: Network = mobileNetV1({ ...rest, inputSize: [height!, width!], inputChannels: channels! });
  for (const [parameter, shape, seed, low, high] of parameters) {
    model.parameters.set(parameter, recipe(shape, seed, low, high));
  }
  built.set(name, model);
  return model;
}

async function checkModel(golden: ModelCase, options: Options, fold: boolean): Promise<number> {
  const { shape, seed, low, high } = golden.input;
  const taps = golden.taps.map(({ name }) => name);
  const session = await compile(goldenModel(golden), { ...options, batch: shape[0]!, taps, fold });
  const result = await session.run(recipe(shape, seed, low, high));
  expect(session.explain().fallbackSteps).toEqual([]);
  session.close();
  for (const { name, shape: expectedShape, indices, values, mean, tolerance } of golden.taps) {
    const { data, shape: actualShape } = result.taps[name]!;
    expect(actualShape).toEqual(expectedShape);
    const picked = readIntegers("golden/models", indices).map((index) => data[index]!);
    expect(largestDifference(picked, readTensor("golden/models", values).data), name).toBeLessThanOrEqual(tolerance);
    const actualMean = data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(actualMean - mean), `mean of ${name}`).toBeLessThanOrEqual(tolerance);
  }
  for (const [name, reference] of Object.entries(golden.outputs)) {
    const expected = readTensor("golden/models", reference);
    const actual = (result as Readonly<Record<string, object>>)[name] as FloatTensor;
    expect(actual.shape).toEqual(expected.shape);
    expect(largestDifference(actual.data, expected.data), name).toBeLessThanOrEqual(golden.tolerance[name]!);
  }
  return taps.length;
}

interface RealNetwork {
  readonly weights: string;
  readonly resolution: number;
  readonly logits: string;
  readonly shape: readonly [images: number, classes: number];
  readonly float32_against_float64: number;
}

const reference = read<{
  readonly inputs: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, RealNetwork>>;
  readonly images: readonly {
    readonly inputs: Readonly<Record<string, { readonly row: number }>>;
    readonly top5: Readonly<Record<string, readonly { readonly index: number }[]>>;
  }[];
}>("reference/index.json", { inputs: {}, networks: {}, images: [] });

const REAL = ["v1-0.25-128", "v1-0.25-224", "v1-0.25-224-unfolded", "v1-1.0-224"];
/** Backends of plain JavaScript need up to a third of a second for a picture: they compute some of the 24. */
const FEWER: Readonly<Record<string, number>> = { "v1-0.25-224": 12, "v1-0.25-224-unfolded": 12, "v1-1.0-224": 6 };
const imagesOf = ({ options }: BackendVariant, name: string): number =>
  (options.backend === "wasm" ? undefined : FEWER[name]) ?? reference.networks[name]!.shape[0];

const bytesOf = (file: string) => readFileSync(resolve(sharedRoot ?? "", "reference", file));
const indexOfLargest = (values: Float32Array) => values.indexOf(Math.max(...values));

async function checkReal(name: string, variant: BackendVariant): Promise<void> {
  const { weights, resolution, logits, shape, float32_against_float64: noise } = reference.networks[name]!;
  const images = imagesOf(variant, name);
  const [, classes] = shape;
  const pixels = bytesOf(reference.inputs[resolution]!.file);
  const expected = new Float32Array(Uint8Array.from(bytesOf(logits)).buffer);
  const elements = resolution * resolution * 3;
  const batch = 6;
  const session = await compile(await loadModel(resolve(sharedRoot ?? "", weights)), { ...variant.options, batch });
  expect(session.explain().fallbackSteps).toEqual([]);
  for (let start = 0; start < images; start += batch) {
    const input = Float32Array.from(
      pixels.subarray(start * elements, (start + batch) * elements),
      (v) => v / 127.5 - 1,
    );
    const { data } = (await session.run(tensor(input, [batch, resolution, resolution, 3]))).logits!;
    const rows = expected.subarray(start * classes, (start + batch) * classes);
    expect(largestDifference(data, rows)).toBeLessThanOrEqual(8 * noise);
    for (let row = 0; row < batch; row++) {
      const picture = reference.images.find(({ inputs }) => inputs[resolution]?.row === start + row)!;
      expect(indexOfLargest(data.subarray(row * classes, (row + 1) * classes))).toBe(picture.top5[name]![0]!.index);
      passedOn(variant).sameTop++;
    }
    passedOn(variant).images += batch;
  }
  session.close();
}

describeShared("conformance", () => {
  const forward = operations.cases.filter(({ name }) => !name.startsWith("gradient/"));
  const names = [...new Set(forward.map(({ op }) => op))];

  describeEachBackend((variant) => {
    const { options } = variant;
    let outputs: ReturnType<typeof outputsOf> | undefined;

    it.each(names)("%s: every golden case", async (op) => {
      outputs ??= outputsOf(forward, options);
      const found = await outputs;
      const problems = forward.map((entry, index) => (entry.op === op ? problemOf(entry, found[index]!) : undefined));
      expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
      passedOn(variant).operations[op] = problems.filter((_, index) => forward[index]!.op === op).length;
    });

    it.each(models.cases.map((golden) => [golden.name, golden] as const))("%s, tap by tap", async (_name, golden) => {
      for (const fold of [true, false]) passedOn(variant).taps += await checkModel(golden, options, fold);
      passedOn(variant).networks++;
    });

    it.each(REAL)("%s: logits of the stored pictures within eight times the noise, and their best class", (name) =>
      checkReal(name, variant),
    );
  });

  afterAll(() => {
    for (const variant of BACKENDS) {
      const { operations: found, networks, taps, images, sameTop } = passedOn(variant);
      if (variant.missing !== undefined) {
        console.log(`conformance, ${variant.name}: could not run: ${variant.missing}`);
        continue;
      }
      console.log(
        `conformance, ${variant.name}: ${total(found)} operations, ${networks} networks folded and not (${taps} taps), ` +
          `${REAL.length} real networks on ${images} pictures, the same best class for ${sameTop}`,
      );
      const { total: all, ...counts } = operations.counts.forward;
      const pictures = REAL.reduce((sum, name) => sum + imagesOf(variant, name), 0);
      expect(found).toEqual(counts);
      expect(total(found)).toBe(all);
      expect(all).toBe(351);
      expect(networks).toBe(models.counts.cases);
      expect(taps).toBe(2 * models.cases.reduce((sum, golden) => sum + golden.taps.length, 0));
      expect([images, sameTop]).toEqual([pictures, pictures]);
    }
  });
});

/** Channels and sizes that no tile divides, every kind of layer, and steps that are cut in each way. */
function oddNetwork(): Network {
  const conv = (name: string, filters: number, attributes = {}) => ({
    name,
    type: "conv2d",
    attributes: { filters, kernel: 3, ...attributes },
  });
  const depthwise = (name: string, attributes = {}) => ({
    name,
    type: "depthwiseConv2d",
    attributes: { kernel: 3, ...attributes },
  });
  const pointwise = (name: string, filters: number) => ({ name, type: "pointwiseConv2d", attributes: { filters } });
  const activation = (name: string, kind: string) => ({ name, type: "activation", attributes: { function: kind } });
  const layers = [
    conv("stem", 13, { stride: 2 }),
    activation("stem_swish", "hardSwish"),
    depthwise("dw1"),
    activation("dw1_relu", "relu6"),
    pointwise("pw1", 29),
    activation("pw1_swish", "hardSwish"),
    depthwise("dw2", { kernel: 5, stride: 2 }),
    pointwise("pw2", 17),
    depthwise("dw3", { kernel: [3, 4], multiplier: 3, dilation: [2, 1] }),
    pointwise("pw3", 17),
    { name: "sum", type: "add", inputs: ["pw3", "pw2"] },
    { name: "gate", type: "globalAveragePool", inputs: ["sum"], attributes: { keepDims: true } },
    pointwise("squeeze", 5),
    pointwise("excite", 17),
    activation("gate_sigmoid", "hardSigmoid"),
    { name: "scaled", type: "multiply", inputs: ["sum", "gate_sigmoid"] },
    { name: "norm", type: "batchNorm" },
    activation("norm_relu", "relu"),
    { name: "pool", type: "maxPool", attributes: { kernel: 3, stride: 2, padding: "same" } },
    { name: "mean", type: "averagePool", attributes: { kernel: 2, stride: 1 } },
    conv("narrow", 3, { padding: "same", dilation: 2 }),
    { name: "flat", type: "flatten" },
    { name: "logits", type: "dense", attributes: { filters: 67 } },
    { name: "probabilities", type: "softmax" },
  ];
  return network({
    name: "odd",
    inputShape: [37, 51, 3],
    layers,
    outputs: { logits: "logits", probabilities: "probabilities" },
  });
}

const TAPPED = {
  odd: ["stem", "dw1", "pw1", "dw2", "pw2", "dw3", "sum", "gate", "scaled", "norm", "pool", "mean", "narrow"],
  "V1 0.25-128": ["conv1", "conv_dw_1", "conv_pw_1", "conv_pw_3", "conv_dw_6", "conv_pw_6", "conv_pw_12", "conv_pw_13"],
};
const NETWORKS: Readonly<Record<keyof typeof TAPPED, () => Network>> = {
  odd: oddNetwork,
  "V1 0.25-128": () => mobileNetV1({ alpha: 0.25, resolution: 128 }),
};

describe.each(SIMD)("within %s SIMD", (simd) => {
  describe.each(Object.keys(TAPPED) as (keyof typeof TAPPED)[])("the %s network gives the same bits", (name) => {
    const model = NETWORKS[name]();
    const images = 4;
    const input = recipe([images, ...model.inputShape], 7, -1, 1);
    const perImage = input.data.length / images;

    /** The bits of all four images, run so many at a time; by name. Without taps neighbours run as one. */
    async function bitsOf(threads: number, split: readonly number[], batch: number, taps: readonly string[]) {
      const options = { backend: "wasm", simd, threads, batch, taps, worker } as const;
      const session = await compile(model, options);
      expect(session.explain()).toMatchObject({ simd, threads, fallbackSteps: [] });
      const parts = new Map<string, Buffer[]>();
      let first = 0;
      for (const count of split) {
        const part = input.data.subarray(first * perImage, (first + count) * perImage);
        const { taps: tapped, ...outputs } = await session.run(tensor(part, [count, ...model.inputShape]));
        for (const [key, { data }] of Object.entries({ ...outputs, ...tapped } as Record<string, FloatTensor>)) {
          parts.set(key, [...(parts.get(key) ?? []), Buffer.from(data.buffer)]);
        }
        first += count;
      }
      session.close();
      return new Map([...parts].map(([key, buffers]) => [key, Buffer.concat(buffers)]));
    }

    it.each([1, 2, 3, 4])("on %i threads, in one batch and in parts, tapped and not", async (threads) => {
      const expected = await bitsOf(1, [1, 1, 1, 1], 1, TAPPED[name]);
      for (const [split, batch] of [
        [[1, 1, 1, 1], 1],
        [[4], 4],
        [[3, 1], 3],
        [[2, 2], 4],
      ] as const) {
        const tapped = await bitsOf(threads, split, batch, TAPPED[name]);
        const whole = await bitsOf(threads, split, batch, []);
        expect(tapped.size).toBeGreaterThanOrEqual(2 + TAPPED[name].length);
        for (const [key, bits] of [...tapped, ...whole]) {
          const difference = Buffer.compare(bits, expected.get(key)!);
          expect(difference, `${key}, ${split.join(" + ")} images of ${batch}`).toBe(0);
        }
      }
    });
  });
});

if (!SIMD.includes("relaxed")) {
  it(`the same bits of relaxed SIMD could not be tried: Node ${process.version} has none`, () => {
    expect(Number(process.versions.node.split(".")[0])).toBeLessThan(22);
  });
}
