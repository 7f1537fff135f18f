/** @slow: it takes several seconds. */

/**
 * Real files that are no MobileNet V1, as networks of their own: against TensorFlow Lite's answers where there are
 * some, and against the same graph run operation by operation by TensorFlow.js.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createClassifier } from "../../src/classify/index.ts";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { cost } from "../../src/cost/index.ts";
import type { ModelGraph } from "../../src/formats/graph.ts";
import { readModelFile } from "../../src/formats/registry.ts";
import { compile } from "../../src/session/compile.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { openSource } from "../../src/sources/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { interpret } from "../fixtures/tfjs-interpreter.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const root = sharedRoot ?? "";
const path = (file: string) => join(root, "weights", file);
const bytesOf = (...names: string[]) => new Uint8Array(readFileSync(join(root, "reference", ...names)));

async function graphOf(file: string): Promise<ModelGraph> {
  const opened = await openSource(path(file), {}, () => undefined);
  const { content } = await readModelFile(opened, {
    maxBytes: 2 ** 31,
    budget: decodedBudget(2 ** 30),
    signal: undefined,
  });
  if (content.kind !== "graph") throw new Error("no graph");
  return content;
}

async function outputsOf(
  model: Awaited<ReturnType<typeof loadModel>>,
  input: FloatTensor,
  backend: "wasm" | "reference",
) {
  const session = await compile(model, { backend, batch: input.shape[0]! });
  const { taps: _none, ...outputs } = await session.run(input);
  session.close();
  return outputs as Readonly<Record<string, FloatTensor>>;
}

describeShared("files that are no MobileNet V1", () => {
  it.each([
    ["kws_ref_model_float32.tflite", [1, 49, 10, 1]],
    ["pretrainedResnet_quant.tflite", [1, 32, 32, 3]],
    ["person_detect.tflite", [1, 96, 96, 1]],
    ["mobilenet_v2_1.0_224_quant.tflite", [1, 224, 224, 3]],
    ["mobilenet_quant_v1_224_head_layers.tflite", [1, 1, 1, 1024]],
  ])("%s computes what its operations say, on each backend and after it was saved", async (file, shape) => {
    const model = await loadModel(path(file));
    const input = recipe(shape, 7, -1, 1);
    const [expected] = await interpret(await graphOf(file), input.data, shape);
    const saved = await loadModel(await encodeModel(model));
    for (const backend of ["wasm", "reference"] as const) {
      const { probabilities } = await outputsOf(model, input, backend);
      expect(largestDifference(probabilities!.data, expected!), backend).toBeLessThan(2e-6);
      const again = await outputsOf(saved, input, backend);
      expect(again["probabilities"]!.data, "after it was saved").toEqual(probabilities!.data);
    }
    expect(saved.layers).toEqual(model.layers);
    expect(describeModel(saved).doubts).toEqual(describeModel(model).doubts);
  });

  it("MobileNet V2 gives TensorFlow Lite's logits within its eight bits", async () => {
    const model = await loadModel(path("mobilenet_v2_1.0_224_quant.tflite"));
    const pixels = bytesOf("inputs-224.bin");
    const expected = bytesOf("outputs", "originals", "mobilenet_v2_1.0_224_quant.logits.u8");
    const session = await compile(model);
    let agreeing = 0;
    let sum = 0;
    const pictures = 24;
    const size = 224 * 224 * 3;
    for (let p = 0; p < pictures; p++) {
      const input = Float32Array.from(pixels.subarray(p * size, (p + 1) * size), (byte) => (byte - 128) / 128);
      const { logits: { data } = recipe([0], 1, 0, 0) } = await session.run(input);
      // Scale and zero point of the file's own logits.
      const theirs = Float32Array.from(
        expected.subarray(p * 1001, (p + 1) * 1001),
        (q) => (q - 58) * 0.09889253973960876,
      );
      const best = data.indexOf(Math.max(...data));
      // A tie of theirs counts as one answer.
      if (theirs[best] === Math.max(...theirs)) agreeing++;
      sum += data.reduce((total, value, i) => total + Math.abs(value - theirs[i]!), 0) / 1001;
    }
    session.close();
    // As for the V1 files of eight bits in the reference: the mean is one step of the logits, 0.1 to 0.15.
    expect(sum / pictures).toBeLessThan(0.2);
    expect(agreeing).toBeGreaterThanOrEqual(pictures - 2);
  });

  it("the keyword spotter gives LiteRT's probabilities within the rounding of its activations", async () => {
    const model = await loadModel(path("kws_ref_model_float32.tflite"));
    const session = await compile(model);
    const input = Float32Array.from({ length: 490 }, (_, i) => Math.sin(i));
    const { probabilities: { data } = recipe([0], 1, 0, 0) } = await session.run(input);
    session.close();
    // @litertjs/core 2.5.3 on sin(i), i from 0 to 489; it rounds activations to int8 in front of int8 weights.
    const litert = [
      ...[0.058668103, 0.056571964, 0.012312053, 0.022324244, 0.029456558, 0.052114598],
      ...[0.009768877, 0.067195356, 0.058352891, 0.010735624, 0.00139869, 0.621101081],
    ];
    expect(largestDifference(data, litert)).toBeLessThan(2e-3);
  });

  it("a network for pictures classifies, is counted, and takes no option of MobileNet V1", async () => {
    const file = path("mobilenet_v2_1.0_224_quant.tflite");
    const model = await loadModel(file);
    // 1280 more than for a thousand classes.
    expect(cost(model).totals.multAdds).toBe(300_775_552);
    const classifier = await createClassifier(model);
    const [best] = await classifier.classify(join(root, "reference", "photos", "airliner.jpg"));
    classifier.close();
    expect(best!.label).toBe("airliner");
    await expect(loadModel(file, { alpha: 1 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(loadModel(file, { classes: 1000 })).rejects.toThrow(/describes a network of its own, layer by layer/);
    const own = await loadModel(file, { preprocessing: { range: [0, 1] } });
    expect(describeModel(own).decisions).toContainEqual(
      expect.objectContaining({ name: "range", value: [0, 1], basis: "given" }),
    );
  });
});
