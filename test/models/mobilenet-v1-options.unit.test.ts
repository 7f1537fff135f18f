/** The options of `mobileNetV1`: what is left out, what is refused, and what a network keeps of them. */

import { describe, expect, it } from "vitest";
import {
  MOBILENET_V1_BLOCKS,
  MOBILENET_V1_STEM,
  type MobileNetV1Options,
  mobileNetV1,
  shallowBlocks,
} from "../../src/models/index.ts";

const infoOf = (options: MobileNetV1Options) => mobileNetV1(options).info;

describe("the options of mobileNetV1", () => {
  it("that are left out are the paper's, or those that were released", () => {
    expect(mobileNetV1().info).toEqual({
      architecture: "mobilenet_v1",
      preprocessing: { range: [-1, 1] },
      options: {
        alpha: 1,
        inputSize: [224, 224],
        inputChannels: 3,
        classes: 1000,
        includeTop: true,
        pooling: null,
        dropout: 0.001,
        padding: "same",
        stemPadding: "same",
        activation: "relu6",
        epsilon: 1e-3,
        batchNorm: true,
        convolutionBias: false,
        channelRounding: "truncate",
        outputStride: 32,
        shallow: false,
        standardConvolution: false,
        multiplier: 1,
        stem: { stride: 2, filters: 32 },
        blocks: MOBILENET_V1_BLOCKS,
        seed: 1,
      },
    });
  });

  it("that are given are kept, so that a saved network can be built again", () => {
    const given: MobileNetV1Options = {
      alpha: 0.5,
      inputSize: [48, 32],
      inputChannels: 1,
      classes: 3,
      includeTop: true,
      pooling: "max",
      dropout: 0,
      padding: "keras",
      stemPadding: "explicit",
      activation: "leakyRelu",
      negativeSlope: 0.25,
      epsilon: 1e-5,
      batchNorm: true,
      convolutionBias: true,
      channelRounding: "divisible8",
      minDepth: 16,
      outputStride: 16,
      shallow: true,
      standardConvolution: true,
      multiplier: 2,
      stem: { stride: 1, filters: 8 },
      blocks: [{ stride: 2, filters: 64 }],
      seed: -5,
    };
    const facts = { labels: ["a", "b", "c"], background: false, preprocessing: { range: [0, 1] } } as const;
    const model = mobileNetV1({ ...given, ...facts });
    expect(model.info).toEqual({ architecture: "mobilenet_v1", options: given, ...facts });
    const again = mobileNetV1(model.info.options as MobileNetV1Options);
    expect(again.layers).toEqual(model.layers);
    expect(again.inputShape).toEqual([48, 32, 1]);
  });

  it.each<[MobileNetV1Options, readonly number[]]>([
    [{}, [224, 224]],
    [{ resolution: 1 }, [1, 1]],
    [{ rho: 0.714 }, [160, 160]],
    [{ rho: 0.0023 }, [1, 1]],
    [{ inputSize: [30, 40] }, [30, 40]],
    [{ inputSize: [160, 160], resolution: 160, rho: 0.714 }, [160, 160]],
  ])("of %j are images of %j", (options, size) => {
    expect(mobileNetV1({ ...options, includeTop: false }).inputShape).toEqual([...size, 3]);
  });

  it.each<[MobileNetV1Options, string]>([
    [{}, "mobilenet_v1_1.0_224"],
    [{ alpha: 2, resolution: 128 }, "mobilenet_v1_2.0_128"],
    [{ alpha: 0.25, inputSize: [96, 128] }, "mobilenet_v1_0.25_96x128"],
    [{ shallow: true, resolution: 64 }, "mobilenet_v1_shallow_1.0_64"],
    [{ standardConvolution: true, shallow: true }, "mobilenet_v1_shallow_standard_1.0_224"],
  ])("%j give the network its name", (options, name) => {
    expect(mobileNetV1(options).name).toBe(name);
  });

  it.each<[object, option: string, found: unknown]>([
    [{ alpha: 0 }, "alpha", 0],
    [{ rho: 0 }, "rho", 0],
    [{ rho: 0.002 }, "rho", 0.002],
    [{ resolution: 1.5 }, "resolution", 1.5],
    [{ inputSize: 224 }, "inputSize", 224],
    [{ inputSize: [1, 2, 3] }, "inputSize", [1, 2, 3]],
    [{ inputSize: [0, 2] }, "inputSize", 0],
    [{ inputSize: [2, -1] }, "inputSize", -1],
    [{ inputChannels: 0 }, "inputChannels", 0],
    [{ classes: 0 }, "classes", 0],
    [{ includeTop: 1 }, "includeTop", 1],
    [{ pooling: "mean" }, "pooling", "mean"],
    [{ dropout: -0.1 }, "dropout", -0.1],
    [{ padding: "valid" }, "padding", "valid"],
    [{ stemPadding: "valid" }, "stemPadding", "valid"],
    [{ activation: "swish" }, "activation", "swish"],
    [{ negativeSlope: -1 }, "negativeSlope", -1],
    [{ epsilon: -1 }, "epsilon", -1],
    [{ batchNorm: 1 }, "batchNorm", 1],
    [{ convolutionBias: 0 }, "convolutionBias", 0],
    [{ channelRounding: "ceil" }, "channelRounding", "ceil"],
    [{ minDepth: 0 }, "minDepth", 0],
    [{ outputStride: 4 }, "outputStride", 4],
    [{ outputStride: "8" }, "outputStride", "8"],
    [{ shallow: 1 }, "shallow", 1],
    [{ standardConvolution: 1 }, "standardConvolution", 1],
    [{ multiplier: 0 }, "multiplier", 0],
    [{ multiplier: 1.5 }, "multiplier", 1.5],
    // Not used by full convolutions, and still no multiplier.
    [{ multiplier: 0, standardConvolution: true }, "multiplier", 0],
    [{ stem: 5 }, "stem", 5],
    [{ stem: "s" }, "stem", "s"],
    [{ stem: { stride: 1 } }, "stem.filters", undefined],
    [{ stem: { stride: 0, filters: 1 } }, "stem.stride", 0],
    [{ blocks: {} }, "blocks", {}],
    [{ blocks: [] }, "blocks", []],
    [{ blocks: [{ stride: 1, filters: 1 }, null] }, "blocks[1]", null],
    [{ blocks: [{ stride: 1, filters: 0 }] }, "blocks[0].filters", 0],
    [{ seed: 0.5 }, "seed", 0.5],
    [{ seed: "1" }, "seed", "1"],
    [{ labels: "abc" }, "labels", "abc"],
    [{ background: 1 }, "background", 1],
  ])("%j are refused, naming the option", (options, option, found) => {
    expect(() => mobileNetV1(options as never)).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        fields: expect.objectContaining({ owner: "mobileNetV1", option, found }),
      }),
    );
  });

  it("that are no options are refused", () => {
    expect(() => mobileNetV1(5 as never)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });

  it("that say two sizes are refused, with both", () => {
    const refused = (options: MobileNetV1Options, said: RegExp) =>
      expect(() => mobileNetV1(options)).toThrow(
        expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringMatching(said) }),
      );
    refused(
      { inputSize: [32, 48], resolution: 32 },
      /inputSize gives 32 × 48 pixels, but resolution gives 32 × 32\. Pass/,
    );
    refused(
      { inputSize: [48, 32], resolution: 32 },
      /inputSize gives 48 × 32 pixels, but resolution gives 32 × 32\. Pass/,
    );
    refused({ resolution: 32, rho: 1 }, /resolution gives 32 × 32 pixels, but rho gives 224 × 224\. Pass/);
    refused({ inputSize: [32, 32], resolution: 32, rho: 1 }, /inputSize gives 32 × 32 pixels, but rho/);
  });

  it("with labels want one for each class, if there are classes", () => {
    const refusal = expect.objectContaining({
      code: "CLASSES_MISMATCH",
      message: expect.stringMatching(/3 labels.*found 2/),
    });
    expect(() => mobileNetV1({ classes: 3, labels: ["a", "b"] })).toThrow(refusal);
    expect(infoOf({ classes: 2, labels: ["a", "b"] }).labels).toEqual(["a", "b"]);
    expect(infoOf({ includeTop: false, labels: ["a", "b"] }).labels).toEqual(["a", "b"]);
    for (const background of [true, false]) expect(infoOf({ background }).background).toBe(background);
    for (const name of ["labels", "background"]) expect(infoOf({})).not.toHaveProperty(name);
  });

  it("with images prepared otherwise want as many channels as there are", () => {
    const preprocessing = { mean: [0.5], deviation: [0.5] };
    expect(infoOf({ inputChannels: 1, preprocessing }).preprocessing).toEqual(preprocessing);
    expect(() => mobileNetV1({ preprocessing })).toThrow(/^mobileNetV1: preprocessing: mean: expected 3 numbers/);
    expect(() => mobileNetV1({ preprocessing: 5 as never })).toThrow(/^mobileNetV1: preprocessing: expected an object/);
  });
});

describe("the paper's table", () => {
  it("is that of table 1, of which the shallow network lacks five blocks", () => {
    expect(MOBILENET_V1_STEM).toEqual({ stride: 2, filters: 32 });
    const text = (blocks: typeof MOBILENET_V1_BLOCKS) =>
      blocks.map(({ stride, filters }) => `${filters}/${stride}`).join(" ");
    const [before, left, after] = ["64/1 128/2 128/1 256/2 256/1 512/2", " 512/1".repeat(5), " 1024/2 1024/1"];
    expect(text(MOBILENET_V1_BLOCKS)).toBe(`${before}${left}${after}`);
    expect(text(shallowBlocks(MOBILENET_V1_BLOCKS))).toBe(`${before}${after}`);
    expect(mobileNetV1({ shallow: true }).aliases).not.toHaveProperty("block_9");
  });
});
