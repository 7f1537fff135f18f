/** The smallest whole way: build, count, compile, run, save, load. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cost } from "../src/cost/index.ts";
import { compile, loadModel, mobileNetV1, saveModel, tensor } from "../src/index.ts";

it("builds, counts, compiles, runs, saves and loads", async () => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });
  expect(cost(model).totals.multAdds).toBeGreaterThan(0);
  const image = tensor(
    Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i)),
    [1, 32, 32, 3],
  );
  const session = await compile(model, { backend: "reference", taps: ["conv_pw_6", "block_13"] });
  const { probabilities, logits, embedding, taps } = await session.run(image);
  expect(probabilities.shape).toEqual([1, 10]);
  expect(embedding.shape).toEqual([1, 256]);
  expect(taps.conv_pw_6.shape).toEqual([1, 2, 2, 128]);
  expect(probabilities.data.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);

  const folder = mkdtempSync(join(tmpdir(), "depthwise-tour-"));
  try {
    const path = join(folder, "tiny.safetensors");
    await saveModel(model, path);
    expect(readdirSync(folder)).toEqual(["tiny.safetensors"]);
    const loaded = await loadModel(path);
    const { provenance, ...info } = loaded.info;
    expect(info).toEqual(model.info);
    expect(provenance).toBeDefined();
    const again = await (await compile(loaded, { backend: "reference" })).run(image);
    expect(again.logits!.data).toEqual(logits.data);
    using fast = await compile(loaded);
    const fastest = (await fast.run(image)).logits!.data;
    for (const [i, value] of logits.data.entries()) expect(fastest[i]).toBeCloseTo(value, 5);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
