/** Options for a network of its own: what is taken, and what a refusal tells. */

import { describe, expect, it } from "vitest";
import { conv2d, globalAveragePool, sequential } from "../../src/layers/index.ts";
import type { Network } from "../../src/layers/network.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { attr, floats, onnxModel, onnxNode } from "../writers/onnx.ts";

type Sides = readonly (number | string)[];

/** A classifier of pooled pictures, which runs at any size. */
const classifier = (height: number | string, width: number | string) =>
  onnxModel({
    inputs: { x: ["n", 3, height, width] satisfies Sides },
    outputs: ["y"],
    initializers: [floats("w", [5, 3], Array(15).fill(0.5))],
    nodes: [
      onnxNode("GlobalAveragePool", ["x"], ["p"]),
      onnxNode("Flatten", ["p"], ["f"]),
      onnxNode("Gemm", ["f", "w"], ["y"], { transB: attr.i(1) }),
    ],
  });
const features = onnxModel({ inputs: { x: ["n", 3, 8, 8] }, nodes: [onnxNode("Relu", ["x"], ["y"])] });
const row = onnxModel({ inputs: { x: ["n", 8] }, nodes: [onnxNode("Relu", ["x"], ["y"])] });

const decision = (model: Network, name: string) =>
  describeModel(model).decisions.find((candidate) => candidate.name === name);
const doubtsOf = (model: Network, name: string) =>
  describeModel(model).doubts.filter((doubt) => doubt.startsWith(name));

describe("options that build a MobileNet V1", () => {
  it.each([{ classes: 5 }, { alpha: 0.5 }, { includeTop: false }])(
    "%j: the refusal says why it is none",
    async (option) => {
      const [name] = Object.keys(option);
      await expect(loadModel(classifier(8, 8), option as LoadOptions)).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: expect.stringMatching(/own, layer by layer \(no MobileNet V1: "p" pools where/),
        fields: { option: name, reason: expect.stringMatching(/^"p" pools where/) },
      });
    },
  );

  it("of a network that saveModel wrote are refused without a reason: it was never taken for one", async () => {
    const own = encodeModel(await loadModel(classifier(8, 8)));
    const loading = loadModel(own, { classes: 5 });
    await expect(loading).rejects.toMatchObject({ code: "OPTION_INVALID", fields: { option: "classes" } });
    await expect(loading).rejects.toThrow(/layer by layer\.$/);
  });
});

describe("includeTop: true", () => {
  it("is what a network with a classifier has anyway", async () => {
    const model = await loadModel(classifier(8, 8), { includeTop: true });
    expect(model.outputs).toHaveProperty("logits");
    expect(model.info).not.toHaveProperty("includeTop");
    expect((await loadModel(encodeModel(model), { includeTop: true })).outputs).toEqual(model.outputs);
  });

  it("refuses one without", async () => {
    const own = sequential({ inputShape: [8, 8, 3] }, [conv2d({ filters: 3, kernel: 3 }), globalAveragePool()]);
    for (const file of [features, encodeModel(own)])
      await expect(loadModel(file, { includeTop: true })).rejects.toMatchObject({
        code: "OPTION_INVALID",
        fields: { option: "includeTop" },
      });
  });
});

describe("the size of a picture that the file leaves open", () => {
  it("is assumed, which is a doubt, and stays one when it is saved", async () => {
    let model = await loadModel(classifier("h", "w"));
    for (let i = 0; i < 3; i++) {
      expect(model.inputShape).toEqual([224, 224, 3]);
      expect(decision(model, "inputSize")).toMatchObject({ value: [224, 224], basis: "assumed" });
      expect(decision(model, "inputChannels")).toMatchObject({ value: 3, basis: "inferred" });
      expect(doubtsOf(model, "inputSize")).toHaveLength(1);
      model = await loadModel(encodeModel(model));
    }
  });

  it.each([
    [{ inputSize: [32, 48] }, [32, 48]],
    [{ resolution: 32 }, [32, 32]],
    [{ rho: 0.5 }, [112, 112]],
    [{ resolution: 32, inputSize: [32, 32] }, [32, 32]],
  ] as const)("is taken from the caller: %j", async (options, size) => {
    const model = await loadModel(classifier("h", "w"), options as LoadOptions);
    for (const one of [model, await loadModel(encodeModel(model))]) {
      expect(one.inputShape).toEqual([...size, 3]);
      expect(decision(one, "inputSize")).toMatchObject({ value: size, basis: "given" });
      expect(doubtsOf(one, "inputSize")).toEqual([]);
    }
  });

  it("may be open on one side alone", async () => {
    const file = classifier(16, "w");
    expect((await loadModel(file, { inputSize: [16, 40] })).inputShape).toEqual([16, 40, 3]);
    await expect(loadModel(file, { resolution: 40 })).rejects.toThrow(/resolution: expected 16 × 40/);
  });

  it("is none that the builder would refuse", async () => {
    for (const options of [{ resolution: 0 }, { inputSize: 5 }, { rho: "x" }, { resolution: 32, rho: 1 }])
      await expect(loadModel(classifier("h", "w"), options as LoadOptions)).rejects.toMatchObject({
        code: "OPTION_INVALID",
      });
  });
});

describe("the size of a picture that the file states", () => {
  it("may be given as well, but no other, nor for what reads no picture", async () => {
    expect((await loadModel(features, { resolution: 8 })).inputShape).toEqual([8, 8, 3]);
    for (const file of [features, row, encodeModel(await loadModel(features))])
      await expect(loadModel(file, { resolution: 16 })).rejects.toMatchObject({
        code: "OPTION_INVALID",
        fields: { option: "resolution", found: 16 },
      });
  });
});
