/** What the options of `mobileNetV1` make of its layers, as data. */

import { describe, expect, it } from "vitest";
import { MOBILENET_V1_BLOCKS, type MobileNetV1Options, mobileNetV1, scaledChannels } from "../../src/models/index.ts";

const SMALL = { alpha: 0.25, resolution: 64, classes: 5 } as const;

const attributesOf = ({ layers }: ReturnType<typeof mobileNetV1>, name: string): unknown =>
  layers.find((layer) => layer.name === name)?.attributes;

/** `stride/dilation` of the layers with a window. */
function steps(options: MobileNetV1Options): string {
  const windows = mobileNetV1(options).layers.flatMap((layer) =>
    layer.type === "conv2d" || layer.type === "depthwiseConv2d" ? [layer.attributes] : [],
  );
  return windows.map(({ stride, dilation }) => `${stride[0]}/${dilation[0]}`).join(" ");
}

/** How the stem, and each kind of window behind it, pad. */
function paddings(options: MobileNetV1Options): unknown[] {
  const model = mobileNetV1({ ...SMALL, ...options });
  return ["conv1", "conv_dw_1", "conv_dw_2"].map((name) => (attributesOf(model, name) as { padding: unknown }).padding);
}

describe("the layers of mobileNetV1", () => {
  it("are those of Keras, in its order, under its names", () => {
    const { layers, aliases, outputs } = mobileNetV1(SMALL);
    const units = ["conv1", ...MOBILENET_V1_BLOCKS.flatMap((_, i) => [`conv_dw_${i + 1}`, `conv_pw_${i + 1}`])];
    const head = ["global_average_pooling2d", "reshape_1", "dropout", "conv_preds", "reshape_2", "act_softmax"];
    expect(layers.map(({ name }) => name)).toEqual([...units.flatMap((u) => [u, `${u}_bn`, `${u}_relu`]), ...head]);
    expect(layers.every(({ inputs }, i) => inputs.length === 1 && inputs[0] === (layers[i - 1]?.name ?? "input"))).toBe(
      true,
    );
    expect(outputs).toEqual({
      logits: "reshape_2",
      probabilities: "act_softmax",
      embedding: "global_average_pooling2d",
    });
    expect(aliases).toEqual({
      block_0: "conv1_relu",
      ...Object.fromEntries(MOBILENET_V1_BLOCKS.map((_, i) => [`block_${i + 1}`, `conv_pw_${i + 1}_relu`])),
    });
  });

  it("have the shapes of the paper's table 1", () => {
    const { shapes } = mobileNetV1();
    const rows = ["conv1", ...[1, 2, 3, 4, 5, 6, 7, 11, 12, 13].flatMap((i) => [`conv_dw_${i}`, `conv_pw_${i}`])];
    expect(rows.map((name) => shapes.get(name)?.slice(1).join())).toEqual(
      `112,32 112,32 112,64 56,64 56,128 56,128 56,128 28,128 28,256 28,256 28,256 14,256 14,512 14,512 14,512 14,512 14,512
       7,512 7,1024 7,1024 7,1024`.split(/\s+/),
    );
    expect([shapes.get("global_average_pooling2d"), shapes.get("reshape_1"), shapes.get("act_softmax")]).toEqual([
      [1024],
      [1, 1, 1024],
      [1000],
    ]);
  });

  it("each have the attributes of its kind", () => {
    const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: "same" };
    const model = mobileNetV1({ ...SMALL, dropout: 0.4, epsilon: 0.5, activation: "hardSwish", multiplier: 2 });
    expect(attributesOf(model, "conv1")).toEqual({ ...window, stride: [2, 2], filters: 8, bias: false });
    expect(attributesOf(model, "conv_dw_1")).toEqual({ ...window, multiplier: 2, bias: false });
    expect(attributesOf(model, "conv_pw_1")).toEqual({ filters: 16, bias: false });
    expect(attributesOf(model, "conv1_bn")).toEqual({ epsilon: 0.5, scale: true, center: true });
    expect(attributesOf(model, "conv1_relu")).toEqual({ function: "hardSwish" });
    expect(attributesOf(model, "reshape_1")).toEqual({ shape: [1, 1, 256] });
    expect(attributesOf(model, "dropout")).toEqual({ rate: 0.4 });
    expect(attributesOf(model, "conv_preds")).toEqual({ filters: 5, bias: true });
    expect(attributesOf(model, "reshape_2")).toEqual({ shape: [5] });
  });

  it.each<[MobileNetV1Options, string]>([
    [{}, "2/1 1/1 2/1 1/1 2/1 1/1 2/1 1/1 1/1 1/1 1/1 1/1 2/1 1/1"],
    [{ outputStride: 32 }, "2/1 1/1 2/1 1/1 2/1 1/1 2/1 1/1 1/1 1/1 1/1 1/1 2/1 1/1"],
    // The layer that loses its stride keeps the rate, those behind it have twice as much.
    [{ outputStride: 16 }, "2/1 1/1 2/1 1/1 2/1 1/1 2/1 1/1 1/1 1/1 1/1 1/1 1/1 1/2"],
    [{ outputStride: 8 }, "2/1 1/1 2/1 1/1 2/1 1/1 1/1 1/2 1/2 1/2 1/2 1/2 1/2 1/4"],
    [{ shallow: true }, "2/1 1/1 2/1 1/1 2/1 1/1 2/1 2/1 1/1"],
    [{ standardConvolution: true }, "2/1 1/1 2/1 1/1 2/1 1/1 2/1 1/1 1/1 1/1 1/1 1/1 2/1 1/1"],
    [{ stem: { stride: 3, filters: 8 }, blocks: [{ stride: 4, filters: 16 }] }, "3/1 4/1"],
  ])("of %j have these strides and dilations", (options, expected) => {
    expect(steps({ ...SMALL, ...options })).toBe(expected);
  });

  const odd = [
    [0, 1],
    [0, 1],
  ];
  const even = (pixels: number) => [
    [pixels, pixels],
    [pixels, pixels],
  ];
  it.each<[MobileNetV1Options, unknown[]]>([
    [{}, ["same", "same", "same"]],
    [{ stemPadding: "explicit" }, ["same", "same", "same"]],
    [{ padding: "keras" }, ["same", "same", odd]],
    [{ padding: "keras", stemPadding: "explicit" }, [odd, "same", odd]],
    [{ padding: "symmetric" }, [even(1), even(1), even(1)]],
    [{ padding: "symmetric", stemPadding: "same" }, [even(1), even(1), even(1)]],
  ])("of %j pad so, at the stem, at stride 1 and at stride 2", (options, expected) => {
    expect(paddings(options)).toEqual(expected);
  });

  it("pad as far as they are dilated, where they pad evenly", () => {
    const model = mobileNetV1({ ...SMALL, outputStride: 8, padding: "symmetric" });
    expect(attributesOf(model, "conv_dw_13")).toMatchObject({ dilation: [4, 4], padding: even(4) });
  });

  it("are full convolutions in the paper's twin", () => {
    const model = mobileNetV1({ ...SMALL, standardConvolution: true });
    expect(attributesOf(model, "conv_2")).toMatchObject({ kernel: [3, 3], stride: [2, 2], filters: 32, bias: false });
    expect(model.aliases).toMatchObject({ block_0: "conv1_relu", block_1: "conv_1_relu", block_13: "conv_13_relu" });
    expect(model.layers.filter(({ type }) => type === "conv2d")).toHaveLength(14);
  });

  it("have a bias in place of a batch norm, or as well, or neither", () => {
    const names = (options: MobileNetV1Options) =>
      [...mobileNetV1({ ...SMALL, ...options }).parameterInfo.keys()].filter((name) => name.startsWith("conv1"));
    const norm = ["conv1_bn/gamma", "conv1_bn/beta", "conv1_bn/moving_mean", "conv1_bn/moving_variance"];
    expect(names({})).toEqual(["conv1/kernel", ...norm]);
    expect(names({ batchNorm: false })).toEqual(["conv1/kernel", "conv1/bias"]);
    expect(names({ convolutionBias: true })).toEqual(["conv1/kernel", "conv1/bias", ...norm]);
    expect(names({ batchNorm: false, convolutionBias: false })).toEqual(["conv1/kernel"]);
  });

  it.each<[MobileNetV1Options, string, Record<string, string>]>([
    [{}, "conv_pw_13_relu", { features: "conv_pw_13_relu" }],
    [{ shallow: true }, "conv_pw_8_relu", { features: "conv_pw_8_relu" }],
    [{ pooling: "avg" }, "global_average_pooling2d", { embedding: "global_average_pooling2d" }],
    [{ pooling: "max" }, "global_max_pooling2d", { embedding: "global_max_pooling2d" }],
  ])("without a top, of %j, end so", (options, last, outputs) => {
    const model = mobileNetV1({ ...SMALL, ...options, includeTop: false });
    expect(model.layers[model.layers.length - 1]?.name).toBe(last);
    expect(model.outputs).toEqual(outputs);
    expect(model.parameterInfo.has("conv_preds/kernel")).toBe(false);
  });

  it("with a top do not ask how to pool", () => {
    expect(mobileNetV1({ ...SMALL, pooling: "max" }).layers).toEqual(mobileNetV1(SMALL).layers);
  });
});

describe("channels", () => {
  const { trunc } = Math;
  it.each<[MobileNetV1Options["channelRounding"], alpha: number, filters: number, number, minDepth?: number]>([
    ["truncate", 1, 32, 32],
    ["truncate", 0.7, 32, trunc(22.4)],
    ["truncate", 0.01, 32, 1],
    ["truncate", 0.01, 32, 5, 5],
    ["truncate", 0.7, 32, 22, 5],
    ["floor", 0.7, 32, 22],
    ["floor", 0.1, 32, 8],
    ["floor", 0.1, 32, 3, 2],
    ["floor", 0.7, 32, 22, 8],
    // 22.4 is nearest to 24; 20 is halfway, and goes up; 19.2 goes down to 16, too little by a tenth, and up again.
    ["divisible8", 0.7, 32, 24],
    ["divisible8", 0.625, 32, 24],
    ["divisible8", 0.6, 32, 24],
    ["divisible8", 0.52, 32, 16],
    // Nine tenths are just enough.
    ["divisible8", 16 / 0.9, 1, 16],
    ["divisible8", 0.75, 100, 72],
    ["divisible8", 0.1, 32, 8],
    ["divisible8", 0.1, 32, 16, 16],
    ["divisible8", 1, 11.25, 16],
  ])("rounded by %s, alpha %s of %s, are %s", (channelRounding = "truncate", alpha, filters, expected, minDepth) => {
    const bound = minDepth === undefined ? {} : { minDepth };
    expect(scaledChannels({ alpha, channelRounding, ...bound }, filters)).toBe(expected);
  });

  it("of every layer are scaled, the classes are not", () => {
    const { parameterInfo } = mobileNetV1({
      alpha: 0.3,
      channelRounding: "floor",
      minDepth: 12,
      classes: 7,
      resolution: 32,
    });
    const shapeOf = (name: string) => parameterInfo.get(name)?.shape;
    expect(shapeOf("conv1/kernel")).toEqual([3, 3, 3, 12]);
    expect(shapeOf("conv_pw_1/kernel")).toEqual([1, 1, 12, 19]);
    expect(shapeOf("conv_pw_13/kernel")).toEqual([1, 1, 307, 307]);
    expect(shapeOf("conv_preds/kernel")).toEqual([1, 1, 307, 7]);
  });
});
