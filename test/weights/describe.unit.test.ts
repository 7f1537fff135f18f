/** What is said of a model: each decision with its basis; take a piece of evidence away and it reads `assumed`. */

import { expect, it, describe as suite } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { describe, formatDescription } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";

const small = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 4 });

const METADATA = {
  alpha: "0.25",
  resolution: "32",
  padding: "symmetric",
  activation: "relu",
  epsilon: "0.00001",
  range: "0,1",
};

const file = (metadata: Record<string, string>) =>
  writeSafetensors(
    [...small.parameters].map(([name, { shape, data }]) => ({ name, shape, data })),
    metadata,
  );

async function decisions(metadata: Record<string, string>, options: LoadOptions = {}) {
  const { decisions: all, doubts } = describe(await loadModel(file(metadata), options));
  return { byName: Object.fromEntries(all.map((decision) => [decision.name, decision])), doubts };
}

suite("describe", () => {
  it("what the file states is stated", async () => {
    const { byName, doubts } = await decisions(METADATA);
    for (const name of Object.keys(METADATA)) expect([name, byName[name]?.basis]).toEqual([name, "stated"]);
    expect(byName["padding"]).toEqual({ name: "padding", value: "symmetric", basis: "stated", from: "metadata" });
    expect(byName["classes"]).toMatchObject({ value: 4, basis: "inferred", from: "shape of the classifier" });
    expect(doubts).toEqual([]);
  });

  it.each([
    ["resolution", "assumed", 224],
    ["padding", "assumed", "same"],
    ["activation", "assumed", "relu6"],
    ["epsilon", "assumed", 1e-3],
    ["range", "assumed", [-1, 1]],
    ["alpha", "inferred", 0.25],
  ])("without the word about %s it is %s", async (name, basis, value) => {
    const { [name]: _removed, ...rest } = METADATA as Record<string, string>;
    const { byName, doubts } = await decisions(rest);
    expect(byName[name]).toMatchObject({ basis, value });
    expect(byName[name]?.from).not.toBe("");
    // Every assumption that would change the answers is told in a sentence.
    expect(doubts.map((doubt) => doubt.split(" ")[0])).toEqual(basis === "assumed" ? [name] : []);
    for (const other of Object.keys(rest)) expect([other, byName[other]?.basis]).toEqual([other, "stated"]);
  });

  it.each([
    ["padding", "keras"],
    ["activation", "relu6"],
    ["epsilon", 1e-4],
    ["resolution", 64],
    ["alpha", 0.25],
  ] as const)("%s of the caller beats the file's", async (name, value) => {
    const { byName } = await decisions(METADATA, { [name]: value });
    expect(byName[name]).toMatchObject({ value, basis: "given", from: "an option of the call" });
  });

  it("the caller's size takes the place of the file's, whichever way it is given", async () => {
    const model = await loadModel(file(METADATA), { inputSize: [40, 48] });
    expect(model.inputShape).toEqual([40, 48, 3]);
    expect((await loadModel(file(METADATA), { rho: 0.5 })).inputShape).toEqual([112, 112, 3]);
  });

  it("an assumption stays one when the model is saved and loaded again", async () => {
    const { padding: _gone, ...rest } = METADATA;
    const first = await loadModel(file(rest));
    const again = await loadModel(encodeModel(first));
    const padding = describe(again).decisions.find(({ name }) => name === "padding");
    expect(padding).toMatchObject({ value: "same", basis: "assumed" });
    expect(describe(again).doubts).toEqual(describe(first).doubts);
    expect(describe(again).remarks).toMatchObject({ origin: { format: "safetensors", file: "bytes" } });
  });

  it("a network that was built here says so", () => {
    const description = describe(small);
    expect(description).toMatchObject({ format: "built as mobilenet_v1", doubts: [], inputShape: [32, 32, 3] });
    expect(description.decisions.find(({ name }) => name === "alpha")).toMatchObject({ value: 0.25, basis: "given" });
    expect(() => describe({} as never)).toThrow(/describe: model/);
  });

  it("as text: a line a decision, then the doubts", async () => {
    const { range: _gone, ...rest } = METADATA;
    const text = formatDescription(describe(await loadModel(file(rest))));
    expect(text).toMatch(/^mobilenet_v1_0\.25_32: safetensors, bytes$/m);
    expect(text).toMatch(/^padding +symmetric +stated +metadata$/m);
    expect(text).toMatch(/^- range \[-1,1\] is assumed \(.+\); networks want/m);
  });

  it.each([
    ["[]", "an object as JSON"],
    ["{", "expected JSON"],
  ])("a provenance of %s is refused", async (provenance, expected) => {
    await expect(loadModel(file({ ...METADATA, provenance }))).rejects.toThrow(expected);
  });
});
