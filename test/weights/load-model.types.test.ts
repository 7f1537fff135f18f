/** What the compiler promises of a loaded model, and that it is what a run gives. */

import { describe, expect, expectTypeOf, it } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import {
  compile,
  embeddingModel,
  type LoadedModel,
  type LoadOptions,
  loadModel,
  mobileNetV1,
} from "../../src/index.ts";
import { dense, sequential } from "../../src/layers/index.ts";
import { encodeModel, writeSafetensors } from "../../src/weights/index.ts";

const tiny = { alpha: 0.1, resolution: 32, classes: 2 } as const;
const file = encodeModel(mobileNetV1(tiny));
const headless = encodeModel(embeddingModel(mobileNetV1(tiny)));
const image = new Float32Array(32 * 32 * 3);

describe("what loadModel gives has the type", () => {
  it("of a network with some outputs, when nothing is said of it: the file says which", async () => {
    const own = encodeModel(sequential({ inputShape: [4] }, [dense({ filters: 2 })]));
    for (const [source, outputs] of [
      [file, ["embedding", "logits", "probabilities"]],
      [headless, ["embedding"]],
      [own, ["output"]],
    ] as const) {
      const model = await loadModel(source);
      expectTypeOf(model).toEqualTypeOf<LoadedModel>();
      expectTypeOf(model.outputs).toEqualTypeOf<Readonly<Record<string, string>>>();
      expect(Object.keys(model.outputs).sort()).toEqual(outputs);
      const results = await (await compile(model)).run(new Float32Array(model.inputShape.reduce((a, b) => a * b)));
      expectTypeOf(results["logits"]).toEqualTypeOf<FloatTensor | undefined>();
      expect(results).toHaveProperty(outputs[0]);
    }
    const sized = await loadModel(file, { resolution: 64, maxBytes: 1e9, preprocessing: { range: [0, 1] } });
    expectTypeOf(sized).toEqualTypeOf<LoadedModel>();
  });

  it("of one whose classifier must be there: which of its outputs the file has, still the file says", async () => {
    const model = await loadModel(file, { includeTop: true });
    expectTypeOf(model).toEqualTypeOf<LoadedModel>();
    const { probabilities } = await (await compile(model)).run(image);
    expectTypeOf(probabilities).toEqualTypeOf<FloatTensor | undefined>();
    expect(probabilities?.shape).toEqual([1, 2]);
    await expect(loadModel(headless, { includeTop: true })).rejects.toMatchObject({
      code: "PARAMETERS_MISMATCH",
      message: expect.stringContaining("replaceHead"),
    });
  });

  it("of the features alone, when the classifier is left out", async () => {
    const model = await loadModel(file, { includeTop: false, pooling: "avg" });
    expectTypeOf(model.outputs).toEqualTypeOf<Readonly<Record<"embedding", string>>>();
    expect(Object.keys(model.outputs)).toEqual(["embedding"]);
    const result = await (await compile(model)).run(image);
    expectTypeOf(result).not.toHaveProperty("probabilities");
    expect(result).not.toHaveProperty("probabilities");
  });

  it("of a network with some outputs, when the file says whether they are pooled", async () => {
    const bare = writeSafetensors(
      [...mobileNetV1(tiny).parameters].map(([name, value]) => ({ name, shape: value.shape, data: value.data })),
    );
    for (const [source, output] of [
      [file, "features"],
      [bare, "embedding"],
    ] as const) {
      const model = await loadModel(source, { includeTop: false, resolution: 32 });
      expectTypeOf(model.outputs).toEqualTypeOf<Readonly<Record<string, string>>>();
      expect(Object.keys(model.outputs)).toEqual([output]);
    }
  });

  it("of the feature map, when nothing is pooled", async () => {
    const model = await loadModel(file, { includeTop: false, pooling: null });
    expectTypeOf(model.outputs).toEqualTypeOf<Readonly<Record<"features", string>>>();
    expect(Object.keys(model.outputs)).toEqual(["features"]);
  });

  it("of a network with some outputs, when the options are not known before", async () => {
    const options: LoadOptions = { includeTop: Math.random() < 2 };
    const model = await loadModel(file, options);
    expectTypeOf(model.outputs).toEqualTypeOf<Readonly<Record<string, string>>>();
    const { probabilities } = await (await compile(model)).run(image);
    expectTypeOf(probabilities).toEqualTypeOf<FloatTensor | undefined>();
    expect(probabilities).toBeDefined();
  });

  it("of options that are known: a wrong name does not compile", () => {
    const calls = [
      // @ts-expect-error no such option of preprocessing
      () => loadModel(file, { preprocessing: { rang: [0, 1] } }),
      // @ts-expect-error no such option of preprocessing
      () => mobileNetV1({ preprocessing: { rnge: [0, 1] } }),
      // @ts-expect-error three numbers are no range
      () => mobileNetV1({ preprocessing: { range: [0, 1, 2] } }),
    ];
    expect(calls).toHaveLength(3);
  });
});
