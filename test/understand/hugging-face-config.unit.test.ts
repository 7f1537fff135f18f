/** The configuration beside the weights of Hugging Face. */

import { expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { huggingFaceFacts } from "../../src/understand/architectures/mobilenet-v1/hugging-face-config.ts";

/** Facts by name, as values; a text stands for itself, undefined for a file that is not there. */
async function facts(config: unknown, preprocessor?: unknown): Promise<Record<string, unknown>> {
  const files: Record<string, unknown> = { "config.json": config, "preprocessor_config.json": preprocessor };
  const found = await huggingFaceFacts(
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
  return Object.fromEntries(Object.entries(found).map(([name, fact]) => [name, fact.value]));
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
