/** Options against files: which wins, what contradicts, and what is then said to be known. */

import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { conv2d, globalAveragePool, type Network, sequential } from "../../src/layers/index.ts";
import { withInfo } from "../../src/layers/network.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { embeddingModel } from "../../src/weights/transfer.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";

function fileOf(classes: number, metadata: Record<string, string> = {}): Uint8Array {
  const { parameters } = mobileNetV1({ alpha: 0.25, resolution: 32, classes });
  return writeSafetensors(
    [...parameters].map(([name, { shape, data }]) => ({ name, shape, data })),
    metadata,
  );
}

const decision = (model: Network, name: string) =>
  describeModel(model).decisions.find((candidate) => candidate.name === name);
const names = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`);
const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

describe("classes, background and labels", () => {
  const labelled = fileOf(1001, { labels: JSON.stringify(names(1001)) });

  it("what is said of the classes is what the model has after a background is dropped", async () => {
    const model = await loadModel(labelled, { classes: 1000 });
    expect(model.info.labels?.[0]).toBe("class 1");
    expect(decision(model, "labels")).toMatchObject({ value: names(1001).slice(1), basis: "stated" });
    expect(decision(model, "classes")).toMatchObject({ value: 1000, basis: "given" });
    expect(decision(model, "background")).toMatchObject({ value: false, basis: "given" });
  });

  it("the file's own number of classes, given, changes nothing else", async () => {
    const model = await loadModel(labelled, { classes: 1001 });
    expect(decision(model, "background")).toMatchObject({ value: true, basis: "inferred" });
  });

  it.each([
    ["a background that was just dropped", 1001, {}, { classes: 1000, background: true }],
    ["no background where one was just added", 1000, {}, { classes: 1001, background: false }],
    ["a thousand classes of 1001 without a background", 1001, { background: "0" }, { classes: 1000 }],
    ["1001 classes of a thousand that have a background", 1000, { background: "1" }, { classes: 1001 }],
  ] as const)("%s is a contradiction", async (_name, classes, metadata, options) => {
    const loading = loadModel(fileOf(classes, metadata), options);
    await expect(loading).rejects.toMatchObject({ code: "CLASSES_MISMATCH" });
  });

  it("labels of the file that do not fit are the file's fault, and those of the caller beat them", async () => {
    const file = fileOf(3, { labels: '["a","b"]' });
    await expect(loadModel(file)).rejects.toThrow(
      "bytes: labels (metadata): expected 3, one for each class, found 2. Pass labels of your own to loadModel.",
    );
    expect((await loadModel(file, { labels: names(3) })).info.labels).toEqual(names(3));
  });

  it("without its classifier a file has no classes to speak of", async () => {
    const model = await loadModel(fileOf(3, { labels: '["a","b","c"]' }), { includeTop: false });
    expect(Object.keys(model.outputs)).toEqual(["embedding"]);
    expect(model.info.labels).toBeUndefined();
    for (const name of ["classes", "labels", "background"]) expect(decision(model, name)).toBeUndefined();
    const saved = await loadModel(encodeModel(embeddingModel(await loadModel(fileOf(3)))));
    expect([decision(saved, "includeTop")?.value, decision(saved, "classes")]).toEqual([false, undefined]);
  });
});

describe("the input", () => {
  it("a range of the caller takes the place of mean and deviation, and leaves the rest to the file", async () => {
    const before = { mean: [0.1, 0.2, 0.3], deviation: [1, 2, 3], channelOrder: "bgr" };
    const file = fileOf(3, { preprocessing: JSON.stringify(before) });
    const model = await loadModel(file, { preprocessing: { range: [0, 1] } });
    expect(model.info.preprocessing).toEqual({ range: [0, 1], channelOrder: "bgr" });
    expect(decision(model, "range")?.from).toBe("an option of the call; channelOrder: stated, metadata");
    const cropped = await loadModel(file, { preprocessing: { cropFraction: 1 } });
    expect(cropped.info.preprocessing).toEqual({ ...before, cropFraction: 1 });
  });

  it.each([
    ["range", "0,x"],
    ["range", "1"],
    ["input_size", "32"],
    ["input_size", "32,"],
    ["alpha", "0.25,1"],
    ["preprocessing", "5"],
  ])("a %s of %s is refused", async (key, value) => {
    await expect(loadModel(fileOf(3, { [key]: value }))).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });
});

describe("a network of one's own", () => {
  const custom = sequential({ inputShape: [8, 8, 3] }, [conv2d({ filters: 3, kernel: 3 }), globalAveragePool()]);

  it("takes what is said of its input, and no option of the builder", async () => {
    const model = await loadModel(encodeModel(custom), { preprocessing: { range: [0, 1] } });
    expect(model.info.preprocessing).toEqual({ range: [0, 1] });
    for (const options of [{ alpha: 0.5 }, { resolution: 64 }, { nonsense: 1 } as LoadOptions]) {
      await expect(loadModel(encodeModel(custom), options)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    }
  });

  it("tells what its file states of it, and what the caller gave", async () => {
    const labelled = withInfo(custom, { labels: ["a", "b"], preprocessing: { range: [0, 1] } });
    const model = await loadModel(encodeModel(labelled), { preprocessing: { range: [0, 255] } });
    const { decisions } = describeModel(model);
    expect(decisions.find(({ name }) => name === "labels")).toMatchObject({ value: ["a", "b"], basis: "stated" });
    expect(decisions.find(({ name }) => name === "range")).toMatchObject({ value: [0, 255], basis: "given" });
    expect(model.info).toMatchObject({ labels: ["a", "b"], preprocessing: { range: [0, 255] } });
  });

  it("may claim to have come from anywhere, but is described as what it is", async () => {
    const definition = JSON.parse(JSON.stringify({ ...custom, parameterInfo: undefined, shapes: undefined }));
    for (const provenance of [{}, { decisions: { alpha: null }, remarks: {} }, { decisions: {} }]) {
      const network = JSON.stringify({ ...definition, info: { provenance } });
      const tensors = [...custom.parameters].map(([name, { shape, data }]) => ({ name, shape, data }));
      const model = await loadModel(writeSafetensors(tensors, { architecture: "custom", network }));
      expect(describeModel(model)).toMatchObject({ format: "safetensors", understoodBy: "its own list of layers" });
      expect(encodeModel(model).length).toBeGreaterThan(0);
    }
  });
});

describe("what a file says of itself", () => {
  it.each(["labels", "options", "preprocessing", "network", "provenance"])(
    "%s nested without end is refused",
    async (key) => {
      for (const text of [deep, `{"origin":${deep}}`]) {
        await expect(loadModel(fileOf(3, { [key]: text }))).rejects.toThrow(/expected at most 100 levels/);
      }
    },
  );

  it("a model that is saved again and again keeps its first origin", async () => {
    let model = await loadModel(fileOf(3, { author: "someone" }));
    const lengths: number[] = [];
    for (let i = 0; i < 3; i++) {
      const bytes = encodeModel(model);
      lengths.push(bytes.length);
      model = await loadModel(bytes);
      const { origin } = describeModel(model).remarks as { readonly origin: Record<string, unknown> };
      expect(origin).toMatchObject({ format: "safetensors", remarks: { author: "someone" } });
    }
    expect(lengths[2]).toBe(lengths[1]);
  });

  it("two tensors for one layer are refused by name", async () => {
    const { parameters } = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
    const tensors = [...parameters].map(([name, { shape, data }]) => ({ name, shape, data }));
    const again = { ...tensors[0]!, name: "model_weights/conv1/conv1/kernel:0" };
    await expect(loadModel(writeSafetensors([...tensors, again]))).rejects.toThrow(
      'tensors "conv1/kernel" and "model_weights/conv1/conv1/kernel:0": expected different layers, found "conv1/kernel" twice',
    );
  });
});

describe("files beside the model", () => {
  it("two Files are one model with what belongs to it, unless they are of one kind", async () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
    const web = [...encodeTfjs(model)].map(([name, bytes]) => new File([new Uint8Array(bytes)], name));
    expect(web).toHaveLength(2);
    expect((await loadModel(web)).name).toBe(model.name);
    const file = new File([new Uint8Array(encodeModel(model))], "model.safetensors");
    expect((await loadModel([file, new File(["{}"], "notes.txt")])).name).toBe(model.name);
    await expect(loadModel([file, file])).rejects.toThrow(/two files that hold operations/);
  });
});
