/** Classes that are asked for: which are made of those in the file, and what is said of those that are not. */

import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`);

/** A file of so many classes, whose last layer counts: its kernel by rows, its bias from a half. */
function fileOf(classes: number, metadata: Record<string, string> = {}): Uint8Array {
  const { parameters } = mobileNetV1({ alpha: 0.25, resolution: 32, classes });
  parameters.get("conv_preds/kernel")!.data.forEach((_, i, data) => {
    data[i] = i;
  });
  parameters.get("conv_preds/bias")!.data.forEach((_, i, data) => {
    data[i] = i + 0.5;
  });
  return writeSafetensors(
    [...parameters].map(([name, { shape, data }]) => ({ name, shape, data })),
    metadata,
  );
}

const asked = (classes: number, background?: boolean) => ({
  classes,
  ...(background === undefined ? {} : { background }),
});

describe("the number of classes", () => {
  it.each<[number, Record<string, string>, number, string]>([
    [3, {}, 5, "3"],
    [3, { background: "1" }, 5, "3 with a background"],
    [1000, {}, 999, "1000"],
    [999, {}, 1000, "999"],
    [1002, {}, 1001, "1002"],
    [1001, {}, 1002, "1001 with a background"],
    [1001, { background: "0" }, 1000, "1001 without a background"],
    [1000, { background: "1" }, 1001, "1000 with a background"],
    [1001, {}, 7, "1001 with a background"],
  ])("%d %j are not made %d: there are %s", async (classes, metadata, wanted, found) => {
    await expect(loadModel(fileOf(classes, metadata), { classes: wanted })).rejects.toMatchObject({
      code: "CLASSES_MISMATCH",
      message: expect.stringContaining(
        `conv_preds/kernel: expected ${wanted} classes, as asked for, found ${found}. Load it with classes: ${classes}.`,
      ),
      fields: { expected: wanted, found: classes },
    });
  });

  it("of the file, asked for, says nothing of a background but what the caller does", async () => {
    for (const background of [true, false, undefined]) {
      const model = await loadModel(fileOf(3), asked(3, background));
      expect(model.info.background).toBe(background);
      const decision = describeModel(model).decisions.find(({ name }) => name === "background");
      expect(decision?.basis).toBe(background === undefined ? undefined : "given");
    }
  });

  it("loses its first, with its label and its numbers", async () => {
    const file = fileOf(1001, { labels: JSON.stringify(names(1001)) });
    for (const background of [undefined, false]) {
      const { info, parameters } = await loadModel(file, asked(1000, background));
      expect([info.labels, info.background]).toEqual([names(1001).slice(1), false]);
      const [kernel, bias] = ["kernel", "bias"].map((part) => parameters.get(`conv_preds/${part}`)!);
      expect([kernel?.shape, kernel?.data[0], kernel?.data[999], kernel?.data[1000]]).toEqual([
        [1, 1, 256, 1000],
        1,
        1000,
        1002,
      ]);
      expect([bias?.data.length, bias?.data[0], bias?.data[999]]).toEqual([1000, 1.5, 1000.5]);
    }
  });

  it("gains a background in front, which is never chosen", async () => {
    const file = fileOf(1000, { labels: JSON.stringify(names(1000)) });
    for (const background of [undefined, true]) {
      const { info, parameters } = await loadModel(file, asked(1001, background));
      expect([info.labels, info.background]).toEqual([["background", ...names(1000)], true]);
      const [kernel, bias] = ["kernel", "bias"].map((part) => parameters.get(`conv_preds/${part}`)!);
      expect([...kernel!.data.slice(0, 3), kernel?.data[1000], kernel?.data[1001], kernel?.data[1002]]).toEqual([
        ...[0, 0, 1, 999, 0, 1000],
      ]);
      expect([kernel?.shape, ...bias!.data.slice(0, 2), bias?.data.length]).toEqual([
        [1, 1, 256, 1001],
        -10_000,
        0.5,
        1001,
      ]);
    }
  });

  it("leaves labels alone that fit what is asked for, and makes none where there are none", async () => {
    const labelled = (classes: number, count: number) => fileOf(classes, { labels: JSON.stringify(names(count)) });
    expect((await loadModel(labelled(1001, 1000), { classes: 1000 })).info.labels).toEqual(names(1000));
    expect((await loadModel(labelled(1000, 1001), { classes: 1001 })).info.labels).toEqual(names(1001));
    const model = await loadModel(fileOf(1001), { classes: 1000 });
    expect(Object.keys(model.info)).not.toContain("labels");
    expect(describeModel(model).decisions.some(({ name }) => name === "labels")).toBe(false);
  });

  it("changes nothing where there is no classifier", async () => {
    const { parameters } = mobileNetV1({ alpha: 0.25, resolution: 32, includeTop: false });
    const file = writeSafetensors([...parameters].map(([name, { shape, data }]) => ({ name, shape, data })));
    const model = await loadModel(file, { classes: 5 });
    expect([Object.keys(model.outputs), model.parameters.size]).toEqual([["embedding"], parameters.size]);
  });
});
