/** The networks that lie in the package: what their cards say of them, drawings, other pictures, and pictures of nothing. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { createClassifier } from "../../src/classify/index.ts";
import type { Network } from "../../src/layers/network.ts";
import { cifar10, cifar10File } from "../../src/pretrained/cifar10.ts";
import { CIFAR10_FILE } from "../../src/pretrained/cifar10-file.ts";
import { digits, digitsFile } from "../../src/pretrained/digits.ts";
import { DIGITS_FILE } from "../../src/pretrained/digits-file.ts";
import { compile } from "../../src/session/index.ts";
import { idx } from "../../src/train/index.ts";
import { describe as described } from "../../src/weights/index.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const root = resolve(import.meta.dirname, "../..");

interface Figures {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly right: { readonly float32: number; readonly stored: number };
  readonly examples: { readonly test: number };
}

interface Scripts {
  card(figures: Figures): string;
  measure(model: unknown, data: unknown): Promise<{ readonly right: number }>;
  sureOfNothing(
    model: unknown,
  ): Promise<Record<"blank" | "noise", { readonly label: string; readonly probability: number }>>;
}

const script = async (name: string) => (await import(join(root, "scripts/make", name))) as Scripts;

const NETWORKS = {
  digits: { open: digits, stored: digitsFile, file: DIGITS_FILE, least: 0.995, most: 250_000 },
  cifar10: { open: cifar10, stored: cifar10File, file: CIFAR10_FILE, least: 0.89, most: 500_000 },
} as const;

describe.each(Object.entries(NETWORKS))("%s", (name, { open, stored, file, least, most }) => {
  const figures = JSON.parse(readFileSync(join(root, `docs/models/${name}.json`), "utf8")) as Figures;

  it("is the file that its card tells of", async () => {
    const bytes = Buffer.from(file, "base64");
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(figures.sha256);
    expect(bytes.length).toBe(figures.bytes);
    expect(bytes.length).toBeLessThan(most);
    const text = readFileSync(join(root, `docs/models/${name}.md`), "utf8");
    expect(text).toBe((await script("card.mjs")).card(figures));
    expect(stored().name).toBe(`${name}.safetensors`);
    expect(Buffer.from(await stored().arrayBuffer()).equals(bytes)).toBe(true);
  });

  it("is right as often as it has to be, and storing cost at most 0.2 points", () => {
    const { right, examples } = figures;
    expect(right.stored / examples.test).toBeGreaterThanOrEqual(least);
    expect((right.float32 - right.stored) / examples.test).toBeLessThanOrEqual(0.002);
  });

  it("is a network of one's own at each call, with names for its answers", async () => {
    const [first, second] = await Promise.all([open(), open()]);
    const kernel = (model: Network) => [...model.parameters.values()][0]!.data;
    kernel(first).fill(0);
    expect(kernel(second).some((value) => value !== 0)).toBe(true);
    expect(first.info.labels).toHaveLength(10);
    const assumed = described(first).decisions.filter(({ basis }) => basis === "assumed");
    // How a picture of another size becomes the input; nothing of the network.
    expect(assumed.map(({ name }) => name)).toEqual(["channelOrder", "resize", "filter"]);
  });

  it("is typed as what it gives", async () => {
    const [whole, features, pooled] = await Promise.all([
      compile(await digits()),
      compile(await cifar10({ includeTop: false })),
      compile(await digits({ includeTop: false, pooling: "avg" })),
    ]);
    const input = (session: { readonly plan: { readonly inputShape: readonly number[] } }) =>
      new Float32Array(session.plan.inputShape.reduce((product, side) => product * side, 1));
    const { probabilities } = await whole.run(input(whole));
    const run = await features.run(input(features));
    const { embedding } = await pooled.run(input(pooled));
    // @ts-expect-error: without its classifier it says nothing.
    expect(run.probabilities).toBeUndefined();
    expect([probabilities.shape, run.features.shape.length, embedding.shape.length]).toEqual([[1, 10], 4, 2]);
    for (const session of [whole, features, pooled]) session.close();
  });

  it("gives its features without its answers, by the options of a load", async () => {
    const features = await open({ includeTop: false, pooling: "avg" });
    const session = await compile(features);
    const [height = 0, width = 0, channels = 0] = features.inputShape;
    const { embedding } = await session.run(new Float32Array(height * width * channels));
    session.close();
    expect(embedding?.data.length).toBeGreaterThan(100);
    await expect(open({ alpha: 2 })).rejects.toMatchObject({ code: "PARAMETERS_MISMATCH" });
  });

  it("takes pictures of any size, grey or in colour, and says how they became its input", async () => {
    const classifier = await createClassifier(await open());
    for (const [width, height, channels] of [
      [28, 28, 1],
      [32, 32, 3],
      [200, 90, 3],
      [1, 1, 1],
    ] as const) {
      const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) % 256);
      const predictions = await classifier.classify({ width, height, data }, { topK: 10 });
      expect(predictions.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 4);
    }
    classifier.close();
  });

  it("sees the same in grey and in a colour picture without colours", async () => {
    const classifier = await createClassifier(await open());
    const grey = Uint8Array.from({ length: 28 * 28 }, (_, i) => ((i % 28) * (i >> 4)) % 256);
    const colour = Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)] ?? 0);
    const [first, second] = await Promise.all(
      [grey, colour].map((data) => classifier.classify({ width: 28, height: 28, data })),
    );
    expect(second).toEqual(first);
    classifier.close();
  });

  it("is called by its name where something of it is wrong", async () => {
    await expect(open({ classes: 5 })).rejects.toMatchObject({
      code: "CLASSES_MISMATCH",
      message: expect.stringContaining(`${name}.safetensors: `),
    });
    await expect(open({ classes: "10" as never })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining('loadModel: classes: expected a positive integer, found "10"'),
    });
  });

  it("is not sure of pictures of nothing: how sure, it tells", async () => {
    const { sureOfNothing } = await script("measure.mjs");
    const { blank, noise } = await sureOfNothing(await open());
    const said = ({ label, probability }: typeof blank) => `"${label}" with ${probability.toFixed(3)}`;
    console.log(`${name}: surest of blank pictures is ${said(blank)}, of noise ${said(noise)}`);
    for (const { probability } of [blank, noise]) expect(probability).toBeLessThan(0.5);
  });
});

describeShared("digits", () => {
  it("is right of MNIST's 10,000 test pictures as often as its card says", async () => {
    const file = (part: string) => join(sharedRoot!, "datasets/mnist", `t10k-${part}-ubyte.gz`);
    const test = await idx(file("images-idx3"), file("labels-idx1"));
    const { measure } = await script("measure.mjs");
    const { right } = await measure(await digits(), test);
    const figures = JSON.parse(readFileSync(join(root, "docs/models/digits.json"), "utf8")) as Figures;
    // Relaxed SIMD rounds otherwise than the plain one that the card was measured with.
    expect(Math.abs(right - figures.right.stored)).toBeLessThanOrEqual(3);
  });
});
