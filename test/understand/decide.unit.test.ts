/** What is decided of a MobileNet V1 from its tensors, what its file says and what the caller gives; and on what ground. */

import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";

const tiny = { alpha: 0.25, resolution: 32, classes: 3 };
type Metadata = Record<string, string>;

/** Decisions by name, of a network of these options whose file has this metadata. */
async function decided(options: MobileNetV1Options = {}, metadata: Metadata = {}, given: LoadOptions = {}) {
  const { parameters } = mobileNetV1<MobileNetV1Options>({ ...tiny, ...options });
  const tensors = [...parameters].map(([name, { shape, data }]) => ({ name, shape, data }));
  const { decisions } = describeModel(await loadModel(writeSafetensors(tensors, metadata), given));
  return Object.fromEntries(decisions.map(({ name, value, basis, from }) => [name, { value, basis, from }]));
}
const values = async (...all: Parameters<typeof decided>) =>
  Object.fromEntries(Object.entries(await decided(...all)).map(([name, { value }]) => [name, value]));
const inferred = (value: unknown, from: string) => ({ value, basis: "inferred", from });
const THERE = "tensors that are there";
const WIDTHS = "widths of the layers";

describe("tensors alone", () => {
  it("say what is there, and leave the rest to what is usual", async () => {
    const usual = (value: unknown) => ({ value, basis: "assumed", from: "as Keras Applications builds MobileNet" });
    const all = await decided();
    expect(all).toMatchObject({
      alpha: inferred(0.25, WIDTHS),
      channelRounding: inferred("truncate", WIDTHS),
      resolution: { value: 224, basis: "assumed", from: "the size most were trained at" },
      inputChannels: inferred(3, "shape of the first kernel"),
      classes: inferred(3, "shape of the classifier"),
      includeTop: inferred(true, THERE),
      batchNorm: inferred(true, THERE),
      convolutionBias: inferred(false, THERE),
      ...{ padding: usual("same"), activation: usual("relu6"), epsilon: usual(1e-3), range: usual([-1, 1]) },
    });
    for (const name of ["shallow", "multiplier", "standardConvolution", "background", "negativeSlope", "stem"]) {
      expect(all).not.toHaveProperty(name);
    }
  });

  it("say what is unusual", async () => {
    const folded = await decided({ batchNorm: false });
    expect(folded).toMatchObject({ batchNorm: inferred(false, THERE), convolutionBias: inferred(true, THERE) });
    expect(folded).not.toHaveProperty("epsilon");
    expect(await decided({ convolutionBias: true })).toMatchObject({
      ...{ batchNorm: inferred(true, THERE), convolutionBias: inferred(true, THERE) },
    });
    expect((await decided({ shallow: true }))["shallow"]).toEqual(inferred(true, THERE));
    expect((await decided({ multiplier: 2 }))["multiplier"]).toEqual(inferred(2, "shape of a depthwise kernel"));
    expect((await decided({ inputChannels: 1 }))["inputChannels"]).toEqual(inferred(1, "shape of the first kernel"));
    const full = await decided({ standardConvolution: true });
    expect(full["standardConvolution"]).toEqual(inferred(true, THERE));
    expect(full).not.toHaveProperty("shallow");
    expect(await values({ standardConvolution: true, shallow: true })).toMatchObject({
      ...{ standardConvolution: true, shallow: true },
    });
    const headless = await decided({ includeTop: false });
    expect(headless).toMatchObject({
      includeTop: inferred(false, "no classifier"),
      pooling: { value: "avg", basis: "assumed", from: "no classifier" },
    });
    expect(headless).not.toHaveProperty("classes");
    const background = "ImageNet's";
    expect((await decided({ classes: 1001 }))["background"]).toEqual(
      inferred(true, `1001 outputs: ${background} thousand and a background`),
    );
    expect((await decided({ classes: 1000 }))["background"]).toEqual(
      inferred(false, `1000 outputs: ${background}, without a background`),
    );
  });

  it.each([0.05, 0.25, 0.33, 0.35, 0.5, 0.75, 1, 1.25, 1.3, 1.4, 2])("of alpha %d say it", async (alpha) => {
    expect(await values({ alpha })).toMatchObject({ alpha, channelRounding: "truncate" });
  });

  it("say how widths were rounded, where that makes a difference", async () => {
    expect(await values({ alpha: 0.3, channelRounding: "divisible8" })).toMatchObject({
      ...{ alpha: 0.3, channelRounding: "divisible8" },
    });
    const given = { channelRounding: "floor", minDepth: 8 } as const;
    const floor = await decided({ alpha: 0.05, ...given }, {}, given);
    expect(floor["alpha"]).toEqual(inferred(0.05, WIDTHS));
    expect([floor["channelRounding"]?.basis, floor["minDepth"]?.basis]).toEqual(["given", "given"]);
    // All but the last layers have the least width.
    const least = { channelRounding: "floor", minDepth: 12 } as const;
    expect((await decided({ alpha: 0.02, ...least }, {}, least))["alpha"]).toEqual(inferred(0.02, WIDTHS));
    // No hundredth: the width of one layer gives it.
    expect(await values({ alpha: 0.125 })).toMatchObject({ alpha: 0.125 });
  });

  it("without a first convolution are no MobileNet V1", async () => {
    const { parameters } = mobileNetV1(tiny);
    const load = (change: (name: string) => readonly number[] | undefined) => {
      const tensors = [...parameters].flatMap(([name, { shape, data }]) => {
        const other = name === "conv1/kernel" ? change(name) : shape;
        return other === undefined ? [] : [{ name, shape: other, data }];
      });
      return loadModel(writeSafetensors(tensors, { architecture: "mobilenet_v1" }));
    };
    const said = (found: string) =>
      expect.stringContaining(`conv1/kernel, the first convolution: expected a tensor of rank 4, found ${found}. This`);
    await expect(load(() => [216])).rejects.toMatchObject({ code: "ARCHITECTURE_UNKNOWN", message: said("rank 1") });
    await expect(load(() => undefined)).rejects.toMatchObject({ code: "ARCHITECTURE_UNKNOWN" });
  });
});

describe("the size of the input", () => {
  const size = async (metadata: Metadata, given: LoadOptions = {}) => {
    const { resolution, inputSize, rho } = await decided({}, metadata, given);
    return [resolution, inputSize, rho].map((each) => each && [each.value, each.basis]);
  };

  it("is what the file says, a resolution rather than two sides", async () => {
    expect(await size({ resolution: "64", input_size: "32,48" })).toEqual([[64, "stated"], undefined, undefined]);
    expect(await size({ input_size: "32,48" })).toEqual([undefined, [[32, 48], "stated"], undefined]);
    expect(await size({ resolution: "64" })).toEqual([[64, "stated"], undefined, undefined]);
  });

  it("is what the caller says, however they say it, and then nothing of the file's", async () => {
    for (const metadata of [{}, { resolution: "64" }, { input_size: "32,48" }, { options: '{"rho":0.25}' }]) {
      expect(await size(metadata, { rho: 0.5 })).toEqual([undefined, undefined, [0.5, "given"]]);
      expect(await size(metadata, { resolution: 96 })).toEqual([[96, "given"], undefined, undefined]);
      expect(await size(metadata, { inputSize: [32, 40] })).toEqual([undefined, [[32, 40], "given"], undefined]);
    }
  });
});

describe("what a file says of its input", () => {
  const wrong = { preprocessing: '{"mean":[1.5,2],"deviation":[1,2]}' };

  it("is refused if no network of its channels can mean it, unless the caller says it themselves", async () => {
    await expect(decided({}, wrong)).rejects.toMatchObject({
      code: "FILE_CORRUPT",
      message: expect.stringMatching(
        /: metadata: preprocessing: .*1\.5.*[^.]\. Pass preprocessing of your own to loadModel\./,
      ),
      cause: { code: "OPTION_INVALID" },
    });
    const given = await decided({}, wrong, { preprocessing: { range: [0, 1] } });
    expect(given["range"]).toEqual({ value: [0, 1], basis: "given", from: "an option of the call" });
    expect((await decided({ inputChannels: 2 }, wrong))["mean"]?.value).toEqual([1.5, 2]);
  });

  it("stands beside what the caller says, but for the scale", async () => {
    const said = {
      preprocessing: '{"mean":[0.1,0.2,0.3],"deviation":[1,2,3],"channelOrder":"bgr","cropFraction":0.5}',
    };
    const range = await decided({}, said, { preprocessing: { range: [0, 1] } });
    expect(range["range"]).toEqual({
      value: [0, 1],
      basis: "given",
      from: "an option of the call; channelOrder and cropFraction: stated, metadata",
    });
    expect([range["channelOrder"]?.value, range["cropFraction"]?.value]).toEqual(["bgr", 0.5]);
    expect(range).not.toHaveProperty("mean");
    const crop = await values({}, said, { preprocessing: { cropFraction: 1, channelOrder: "rgb" } });
    expect(crop).toMatchObject({ mean: [0.1, 0.2, 0.3], deviation: [1, 2, 3], cropFraction: 1, channelOrder: "rgb" });
  });
});

describe("options of a file and of a call", () => {
  it("take the place of what is inferred or usual, a call's of a file's", async () => {
    const metadata = { alpha: "0.25", padding: "keras", activation: "relu", epsilon: "0.01", background: "1" };
    const stated = (value: unknown) => ({ value, basis: "stated", from: "metadata" });
    expect(await decided({}, metadata)).toMatchObject({
      ...{ alpha: stated(0.25), padding: stated("keras"), activation: stated("relu"), epsilon: stated(0.01) },
      background: stated(true),
    });
    const given = { padding: "same", activation: "relu6", epsilon: 0.1, background: false } as const;
    const all = await decided({}, metadata, given);
    for (const [name, value] of Object.entries(given)) {
      expect(all[name], name).toEqual({ value, basis: "given", from: "an option of the call" });
    }
    expect(all).not.toHaveProperty("channelRounding");
  });

  it("name labels that fit, or are refused", async () => {
    expect((await decided({}, { labels: '["a","b","c"]' }))["labels"]?.value).toEqual(["a", "b", "c"]);
    await expect(decided({}, { labels: '["a"]' })).rejects.toMatchObject({
      code: "CLASSES_MISMATCH",
      message: expect.stringContaining("labels (metadata): expected 3, one for each class, found 1. Pass labels"),
      fields: expect.objectContaining({ classes: 3, labels: 1 }),
    });
  });
});
