import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MOBILENET_V1_BLOCKS, type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";

describe("mobileNetV1", () => {
  it.each([
    [{ alpha: 0 }, "alpha"],
    [{ alpha: -0.5 }, "alpha"],
    [{ alpha: Number.NaN }, "alpha"],
    [{ alpha: Number.POSITIVE_INFINITY }, "alpha"],
    [{ alpha: "1" }, "alpha"],
    [{ classes: 0 }, "classes"],
    [{ classes: 10.5 }, "classes"],
    [{ resolution: 0 }, "resolution"],
    [{ resolution: 22.4 }, "resolution"],
    [{ rho: 0 }, "rho"],
    [{ rho: 0.001 }, "rho"],
    [{ inputSize: [32] }, "inputSize"],
    [{ inputChannels: 0 }, "inputChannels"],
    [{ padding: "SAME" }, "Did you mean"],
    [{ activation: "relu7" }, "Did you mean"],
    [{ activation: "leakyRelu", negativeSlope: 1 }, "negativeSlope"],
    [{ negativeSlope: Number.NaN }, "below 1"],
    [{ pooling: "mean" }, "pooling"],
    [{ dropout: 1 }, "dropout"],
    [{ epsilon: 0 }, "epsilon"],
    [{ outputStride: 4 }, "outputStride"],
    [{ multiplier: 0.25 }, "alpha"],
    [{ blocks: [] }, "blocks"],
    [{ blocks: [{ stride: 0, filters: 1 }] }, "blocks[0].stride"],
    [{ widthMultiplier: 1 }, "unknown option"],
    [{ alhpa: 1 }, 'Did you mean "alpha"'],
    [{ resolution: 128, rho: 1 }, "Pass one of"],
    [{ classes: 3, labels: ["a"] }, "3 labels"],
  ])("refuses %j and says %s", (options, text) => {
    expect(() => mobileNetV1(options as never)).toThrow(text);
  });

  it.each([
    [{ inputSize: [1, 1], padding: "keras" }, "conv_dw_2"],
    [{ inputSize: [31, 31], padding: "keras", stemPadding: "explicit" }, "conv_dw_12"],
  ] as const)("refuses %j, where the network would vanish, naming the layer", (options, layer) => {
    expect(() => mobileNetV1(options)).toThrow(layer);
  });

  it("has a slope with a leaky ReLU alone, 0.1 unless it is said", () => {
    const attributesOf = (options: MobileNetV1Options) => {
      const { layers, info } = mobileNetV1(options);
      return [layers.find(({ name }) => name === "conv1_relu")!.attributes, info.options!["negativeSlope"]];
    };
    expect(attributesOf({ activation: "leakyRelu" })).toEqual([{ function: "leakyRelu", slope: 0.1 }, 0.1]);
    expect(attributesOf({ activation: "leakyRelu", negativeSlope: 0 })).toEqual([
      { function: "leakyRelu", slope: 0 },
      0,
    ]);
    expect(attributesOf({ negativeSlope: 0.2 })).toEqual([{ function: "relu6" }, undefined]);
  });

  it("takes one pixel where padding allows it", () => {
    for (const padding of ["same", "symmetric"] as const) {
      expect(mobileNetV1({ inputSize: [1, 1], padding }).shapes.get("conv_pw_13")).toEqual([1, 1, 1024]);
    }
  });

  it("keeps rho, alpha and the depthwise multiplier apart", () => {
    const rho = mobileNetV1({ rho: 0.714, includeTop: false });
    expect(rho.inputShape).toEqual([160, 160, 3]);
    const multiplied = mobileNetV1({ multiplier: 2, includeTop: false });
    expect(multiplied.inputShape).toEqual([224, 224, 3]);
    expect(multiplied.shapes.get("conv_dw_1")).toEqual([112, 112, 64]);
    expect(multiplied.shapes.get("conv_pw_1")).toEqual([112, 112, 64]);
  });

  it("has 28 layers with weights, named as in Keras, and 4,253,864 parameters", () => {
    const model = mobileNetV1();
    const convolutions = model.layers.filter(({ type }) => type.toLowerCase().endsWith("conv2d"));
    expect(convolutions).toHaveLength(28);
    expect(convolutions.slice(0, 3).map(({ name }) => name)).toEqual(["conv1", "conv_dw_1", "conv_pw_1"]);
    const count = [...model.parameterInfo.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    expect(count).toBe(4_253_864);
  });

  it("any alpha above 0 gives at least one channel everywhere, and never more for less", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 4, noNaN: true }),
        fc.constantFrom("truncate" as const, "floor" as const, "divisible8" as const),
        (alpha, channelRounding) => {
          const model = mobileNetV1({ alpha, channelRounding, resolution: 32, includeTop: false });
          for (const [i, { filters }] of MOBILENET_V1_BLOCKS.entries()) {
            const width = model.shapes.get(`conv_pw_${i + 1}`)?.[2] ?? 0;
            expect(width).toBeGreaterThanOrEqual(1);
            if (channelRounding === "truncate" && filters * alpha >= 1) expect(width).toBe(Math.trunc(filters * alpha));
            if (channelRounding === "divisible8") expect(width % 8).toBe(0);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("starts from the same parameters everywhere, and others for another seed", () => {
    const first = (seed?: number) =>
      mobileNetV1({ alpha: 0.25, ...(seed === undefined ? {} : { seed }) }).parameters.get("conv1/kernel")!.data;
    expect(first()).toEqual(first());
    expect(first(2)).not.toEqual(first());
  });
});
