/** What the metadata of a file says of its model, each entry and each way in which it can be wrong. */

import { describe, expect, it } from "vitest";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { withStatements } from "../../src/understand/metadata.ts";

const bare: ModelFile = {
  format: "safetensors",
  content: { kind: "tensors", tensors: new Map(), isOrdered: false },
  facts: {},
  remarks: {},
};
const read = (metadata: Record<string, string>, more: Partial<ModelFile> = {}, bytes?: number) =>
  withStatements({ ...bare, ...more, metadata }, "a.safetensors", decodedBudget(bytes), ["mobilenet_v1"]);
const stated = (value: unknown) => ({ value, basis: "stated", from: "metadata" });

describe("the metadata of a file", () => {
  it("states each option by itself", () => {
    const { facts, remarks } = read({
      ...{ format: "pt", architecture: "mobilenet_v1", alpha: "0.5", resolution: "160", classes: "5" },
      ...{ padding: "keras", activation: "relu", epsilon: "1e-5", background: "1", range: " -1 , 1 ", folded: "true" },
      ...{ labels: '["a","b"]', input_size: "96,128" },
    });
    expect(facts).toEqual({
      ...{ alpha: stated(0.5), resolution: stated(160), inputSize: stated([96, 128]), padding: stated("keras") },
      ...{ activation: stated("relu"), epsilon: stated(1e-5), background: stated(true), labels: stated(["a", "b"]) },
      preprocessing: stated({ range: [-1, 1] }),
    });
    expect(remarks).toEqual({});
    expect(read({}).facts).toEqual({});
    expect(read({ background: "0" }).facts).toEqual({ background: stated(false) });
  });

  it("states what is in its options rather than beside them, and a preprocessing rather than a range", () => {
    const { facts } = read({
      ...{ alpha: "0.5", padding: "same", range: "0,1" },
      ...{ options: '{"alpha":0.25,"shallow":true}', preprocessing: '{"mean":[1,2,3]}' },
    });
    expect(facts).toEqual({
      ...{ alpha: stated(0.25), shallow: stated(true), padding: stated("same") },
      preprocessing: stated({ mean: [1, 2, 3] }),
    });
  });

  it("comes before what the reader saw, and its remarks behind", () => {
    const facts = { alpha: stated(1), epsilon: stated(1) } as ModelFile["facts"];
    const found = read({ alpha: "0.5", author: "me", note: "x" }, { facts, remarks: { author: "reader" } });
    expect(found.facts).toEqual({ alpha: stated(0.5), epsilon: stated(1) });
    expect(found.remarks).toEqual({ author: "reader", note: "x" });
    expect(withStatements(bare, "a", decodedBudget(), ["mobilenet_v1"])).toBe(bare);
  });

  it("says on what each rests, where it was written by us", () => {
    const decisions = {
      alpha: { basis: "inferred", from: "widths" },
      padding: { basis: "assumed", from: "custom" },
      activation: { basis: "given", from: "a call" },
      epsilon: { basis: "stated", from: "a file" },
      background: { basis: "guessed", from: "nothing" },
      resolution: { basis: "inferred", from: 5 },
      labels: null,
    };
    const origin = { format: "ONNX" };
    const { facts, remarks } = read({
      ...{ alpha: "0.5", padding: "same", activation: "relu", epsilon: "1", background: "1", resolution: "32" },
      ...{ labels: "[]", range: "0,1", provenance: JSON.stringify({ decisions, origin }), author: "me" },
    });
    expect(facts).toEqual({
      alpha: { value: 0.5, ...decisions.alpha },
      padding: { value: "same", ...decisions.padding },
      activation: { value: "relu", ...decisions.activation },
      epsilon: { value: 1, ...decisions.epsilon },
      ...{ background: stated(true), resolution: stated(32), labels: stated([]) },
      preprocessing: stated({ range: [0, 1] }),
    });
    expect(remarks).toEqual({ author: "me", origin });
    for (const provenance of ['{"decisions":5,"origin":5}', "{}", '{"decisions":[]}']) {
      expect(read({ alpha: "1", provenance })).toMatchObject({ facts: { alpha: stated(1) }, remarks: {} });
      expect(read({ provenance }).remarks).toEqual({});
    }
    // What an object is born with is nobody's decision.
    expect(read({ options: '{"toString":1}', provenance: '{"decisions":{}}' }).facts).toEqual({ toString: stated(1) });
  });

  it("describes a network of its own, and then no option of the builder", () => {
    const found = read({ architecture: "custom", network: '{"name":"x"}', alpha: "wide", note: "y" });
    expect(found).toMatchObject({ network: { name: "x" }, facts: {}, remarks: { note: "y" } });
    expect(found.facts).toEqual({});
    expect(read({ alpha: "1" })).not.toHaveProperty("network");
  });

  it("of another architecture is refused by its name", () => {
    for (const architecture of ["resnet", "", "custom"]) {
      expect(() => read({ architecture })).toThrow(
        expect.objectContaining({
          code: "ARCHITECTURE_UNKNOWN",
          message: expect.stringContaining(
            `a.safetensors: architecture: expected mobilenet_v1, found "${architecture}". Other networks are read if`,
          ),
          fields: expect.objectContaining({ architecture }),
        }),
      );
    }
  });

  const many = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [i, i])));
  it.each<[key: string, text: string, said: string]>([
    ["alpha", "wide", 'expected a number, found "wide"'],
    ["alpha", "", 'expected a number, found ""'],
    ["alpha", " ", 'expected a number, found " "'],
    ["alpha", "1,2", 'expected a number, found "1,2"'],
    ["alpha", "Infinity", 'expected a number, found "Infinity"'],
    ["resolution", "1,", 'expected a number, found "1,"'],
    ["epsilon", "x", 'expected a number, found "x"'],
    ["range", "1", 'expected 2 numbers, found "1"'],
    ["range", "1,,2", 'expected 2 numbers, found "1,,2"'],
    ["range", "1,2,3", 'expected 2 numbers, found "1,2,3"'],
    ["range", "1,NaN", 'expected 2 numbers, found "1,NaN"'],
    ["input_size", "1,x", 'expected 2 numbers, found "1,x"'],
    ["options", "[]", 'expected an object as JSON, found "[]"'],
    ["options", "5", 'expected an object as JSON, found "5"'],
    ["preprocessing", "null", 'expected an object as JSON, found "null"'],
    ["network", '"x"', "expected an object as JSON, found "],
    ["provenance", "true", 'expected an object as JSON, found "true"'],
    ["options", many(1001), 'expected an object of at most 1000 entries, found "1001"'],
    ["labels", "[", "expected JSON"],
    ["labels", '{"a":1,"a":2}', "expected each key once in an object, found"],
  ])("with %s of %j is refused", (key, text, said) => {
    expect(() => read({ [key]: text })).toThrow(
      expect.objectContaining({
        code: "FILE_CORRUPT",
        message: expect.stringContaining(said),
        fields: expect.objectContaining({ key }),
      }),
    );
    expect(() => read({ [key]: text })).toThrow(`a.safetensors: metadata "${key}": expected `);
    expect(() => read({ [key]: text })).toThrow(/Correct the metadata, or pass the options to loadModel\./);
  });

  it("may have a thousand options, and costs what it decodes to", () => {
    expect(Object.keys(read({ options: many(1000) }).facts)).toHaveLength(1000);
    const labels = JSON.stringify(Array.from({ length: 200_000 }, () => []));
    expect(() => read({ labels }, {}, 1000)).toThrow(expect.objectContaining({ code: "FILE_TOO_LARGE" }));
  });
});
