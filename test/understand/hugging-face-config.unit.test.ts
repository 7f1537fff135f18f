/** The configuration beside the weights of Hugging Face. */

import { expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { huggingFaceFacts } from "../../src/understand/architectures/mobilenet-v1/hugging-face-config.ts";

/** Facts by name, as values; a text stands for itself, undefined for a file that is not there. */
async function facts(config: unknown, preprocessor?: unknown): Promise<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(await allOf(config, preprocessor)).map(([name, fact]) => [name, fact.value]),
  );
}

/** The same with what each rests on. */
async function allOf(config: unknown, preprocessor?: unknown) {
  const files: Record<string, unknown> = { "config.json": config, "preprocessor_config.json": preprocessor };
  return huggingFaceFacts(
    {
      name: "model.safetensors",
      bytes: new Uint8Array(),
      async sibling(path) {
        const content = files[path];
        if (content === undefined) throw new DepthwiseError("FILE_NOT_FOUND", { what: path });
        return new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
      },
    },
    decodedBudget(),
  );
}

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

it("is read where it says something, and only there", async () => {
  expect(await facts(undefined)).toEqual({});
  expect(await facts({ depth_multiplier: "1", tf_padding: 1, id2label: { 0: "LABEL_0" } })).toEqual({});
  const config = { depth_multiplier: 0.5, min_depth: 8, image_size: 160, tf_padding: false, hidden_act: "relu" };
  expect(await facts({ ...config, layer_norm_eps: 0.01, id2label: { 0: "a", 1: "b" } })).toEqual({
    alpha: 0.5,
    channelRounding: "floor",
    minDepth: 8,
    resolution: 160,
    padding: "symmetric",
    activation: "relu",
    epsilon: 0.01,
    labels: ["a", "b"],
  });
});

it("says where each was found, and what the names of its keys leave open", async () => {
  const config = {
    depth_multiplier: 0.5,
    image_size: 160,
    tf_padding: true,
    hidden_act: "relu6",
    layer_norm_eps: 0.01,
  };
  const stated = (value: unknown, from: string) => ({ value, basis: "stated", from });
  expect(await allOf({ ...config, id2label: { 0: "a" } })).toEqual({
    alpha: stated(0.5, "config.json"),
    channelRounding: { value: "floor", basis: "inferred", from: "min_depth in config.json" },
    resolution: stated(160, "config.json"),
    padding: stated("same", "tf_padding in config.json"),
    activation: stated("relu6", "config.json"),
    epsilon: stated(0.01, "layer_norm_eps in config.json"),
    labels: stated(["a"], "id2label in config.json"),
  });
  expect(await allOf(undefined, { image_mean: MEAN, image_std: DEVIATION })).toEqual({
    preprocessing: stated({ mean: MEAN, deviation: DEVIATION }, "preprocessor_config.json"),
  });
});

it.each([
  [{ 0: "a", 1: "LABEL_0", 2: "b" }, undefined],
  [{ 0: "a", 2: "b" }, undefined],
  [{ 1: "a", 2: "b" }, undefined],
  [{ 0: "a", 1: 5 }, undefined],
  [{ 0: 5 }, undefined],
  [{}, undefined],
  [["a", "b"], undefined],
  ["ab", undefined],
  [{ 1: "b", 0: "a" }, ["a", "b"]],
  [{ 0: "LABEL_0x", 1: "my LABEL_1", 2: "LABEL_", 3: "LABEL_12" }, undefined],
  [{ 0: "LABEL_0x", 1: "my LABEL_1", 2: "LABEL_" }, ["LABEL_0x", "my LABEL_1", "LABEL_"]],
])("the labels of %j are %j", async (id2label, labels) => {
  expect((await facts({ id2label }))["labels"]).toEqual(labels);
});

it.each([
  [{ size: { shortest_edge: 256 }, crop_size: 224 }, 0.875],
  [{ size: { height: 256, width: 9 }, crop_size: { height: 128 } }, 0.5],
  [{ size: { shortest_edge: 100, height: 9 }, crop_size: 100 }, 1],
  [{ size: 100, crop_size: 101 }, undefined],
  [{ size: 100, crop_size: 0 }, undefined],
  [{ size: 100, crop_size: -5 }, undefined],
  [{ size: "256", crop_size: 224 }, undefined],
  [{ size: 256 }, undefined],
  [{ crop_size: 224 }, undefined],
  [{ size: null, crop_size: 224 }, undefined],
])("sides of %j are a crop of %j, if there is one", async (sides, cropFraction) => {
  const all = { image_mean: MEAN, image_std: DEVIATION, ...sides };
  const fraction = async (more: object) => (await facts(undefined, { ...all, ...more }))["preprocessing"];
  const description = { mean: MEAN, deviation: DEVIATION };
  expect(await fraction({ do_center_crop: true })).toEqual(
    cropFraction === undefined ? description : { ...description, cropFraction },
  );
  expect(await fraction({ do_center_crop: "yes" })).toEqual(description);
});

it("means that are not three numbers, or a deviation of nothing, say nothing", async () => {
  const half = [0.5, 0.5, 0.5];
  for (const wrong of [undefined, null, "0.5", [], [0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [0.5, 0.5, "0.5"]]) {
    expect(await facts(undefined, { image_mean: wrong, image_std: half })).toEqual({});
    expect(await facts(undefined, { image_mean: half, image_std: wrong })).toEqual({});
  }
  for (const value of [0, -1]) {
    expect(await facts(undefined, { image_mean: half, image_std: [0.5, 0.5, value] })).toEqual({});
  }
  const uneven = { image_mean: half, image_std: [0.5, 0.5, 0.4] };
  expect((await facts(undefined, uneven))["preprocessing"]).toEqual({ mean: half, deviation: [0.5, 0.5, 0.4] });
});

it("a file that cannot be had is as if it were not there, another error is passed on", async () => {
  const failing = (code: "FILE_NOT_FOUND" | "FILE_UNREADABLE" | "FILE_TOO_LARGE") => {
    const sibling = () => Promise.reject(new DepthwiseError(code, { what: "config.json" }));
    return huggingFaceFacts({ name: "model.safetensors", bytes: new Uint8Array(), sibling }, decodedBudget());
  };
  expect(await failing("FILE_NOT_FOUND")).toEqual({});
  expect(await failing("FILE_UNREADABLE")).toEqual({});
  await expect(failing("FILE_TOO_LARGE")).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
});

it.each([
  [{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }, { range: [-1, 1] }],
  [
    { image_mean: MEAN, image_std: DEVIATION },
    { mean: MEAN, deviation: DEVIATION },
  ],
  [{ image_mean: MEAN, image_std: DEVIATION, do_normalize: false }, { range: [0, 1] }],
  [{ image_mean: MEAN, image_std: [0.2, 0, 0.2] }, undefined],
  [{ image_mean: [0.5], image_std: DEVIATION }, undefined],
  [
    { image_mean: MEAN, image_std: DEVIATION, size: 256, crop_size: { height: 224 }, do_center_crop: true },
    { mean: MEAN, deviation: DEVIATION, cropFraction: 0.875 },
  ],
])("the preprocessor's %j makes %j", async (preprocessor, expected) => {
  expect((await facts(undefined, preprocessor))["preprocessing"]).toEqual(expected);
});

it.each([
  [{ hidden_act: "gelu" }, "ARCHITECTURE_UNKNOWN", 'expected relu6 or relu, found "gelu"'],
  ["[1]", "FILE_CORRUPT", "expected a JSON object"],
  ["{", "FILE_CORRUPT", "expected JSON"],
  ['{"tf_padding":true,"tf_padding":false}', "FILE_CORRUPT", '"tf_padding" twice'],
  [`{"id2label":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, "FILE_CORRUPT", "at most 100 levels"],
])("%j is refused", async (config, code, message) => {
  await expect(facts(config)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});
