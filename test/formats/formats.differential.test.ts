/** One network in every format: written by the tests' own writers, it comes back bit for bit, and says on what basis. */

import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { MOBILENET_V1_BLOCKS, type MobileNetV1Options } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { answer, changed, folded, type Sample, sample } from "../fixtures/sample-networks.ts";
import { FORMS, type Form } from "../writers/forms.ts";

const tiny = { alpha: 0.25, resolution: 32, classes: 6 } as const;
const strides = [2, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1];

const OPTIONS: Readonly<Record<string, MobileNetV1Options>> = {
  "same, relu6": tiny,
  "keras padding at odd size, relu": { ...tiny, alpha: 0.19, resolution: 37, padding: "keras", activation: "relu" },
  "symmetric, leaky, not square": {
    alpha: 0.25,
    inputSize: [40, 34],
    classes: 3,
    padding: "symmetric",
    activation: "leakyRelu",
    negativeSlope: 0.1,
    epsilon: 1e-5,
  },
  "grey, one class": { ...tiny, alpha: 0.15, classes: 1, inputChannels: 1 },
  "bias and batch norm": { ...tiny, convolutionBias: true, activation: "relu" },
  "folded, leaky, grey": { ...tiny, batchNorm: false, activation: "leakyRelu", negativeSlope: 0.2, inputChannels: 1 },
  shallow: { ...tiny, shallow: true, epsilon: 1e-5 },
  "multiplier 2": { ...tiny, alpha: 0.1, multiplier: 2 },
  "no top": { alpha: 0.13, resolution: 48, includeTop: false },

  "1001 classes": { ...tiny, classes: 1001 },
  "keras padding of the stem too": { ...tiny, padding: "keras", stemPadding: "explicit", resolution: 37 },
  folded: { ...tiny, batchNorm: false, padding: "symmetric" },
  "full convolutions": { ...tiny, alpha: 0.1, standardConvolution: true },
  "strides of its own": {
    ...tiny,
    stem: { stride: 1, filters: 32 },
    blocks: MOBILENET_V1_BLOCKS.map(({ filters }, i) => ({ filters, stride: strides[i] ?? 1 })),
  },
  averaged: { alpha: 0.2, resolution: 48, includeTop: false, pooling: "avg" },
  maximum: { alpha: 0.2, resolution: 48, includeTop: false, pooling: "max" },
  "output stride 16": { ...tiny, resolution: 64, outputStride: 16 },
  "output stride 8, symmetric": { ...tiny, resolution: 64, outputStride: 8, padding: "symmetric" },
  "alpha 0.33": { ...tiny, alpha: 0.33 },
  linear: { ...tiny, activation: "linear" },
  "an image of which other padding leaves nothing": {
    alpha: 0.2,
    inputSize: [32, 31],
    classes: 4,
    padding: "symmetric",
  },
  "an eighth, in eights": { alpha: 0.125, resolution: 32, classes: 2, channelRounding: "divisible8" },
  "1000 classes, widths in eights": { alpha: 0.35, resolution: 40, classes: 1000, channelRounding: "divisible8" },
  "at least 8 channels": { alpha: 0.1, resolution: 32, classes: 4, channelRounding: "floor" },
};

/** Networks at random, as their options. */
function randomOptions(seed: number): MobileNetV1Options {
  const random = mulberry32(seed);
  const pick = <Value>(...values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
  const activation = pick("relu", "relu6", "leakyRelu");
  return {
    alpha: pick(0.1, 0.2, 0.25, 0.33),
    inputSize: [pick(32, 33, 40, 47), pick(32, 35, 48)],
    classes: 1 + Math.floor(1001 * random() ** 3),
    padding: pick("same", "keras", "symmetric"),
    stemPadding: pick("same", "explicit"),
    activation,
    epsilon: pick(1e-3, 1e-5, 0.01),
    ...(activation === "leakyRelu" ? { negativeSlope: pick(0.1, 0.01, 0.3) } : {}),
    ...(random() < 0.25 ? { batchNorm: false } : { convolutionBias: random() < 0.3 }),
    ...(random() < 0.2 ? { inputChannels: 1 } : {}),
    ...(random() < 0.2 ? { shallow: true } : {}),
  };
}

const samples = Object.entries(OPTIONS).map(([title, options], i) => sample(title, options, i + 1));
/** As many as each form sees; of the others, and of those at random, a part. */
const FOR_ALL = 9;
const randomSamples = Array.from({ length: 12 }, (_, i) => sample(`at random ${i}`, randomOptions(i + 1), 100 + i));

/** Slow ones: each form sees a few of them. */
const large = [sample("alpha 1, 1001 classes", { alpha: 1, resolution: 33, classes: 1001, padding: "symmetric" }, 99)];
const FORMS_FOR_LARGE = /Face directory|zip, state dict, PyTorch|ONNX, Clip|TFLite int8/;

function samplesFor({ name, obstacle }: Form, place: number): readonly Sample[] {
  const some = samples.slice(FOR_ALL).filter((_, i) => (i + place) % 3 === 0);
  const atRandom = randomSamples.filter((_, i) => (i + place) % 6 === 0);
  return [...samples.slice(0, FOR_ALL), ...some, ...atRandom, ...(FORMS_FOR_LARGE.test(name) ? large : [])].filter(
    (one) => !obstacle?.(one),
  );
}

/** What a reader must find out, or be given. */
const DECIDED = [
  ...["alpha", "inputSize", "inputChannels", "classes", "includeTop", "pooling", "padding", "activation"],
  ...["negativeSlope", "convolutionBias", "batchNorm", "outputStride", "shallow", "standardConvolution", "multiplier"],
] as const;

function decided({ options = {} }: Sample["model"]["info"], isFolded: boolean): Readonly<Record<string, unknown>> {
  const names = isFolded ? DECIDED : [...DECIDED, "epsilon"];
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

const bits = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

function differing(found: ReadonlyMap<string, FloatTensor>, expected: ReadonlyMap<string, FloatTensor>): string[] {
  const names = [...new Set([...found.keys(), ...expected.keys()])];
  return names.filter((name) => {
    const [a, b] = [found.get(name), expected.get(name)];
    return !a || !b || String(a.shape) !== String(b.shape) || !bits(a.data).equals(bits(b.data));
  });
}

const answers = new WeakMap<Sample, Partial<Record<Backend, Promise<Float32Array>>>>();

/** What a sample answers, asked once. */
function answerOf(one: Sample, backend: Backend): Promise<Float32Array> {
  const known = answers.get(one) ?? {};
  known[backend] ??= answer(one.model, backend);
  answers.set(one, known);
  return known[backend];
}

type Backend = "reference" | "wasm";

async function check({ write, format, understoodBy }: Form, original: Sample, backend: Backend): Promise<void> {
  const { source, given = {}, expected, said } = await write(original);
  const loaded = await loadModel(source, given);
  expect(differing(loaded.parameters, expected.model.parameters)).toEqual([]);
  const [found, wanted] = [await answer(loaded, backend), await answerOf(expected, backend)];
  expect(bits(found).equals(bits(wanted)), "the same bits").toBe(true);

  const description = describeModel(loaded);
  expect(description.format).toBe(format);
  expect(description.understoodBy).toMatch(understoodBy);
  const { padding, ...options } = decided(expected.model.info, expected.options.batchNorm === false);
  const { padding: foundPadding, ...foundOptions } = decided(loaded.info, expected.options.batchNorm === false);
  expect(foundOptions).toEqual(options);
  if ("padding" in said) expect(foundPadding).toBe(padding);
  const bases = new Map(description.decisions.map(({ name, basis }) => [name, basis]));
  for (const [name, basis] of Object.entries(said)) {
    // Without a classifier there are no classes, without batch norm there is no epsilon.
    if (bases.has(name)) expect([name, bases.get(name)]).toEqual([name, basis]);
  }
}

describe.each(FORMS.map((form, place) => [form.name, form, place] as const))("%s", (_name, form, place) => {
  it.each(samplesFor(form, place).map((one, i) => [one.title, one, i] as const))("%s", async (_title, one, i) => {
    await check(form, one, (place + i) % 2 === 0 ? "reference" : "wasm");
  });
});

describe("a network with batch norm folded", () => {
  const unfolded = samples.filter(({ options }) => options.batchNorm !== false);

  it.each(unfolded.map((one) => [one.title, one] as const))("answers as before: %s", async (_title, one) => {
    const random = mulberry32(5);
    // Each number one step of float32 up or down: what the noise of float32 does to this network.
    const shaken = changed(one, (data) => data.map((value) => value * (1 + (random() < 0.5 ? -1 : 1) * 2 ** -23)));
    const before = await answer(one.model, "wasm", false);
    const after = await answer(folded(one).model, "wasm", false);
    const noise = await answer(shaken.model, "wasm", false);
    const greatest = (other: Float32Array) => Math.max(...before.map((value, i) => Math.abs(value - other[i]!)));
    expect(greatest(after)).toBeGreaterThan(0);
    expect(greatest(after)).toBeLessThanOrEqual(8 * greatest(noise));
    // A check that can fail: one percent of epsilon is more than that.
    const other = await answer(folded({ ...one, epsilon: 1.01 * one.epsilon }).model, "wasm");
    expect(greatest(other)).toBeGreaterThan(8 * greatest(noise));
  });
});
