/** Real weights, converted to a TensorFlow.js layers model: TensorFlow.js itself gives the reference's logits. */

import "@tensorflow/tfjs-backend-cpu";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const root = sharedRoot ?? "";
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

async function withTensorFlow(files: ReadonlyMap<string, Uint8Array>) {
  const json = JSON.parse(new TextDecoder().decode(files.get("model.json")));
  const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => [
    manifest.flatMap(({ weights }) => weights),
    tf.io.concatenateArrayBuffers(
      manifest.flatMap(({ paths }) => paths.map((path) => files.get(path)?.slice().buffer ?? new ArrayBuffer(0))),
    ),
  ]);
  return layers.loadLayersModel(tf.io.fromMemory(artifacts));
}

describeShared("a real file as a TensorFlow.js layers model", () => {
  beforeAll(async () => {
    tf.env().set("IS_TEST", true);
    await tf.setBackend("cpu");
  });

  it.each([
    ["mobilenet_v1_0.25_128_quant.tflite", 128, "v1-0.25-128", (byte: number) => byte / 127.5 - 1],
    ["vww_96.h5", 96, "vww-0.25-96", (byte: number) => byte / 255],
    [
      "mobilenetV1X0.25_pretrain.tar",
      224,
      "v1-0.25-224-torch",
      (byte: number, c: number) => (byte / 255 - MEAN[c]!) / DEVIATION[c]!,
    ],
  ] as const)("%s gives its logits in TensorFlow.js", async (file, size, network, feed) => {
    const model = await loadModel(join(root, "weights", file));
    const read = await withTensorFlow(encodeTfjs(model));
    const logits = layers.model({ inputs: read.inputs, outputs: read.getLayer(model.outputs.logits!).output });
    const bytes = readFileSync(join(root, "reference", `inputs-${size}.bin`)).subarray(0, size * size * 3);
    const input = Float32Array.from(bytes, (byte, i) => feed(byte, i % 3));
    const found = await (logits.predict(tf.tensor(input, [1, size, size, 3])) as tf.Tensor).data();
    const index = JSON.parse(readFileSync(join(root, "reference", "index.json"), "utf8"));
    const { logits: path, float32_against_float64: noise } = index.networks[network];
    const stored = readFileSync(join(root, "reference", path));
    const expected = new Float32Array(stored.buffer.slice(stored.byteOffset, stored.byteOffset + 4 * found.length));
    const apart = Math.max(...Array.from(found, (value, i) => Math.abs(value - expected[i]!)));
    expect(apart).toBeLessThanOrEqual(8 * noise);
    expect(found.length).toBe(model.info.options?.["classes"]);
  });
});
