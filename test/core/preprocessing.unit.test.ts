/** A description of the input is checked at the door where it comes in, whichever that is. */

import { describe, expect, it } from "vitest";
import { checkPreprocessing } from "../../src/core/preprocessing.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { completePreprocessing } from "../../src/images/index.ts";
import { createClassifier, loadModel, mobileNetV1 } from "../../src/index.ts";
import { dense, network, sequential, withInfo } from "../../src/layers/index.ts";
import { decide } from "../../src/understand/architectures/mobilenet-v1/decide.ts";
import { encodeModel, encodeTfjs, readSafetensors, writeSafetensors } from "../../src/weights/index.ts";

const tiny = { alpha: 0.1, resolution: 32, classes: 1, labels: ["a"] } as const;
const model = mobileNetV1(tiny);
const file = encodeModel(model);
const own = () => sequential({ inputShape: [8, 8, 3], info: { labels: ["a"] } }, OWN);
const OWN = [{ type: "globalAveragePool" as const, attributes: {} }, dense({ filters: 1 })];
const outputs = { features: "p" };
const layers = [{ name: "p", type: "globalAveragePool" as const }];

/** What each door says in front of its errors, and the call. */
const DOORS: Record<string, (preprocessing: never) => unknown> = {
  "mobileNetV1: preprocessing": (preprocessing) => mobileNetV1({ ...tiny, preprocessing }),
  "network: preprocessing": (preprocessing) =>
    network({ inputShape: [4, 4, 3], layers, outputs, info: { architecture: "custom", preprocessing } }),
  "network: preprocessing ": (preprocessing) => sequential({ inputShape: [4, 4, 3], info: { preprocessing } }, OWN),
  "withInfo: preprocessing": (preprocessing) => withInfo(model, { preprocessing }),
  "loadModel: preprocessing": (preprocessing) => loadModel(file, { preprocessing }),
  "loadModel: preprocessing ": (preprocessing) => loadModel(encodeModel(own()), { preprocessing }),
  preprocessing: (preprocessing) => createClassifier(model, { preprocessing }),
  "preprocessing ": (preprocessing) => completePreprocessing([4, 4, 3], preprocessing),
};

const WRONG: readonly [string, unknown, RegExp][] = [
  ["a name with a slip", { rnge: [0, 1] }, /unknown option "rnge"\. Did you mean "range"\?/],
  ["another", { mena: [0, 0, 0] }, /Did you mean "mean"\?/],
  ["null", null, /expected an object.*found null/],
  ["a list", [0, 1], /expected an object/],
  ["a string", "rgb", /expected an object.*found "rgb"/],
  ["half a range", { range: [0] }, /range: expected \[low, high\], found \[0\]/],
  ["a range with a hole", { range: Object.assign([0], { length: 2 }) }, /range: expected/],
  ["a range that is null", { range: null }, /range: expected/],
  ["a range that is infinite", { range: [0, Infinity] }, /range: expected/],
  ["a mean alone", { mean: [0, 0, 0] }, /deviation: expected to be given with/],
  ["a deviation of 0", { mean: [0, 0, 0], deviation: [1, 0, 1] }, /deviation: expected 3 numbers above 0/],
  ["strings", { mean: ["0", "0", "0"], deviation: [1, 1, 1] }, /mean: expected 3 numbers/],
  ["a crop of nothing", { cropFraction: 0 }, /cropFraction: expected a number above 0/],
  ["a way to resize with a slip", { resize: "strech" }, /Did you mean "stretch"\?/],
  ["another order", { channelOrder: "RGB" }, /channelOrder: expected one of "rgb", "bgr"/],
];

const refusal = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

describe.each(Object.entries(DOORS))("%s", (name, call) => {
  it.each(WRONG)("refuses %s at once", async (_what, value, message) => {
    const error = await refusal(() => call(value as never));
    expect(error).toMatchObject({ code: "OPTION_INVALID", message: expect.stringMatching(message) });
    expect(String(error)).toContain(`DepthwiseError: ${name.trim()}:`);
  });

  it("refuses means that are not as many as the channels", async () => {
    const error = await refusal(() => call({ mean: [0], deviation: [1] } as never));
    expect(error).toMatchObject({ code: "OPTION_INVALID", message: expect.stringMatching(/3 numbers/) });
  });
});

/** The file with another description in its metadata. */
function described(preprocessing: unknown): Uint8Array {
  const { tensors, metadata } = readSafetensors(file);
  const written = [...tensors.values()].map((stored) => ({
    ...stored,
    dtype: "F32" as const,
    data: toFloat32(stored),
  }));
  return writeSafetensors(written, { ...metadata, preprocessing: JSON.stringify(preprocessing) });
}

function inTfjs(preprocessing: unknown): File[] {
  return [...encodeTfjs(model)].map(([name, bytes]) => {
    if (name !== "model.json") return new File([bytes as Uint8Array<ArrayBuffer>], name);
    const json = JSON.parse(new TextDecoder().decode(bytes));
    json.userDefinedMetadata.depthwise.preprocessing = JSON.stringify(preprocessing);
    return new File([JSON.stringify(json)], name);
  });
}

/** A network of one's own, whose file says something else of its input. */
function inOwn(preprocessing: unknown): Uint8Array {
  const { tensors, metadata } = readSafetensors(encodeModel(own()));
  const definition = JSON.parse(metadata["network"] ?? "");
  definition.info.preprocessing = preprocessing;
  const written = [...tensors.values()].map((stored) => ({
    ...stored,
    dtype: "F32" as const,
    data: toFloat32(stored),
  }));
  return writeSafetensors(written, { ...metadata, network: JSON.stringify(definition) });
}

describe("a file that says something wrong of its input", () => {
  it.each([{ rang: [0, 1] }, { range: [0, 1, 2] }, { mean: [0.5], deviation: [0.5] }, { cropFraction: 2 }])(
    "is refused by name: %j",
    async (preprocessing) => {
      const named = new File([described(preprocessing) as Uint8Array<ArrayBuffer>], "mine.safetensors");
      for (const source of [named, inTfjs(preprocessing)]) {
        const error = await refusal(() => loadModel(source));
        expect(error).toMatchObject({ code: "FILE_CORRUPT" });
        expect(String(error)).toMatch(/(mine\.safetensors|model\.json): metadata: preprocessing/);
      }
      const ours = new File([inOwn(preprocessing) as Uint8Array<ArrayBuffer>], "own.safetensors");
      const error = await refusal(() => loadModel(ours));
      expect(error).toMatchObject({ code: "FILE_CORRUPT" });
      expect(String(error)).toContain("own.safetensors: preprocessing");
    },
  );

  it("is read by a caller who says it himself", async () => {
    const preprocessing = { range: [0, 1] } as const;
    for (const source of [described({ rang: [0, 1] }), inTfjs({ mean: [1] }), inOwn({ rang: 1 })]) {
      expect((await loadModel(source, { preprocessing })).info.preprocessing).toEqual(preprocessing);
    }
  });
});

describe("a description", () => {
  it("is copied: it is the caller's again when the call returns", async () => {
    const range: [number, number] = [0, 1];
    const preprocessing = { range };
    const built = mobileNetV1({ ...tiny, preprocessing });
    const loading = loadModel(file, { preprocessing });
    range[0] = 9;
    Object.assign(preprocessing, { rnge: 1 });
    expect(built.info.preprocessing).toEqual({ range: [0, 1] });
    expect((await loading).info.preprocessing).toEqual({ range: [0, 1] });
  });

  it("may leave out all of it, and say undefined", () => {
    expect(checkPreprocessing("x", {})).toEqual({});
    expect(checkPreprocessing("x", { range: undefined, mean: undefined })).toEqual({});
    expect(mobileNetV1({ ...tiny, preprocessing: {} }).info.preprocessing).toEqual({});
  });

  it("of a network without colours counts its channels, and of one that takes no image none", () => {
    const preprocessing = { mean: [0.5], deviation: [0.5] };
    expect(mobileNetV1({ ...tiny, inputChannels: 1, preprocessing }).info.preprocessing).toEqual(preprocessing);
    expect(
      sequential({ inputShape: [5], info: { preprocessing } }, [dense({ filters: 1 })]).info.preprocessing,
    ).toEqual(preprocessing);
  });

  it("that is usual for a family of files gives way where the channels are other ones", () => {
    const grey = mobileNetV1({ alpha: 0.25, resolution: 32, inputChannels: 1, classes: 2 });
    const usual = { padding: "symmetric", epsilon: 1e-5, activation: "relu", channelRounding: "truncate" } as const;
    const torch = {
      ...usual,
      preprocessing: { mean: [0.5, 0.4, 0.3], deviation: [1, 1, 1] },
      why: "as such files are",
    };
    const coloured = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2 });
    expect(decide(coloured.parameters, {}, {}, torch, "f").preprocessing?.value).toEqual(torch.preprocessing);
    expect(decide(grey.parameters, {}, {}, torch, "f").preprocessing?.value).toEqual({ range: [-1, 1] });
  });
});

describe("labels and background", () => {
  it.each([{ labels: null }, { labels: "ab" }, { labels: [1] }, { background: 1 }])(
    "of no use are refused where they come in: %j",
    async (info) => {
      expect(await refusal(() => withInfo(model, info as never))).toMatchObject({ code: "OPTION_INVALID" });
      expect(
        await refusal(() => network({ inputShape: [4, 4, 3], layers, outputs, info: info as never })),
      ).toMatchObject({ code: "OPTION_INVALID" });
    },
  );
});
