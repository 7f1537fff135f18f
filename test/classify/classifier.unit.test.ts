import { describe, expect, it } from "vitest";
import { createClassifier } from "../../src/classify/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

const tiny = { alpha: 0.25, resolution: 32 } as const;
const flat = (value: number, width = 40, height = 30) => ({
  width,
  height,
  data: new Uint8ClampedArray(4 * width * height).fill(value),
});

describe("createClassifier", () => {
  it("answers for pixels without any package, best first", async () => {
    const classifier = await createClassifier(mobileNetV1({ ...tiny, classes: 3, labels: ["a", "b", "c"] }));
    const predictions = await classifier.classify(flat(255), { topK: 9 });
    expect(predictions.map(({ label }) => label).sort()).toEqual(["a", "b", "c"]);
    expect(predictions.map(({ probability }) => probability)).toEqual(
      predictions.map(({ probability }) => probability).sort((a, b) => b - a),
    );
    expect((await classifier.embed(flat(255))).shape).toEqual([256]);
  });

  it("never mixes images, whatever the batch", async () => {
    const model = mobileNetV1({ ...tiny, classes: 4, labels: ["a", "b", "c", "d"] });
    const images = [flat(255), flat(128, 33, 70), flat(90), flat(200, 64, 20), flat(10)];
    const alone = await createClassifier(model);
    const together = await createClassifier(model, { batch: 3 });
    const expected = [];
    for (const image of images) expected.push(await alone.classify(image));
    expect(await together.classify(images)).toEqual(expected);
  });

  it("takes ImageNet's labels for 1000 and 1001 outputs", async () => {
    const thousand = await createClassifier(mobileNetV1(tiny));
    const withBackground = await createClassifier(mobileNetV1({ ...tiny, classes: 1001 }));
    expect([thousand.labels.length, thousand.labels[0], thousand.labels[999]]).toEqual([
      1000,
      "tench, Tinca tinca",
      "toilet tissue, toilet paper, bathroom tissue",
    ]);
    expect(withBackground.labels.slice(0, 2)).toEqual(["background", "tench, Tinca tinca"]);
  });

  it("embeds with a network that has no top", async () => {
    const classifier = await createClassifier(mobileNetV1({ ...tiny, includeTop: false, pooling: "max" }));
    expect((await classifier.embed(flat(255))).shape).toEqual([256]);
    await expect(classifier.classify(flat(255))).rejects.toMatchObject({ code: "NETWORK_INVALID" });
  });

  it("uses the model's own preprocessing, grey input too", async () => {
    const model = mobileNetV1({
      ...tiny,
      inputChannels: 1,
      classes: 2,
      labels: ["no", "yes"],
      preprocessing: { range: [0, 1], resize: "stretch" },
    });
    const classifier = await createClassifier(model);
    expect(classifier.preprocessing).toMatchObject({ range: [0, 1], resize: "stretch", inputShape: [32, 32, 1] });
    expect(await classifier.classify(flat(255), { topK: 1 })).toHaveLength(1);
  });

  it.each([
    [mobileNetV1({ ...tiny, includeTop: false }), {}, "NETWORK_INVALID"], // neither probabilities nor embedding
    [mobileNetV1({ ...tiny, classes: 7 }), {}, "LABELS_MISSING"],
    [mobileNetV1({ ...tiny, classes: 7 }), { labels: ["one"] }, "CLASSES_MISMATCH"],
    [mobileNetV1(tiny), { topK: 3 }, "OPTION_INVALID"],
    [mobileNetV1(tiny), { preprocessing: { rnage: [0, 1] } }, "OPTION_INVALID"],
    [mobileNetV1(tiny), { preprocessing: null }, "OPTION_INVALID"],
    [mobileNetV1({ ...tiny, classes: 2 }), { labels: "ab" }, "OPTION_INVALID"],
    [mobileNetV1({ ...tiny, classes: 2, labels: ["a", "b"] }), { labels: null }, "OPTION_INVALID"],
  ])("refuses what cannot classify (%#)", async (model, options, code) => {
    await expect(createClassifier(model as never, options as never)).rejects.toMatchObject({ code });
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses topK %s", async (topK) => {
    const classifier = await createClassifier(mobileNetV1({ ...tiny, classes: 1, labels: ["x"] }));
    await expect(classifier.classify(flat(1), { topK })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("refuses to run after close", async () => {
    const classifier = await createClassifier(mobileNetV1({ ...tiny, classes: 1, labels: ["x"] }));
    classifier.close();
    await expect(classifier.classify(flat(1))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});
