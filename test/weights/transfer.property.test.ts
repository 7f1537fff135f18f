/** @slow: it takes 10 seconds. */

/** What transfer must leave alone, to the bit: features under a new head, logits beside new classes, features alone. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { type Network, network, withInfo } from "../../src/layers/index.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { type CompileOptions, compile } from "../../src/session/compile.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { addClasses, embeddingModel, replaceHead } from "../../src/weights/transfer.ts";
import { SIMD } from "../backends.ts";
import { recipe } from "../golden/vectors.ts";

/** Backends that run without workers: what these functions make is a network like any other. */
const BACKENDS: readonly CompileOptions[] = [
  { backend: "reference" },
  { backend: "plain" },
  ...SIMD.map((simd) => ({ backend: "wasm", simd, threads: 1 }) as const),
];

async function outputsOf(model: Network, input: FloatTensor, options: CompileOptions) {
  const session = await compile(model, options);
  const result = await session.run(input);
  session.close();
  return result as unknown as Readonly<Record<string, FloatTensor>>;
}

const options = fc.record({
  alpha: fc.constantFrom(0.05, 0.1, 0.25),
  inputSize: fc.tuple(fc.integer({ min: 33, max: 60 }), fc.integer({ min: 33, max: 60 })),
  classes: fc.integer({ min: 1, max: 21 }),
  activation: fc.constantFrom("relu" as const, "relu6" as const, "leakyRelu" as const, "hardSwish" as const),
  padding: fc.constantFrom("same" as const, "keras" as const, "symmetric" as const),
  batchNorm: fc.boolean(),
  shallow: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
  background: fc.boolean(),
});

const labelsOf = (count: number, word: string) => Array.from({ length: count }, (_, i) => `${word} ${i}`);

/** A MobileNet V1 with a top, with labels for every second seed; or a network of one's own with the same outputs. */
function build(isCustom: boolean, given: MobileNetV1Options & { readonly classes: number; readonly seed: number }) {
  const labels = given.seed % 2 === 0 ? { labels: labelsOf(given.classes, "old") } : {};
  const whole = mobileNetV1<MobileNetV1Options>({ ...given, ...labels, preprocessing: { range: [0, 1] } });
  const { info, inputShape, layers, outputs } = whole;
  const { options: _options, ...rest } = info;
  const definition = { inputShape, outputs, seed: given.seed, info: { ...rest, architecture: "custom" } };
  const model = isCustom ? network({ ...definition, layers: layers.map((node) => ({ ...node })) as never }) : whole;
  // Biases that are not 0, so that a column in the wrong place shows.
  model.parameters.set("conv_preds/bias", recipe([given.classes], given.seed, -1, 1));
  return withInfo(model, { source: "of a later version" } as never);
}

const numbers = (model: Network) => recipe([1, ...model.inputShape], 7, -1, 1);
const settings = { seed: 20170417, numRuns: 12 };

describe("embeddingModel", () => {
  it("gives the bits of the whole network's embedding, on each backend", async () => {
    const property = fc.asyncProperty(fc.boolean(), options, async (isCustom, given) => {
      const whole = build(isCustom, given);
      const features = embeddingModel(whole);
      expect(Object.keys(features.outputs)).toEqual(["embedding"]);
      expect(features.parameterInfo.size).toBe(whole.parameterInfo.size - 2);
      const { labels: _labels, background: _background, options: _options, ...kept } = whole.info;
      expect(features.info).toMatchObject(kept);
      expect(features.info.labels).toBeUndefined();
      for (const backend of BACKENDS) {
        const { embedding } = await outputsOf(whole, numbers(whole), backend);
        const alone = await outputsOf(features, numbers(whole), backend);
        expect(alone["embedding"]).toEqual(embedding);
      }
    });
    await fc.assert(property, settings);
  });
});

describe("addClasses", () => {
  it("leaves the logits of the old classes as they are, on each backend", async () => {
    const seeds = fc.integer({ min: 1, max: 1e6 });
    const counts = fc.integer({ min: 1, max: 19 });
    const property = fc.asyncProperty(fc.boolean(), options, counts, seeds, async (isCustom, given, added, seed) => {
      const old = build(isCustom, given);
      const { labels } = old.info;
      const names = labelsOf(added, "new");
      const more = addClasses(old, labels === undefined ? { classes: added, seed } : { labels: names, seed });
      expect(more.info.labels).toEqual(labels === undefined ? undefined : [...labels, ...names]);
      const { options: _options, labels: _labels, ...kept } = old.info;
      expect(more.info).toMatchObject(kept);
      for (const backend of BACKENDS) {
        const before = await outputsOf(old, numbers(old), backend);
        const after = await outputsOf(more, numbers(old), backend);
        expect(after["logits"]!.shape).toEqual([1, given.classes + added]);
        expect(after["probabilities"]!.shape).toEqual([1, given.classes + added]);
        expect(after["logits"]!.data.subarray(0, given.classes)).toEqual(before["logits"]!.data);
        const fresh = after["logits"]!.data.subarray(given.classes);
        expect(fresh.every(Number.isFinite)).toBe(true);
        expect(after["embedding"]).toEqual(before["embedding"]);
      }
    });
    await fc.assert(property, settings);
  });
});

describe("replaceHead", () => {
  it("keeps the features, on each backend, and starts the classifier from the seed", async () => {
    const counts = fc.integer({ min: 1, max: 40 });
    const property = fc.asyncProperty(fc.boolean(), options, counts, async (isCustom, given, classes) => {
      const old = build(isCustom, given);
      const replaced = replaceHead(old, { classes, seed: 3 });
      expect(replaced.info).not.toHaveProperty("labels");
      expect(replaced.info).toMatchObject({ background: false, preprocessing: { range: [0, 1] } });
      expect(replaced.info).toMatchObject({ source: "of a later version" });
      for (const backend of BACKENDS) {
        const before = await outputsOf(old, numbers(old), backend);
        const after = await outputsOf(replaced, numbers(old), backend);
        expect(after["embedding"]).toEqual(before["embedding"]);
        expect(after["logits"]!.shape).toEqual([1, classes]);
      }
      for (const [name, value] of replaced.parameters) {
        if (!name.startsWith("conv_preds/")) expect(value).toBe(old.parameters.get(name));
      }
      const other = replaceHead(old, { classes, seed: 4 });
      const kernel = replaced.parameters.get("conv_preds/kernel");
      expect(other.parameters.get("conv_preds/kernel")).not.toEqual(kernel);
      // A network of one's own has no classifier any more once it is cut to its features.
      if (isCustom) return;
      const again = replaceHead(embeddingModel(old), { classes, seed: 3 });
      expect(again.parameters.get("conv_preds/kernel")).toEqual(kernel);
    });
    await fc.assert(property, settings);
  });
});

describe("what transfer makes", () => {
  it("is the same when it is saved and loaded", async () => {
    const property = fc.asyncProperty(fc.boolean(), options, async (isCustom, given) => {
      const old = build(isCustom, given);
      const labels = labelsOf(3, "new");
      const made = [
        embeddingModel(old),
        replaceHead(old, { labels, background: true }),
        old.info.labels === undefined ? addClasses(old, { classes: 3 }) : addClasses(old, { labels }),
      ];
      for (const model of made) {
        const loaded: Network = await loadModel(encodeModel(model));
        expect(loaded.layers).toEqual(model.layers);
        expect(loaded.outputs).toEqual(model.outputs);
        expect([...loaded.parameters]).toEqual([...model.parameters]);
        const { labels: names, background, preprocessing } = model.info;
        expect(loaded.info.labels).toEqual(names);
        expect(loaded.info.preprocessing).toEqual(preprocessing);
        // Of a thousand and one the loader infers it; of others it is what was saved.
        expect(loaded.info.background).toBe(background);
      }
    });
    await fc.assert(property, settings);
  });
});
