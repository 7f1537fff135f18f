/** From files to labels, against independent answers: logits for the stored inputs, top-1 for the JPEG files. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createClassifier } from "../../src/classify/index.ts";
import { tensor } from "../../src/core/tensor.ts";
import { compile } from "../../src/session/compile.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { largestDifference, readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface Reference {
  readonly inputs: Record<string, { readonly file: string }>;
  readonly networks: Record<string, NetworkReference>;
  readonly images: readonly {
    readonly file: string;
    readonly top5: Record<
      string,
      readonly { readonly index: number; readonly label: string; readonly margin?: number }[]
    >;
  }[];
}

interface NetworkReference {
  readonly weights: string;
  readonly resolution: number;
  readonly logits: string;
  readonly probabilities?: string;
  readonly shape: readonly [number, number];
  readonly float32_against_float64: number;
}

interface Taps {
  readonly row: number;
  readonly layers: Record<
    string,
    {
      readonly shape: number[];
      readonly mean: number;
      readonly max: number;
      readonly at: number[];
      readonly values: number[];
    }
  >;
  readonly features?: { readonly values?: number[] };
}

describeShared("real weights on real photographs", () => {
  const root = sharedRoot ?? "";
  const index =
    sharedRoot === undefined ? { inputs: {}, networks: {}, images: [] } : readJson<Reference>("reference/index.json");
  const floats = (file: string) =>
    new Float32Array(new Uint8Array(readFileSync(resolve(root, "reference", file))).buffer);
  const networks = Object.entries(index.networks).filter(([, { weights }]) => weights.startsWith("derived/"));
  const agreement: Record<string, readonly [number, number]> = {};

  it.each(networks)("%s: logits, probabilities and top-1 for every stored input", async (_name, network) => {
    const model = await loadModel(resolve(root, network.weights));
    const { resolution, shape } = network;
    const [images, classes] = shape;
    expect(model.inputShape).toEqual([resolution, resolution, 3]);
    const bytes = readFileSync(resolve(root, "reference", index.inputs[String(resolution)]!.file));
    const logits = floats(network.logits);
    const session = await compile(model, { batch: 8 });
    const elements = resolution * resolution * 3;
    for (let start = 0; start < images; start += 8) {
      const input = Float32Array.from(bytes.subarray(start * elements, (start + 8) * elements), (v) => v / 127.5 - 1);
      const result = await session.run(tensor(input, [8, resolution, resolution, 3]));
      const expected = logits.subarray(start * classes, (start + 8) * classes);
      // Eight times the noise of float32, as printed beside the reference.
      expect(largestDifference(result.logits!.data, expected)).toBeLessThanOrEqual(8 * network.float32_against_float64);
      if (network.probabilities !== undefined) {
        const probabilities = floats(network.probabilities).subarray(start * classes, (start + 8) * classes);
        expect(largestDifference(result.probabilities!.data, probabilities)).toBeLessThanOrEqual(1e-5);
      }
      for (let row = 0; row < 8; row++) {
        const top = (values: Float32Array) => values.indexOf(Math.max(...values));
        const slice = (values: Float32Array) => values.subarray(row * classes, (row + 1) * classes);
        expect(top(slice(result.logits!.data))).toBe(top(slice(expected)));
      }
    }
  });

  it.each(networks)("%s: every layer's output for the first picture", async (name, network) => {
    const taps = readJson<Record<string, Taps>>("reference/taps.json")[name]!;
    const model = await loadModel(resolve(root, network.weights));
    const names = Object.keys(taps.layers).filter((layer) => model.shapes.has(layer) && layer !== "conv_preds");
    expect(names.length).toBeGreaterThanOrEqual(27);
    const { resolution } = network;
    const elements = resolution * resolution * 3;
    const bytes = readFileSync(resolve(root, "reference", index.inputs[String(resolution)]!.file));
    const input = Float32Array.from(
      bytes.subarray(taps.row * elements, (taps.row + 1) * elements),
      (v) => v / 127.5 - 1,
    );
    const result = await (await compile(model, { taps: names })).run(tensor(input, [1, resolution, resolution, 3]));
    for (const layer of names) {
      const { shape, at, values, max } = taps.layers[layer]!;
      const actual = result.taps[layer]!;
      expect(actual.shape.slice(1)).toEqual(shape);
      expect(
        largestDifference(
          at.map((i) => actual.data[i]!),
          values,
        ),
      ).toBeLessThanOrEqual(2e-5 * Math.max(1, max));
    }
  });

  it.each(networks)("%s: the same best label from the files themselves", async (name, network) => {
    const classifier = await createClassifier(await loadModel(resolve(root, network.weights)), { batch: 4 });
    const files = index.images.filter(({ top5 }) => top5[name] !== undefined);
    const predictions = await classifier.classify(
      files.map(({ file }) => resolve(root, "reference", file)),
      { topK: 5 },
    );
    let agree = 0;
    for (const [i, { top5 }] of files.entries()) {
      const expected = top5[name]!;
      if (predictions[i]![0]!.index === expected[0]!.index) agree++;
      if (network.shape[1] === 1001)
        expect(predictions[i]![0]!.label).toBe(classifier.labels[predictions[i]![0]!.index]);
      for (const { index: place, label } of expected) expect(classifier.labels[place]).toBe(label);
    }
    agreement[name] = [agree, files.length];
    expect(agree).toBeGreaterThanOrEqual(Math.ceil(0.95 * files.length));
    const alone = await classifier.classify(resolve(root, "reference", files[1]!.file), { topK: 5 });
    expect(alone).toEqual(predictions[1]);
    classifier.close();
  });

  afterAll(() => console.log("top-1 agreement from files:", JSON.stringify(agreement)));
});
