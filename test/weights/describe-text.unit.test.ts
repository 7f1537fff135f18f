/** Descriptions of networks whose provenance is known to the letter: order, parts, doubts, and the text of it all. */

import { expect, it, describe as suite } from "vitest";
import { dense, sequential, withInfo } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { asText, describe, formatDescription } from "../../src/weights/describe.ts";

const fact = (value: unknown, basis = "stated", from = "the file") => ({ value, basis, from });
const assumed = (value: unknown) => fact(value, "assumed", "usual");

/** A network of which a file said this. */
function loaded(decisions: object, more: object = {}) {
  const model = sequential({ inputShape: [2], name: "mine" }, [dense({ filters: 3 })]);
  return withInfo(model, {
    provenance: { format: "onnx", file: "m.onnx", understoodBy: "its graph", decisions, remarks: {}, ...more },
  });
}

suite("decisions", () => {
  it("come in the order in which they are asked about, the rest behind them in theirs, the input last", () => {
    const names =
      "seed preprocessing padding includeTop stem background classes alpha inputChannels resolution inputSize";
    const { decisions } = describe(
      loaded(
        Object.fromEntries(
          names.split(" ").map((name) => [name, fact(name === "preprocessing" ? { range: [0, 1] } : 1)]),
        ),
      ),
    );
    expect(decisions.map(({ name }) => name)).toEqual([
      "alpha",
      "resolution",
      "inputSize",
      "inputChannels",
      "classes",
      "background",
      "includeTop",
      "padding",
      "seed",
      "stem",
      "range",
      "channelOrder",
      "resize",
      "filter",
      "cropFraction",
    ]);
  });

  it("about the input are each part that is said, and the library's for what is not", () => {
    const { decisions } = describe(
      loaded({ preprocessing: fact({ resize: "stretch", mean: [0], deviation: [1] }, "inferred", "config.json") }),
    );
    const from = "the library's default; the file does not say";
    expect(decisions).toEqual([
      { name: "resize", value: "stretch", basis: "inferred", from: "config.json" },
      { name: "mean", value: [0], basis: "inferred", from: "config.json" },
      { name: "deviation", value: [1], basis: "inferred", from: "config.json" },
      { name: "channelOrder", value: "rgb", basis: "assumed", from },
      { name: "filter", value: "antialiased", basis: "assumed", from },
      { name: "cropFraction", value: 0.875, basis: "assumed", from },
    ]);
  });

  it("of a network that was built are its options, and what else was given", () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels: ["a", "b"] });
    const { decisions, doubts, remarks, format } = describe(model);
    const given = decisions.filter(({ basis }) => basis === "given");
    expect(given.every(({ from }) => from === "the builder's options")).toBe(true);
    expect(given.map(({ name }) => name)).toEqual(expect.arrayContaining(["alpha", "labels", "range", "inputSize"]));
    expect(given.map(({ name }) => name)).not.toContain("background");
    expect(given.map(({ name }) => name)).not.toContain("preprocessing");
    expect(given.find(({ name }) => name === "labels")?.value).toEqual(["a", "b"]);
    expect({ doubts, remarks, format }).toEqual({ doubts: [], remarks: {}, format: "built as mobilenet_v1" });
    expect(describe(model)).not.toHaveProperty("file");
    expect(describe(model)).not.toHaveProperty("understoodBy");
  });
});

suite("a doubt", () => {
  it.each(["padding", "activation", "negativeSlope", "epsilon", "resolution"])(
    "is %s that is assumed, and nothing else",
    (name) => {
      const { doubts } = describe(loaded({ [name]: assumed("x") }));
      expect(doubts).toEqual([expect.stringMatching(new RegExp(`^${name} "x" is assumed \\(usual\\); .+\\.$`))]);
      for (const basis of ["given", "stated", "inferred"]) {
        expect(describe(loaded({ [name]: fact("x", basis) })).doubts).toEqual([]);
      }
    },
  );

  it("is a range or a mean that is assumed, not the rest of the input", () => {
    const { doubts } = describe(loaded({ preprocessing: assumed({ range: [0, 1], mean: [0], deviation: [1] }) }));
    expect(doubts.map((doubt) => doubt.split(" ")[0])).toEqual(["range", "mean"]);
  });

  it("is none about what changes no answer, whatever it is called", () => {
    expect(describe(loaded({ seed: assumed(1), toString: assumed(1) })).doubts).toEqual([]);
  });

  it("is cut, and may be about what JSON does not know", () => {
    const [long] = describe(loaded({ padding: fact("p".repeat(5000), "assumed", "f".repeat(5000)) })).doubts;
    expect(long?.length).toBeLessThan(600);
    const within: unknown[] = [];
    within.push(within);
    expect(describe(loaded({ padding: assumed(within) })).doubts[0]).toMatch(/^padding \[\[\[\[/);
    expect(describe(loaded({ padding: assumed(undefined) })).doubts[0]).toMatch(/^padding undefined is assumed/);
  });
});

suite("a description as text", () => {
  const decisions = {
    alpha: fact(0.5),
    classes: fact(4, "inferred", "the shape of a kernel"),
    padding: assumed("same"),
    labels: fact(["a", "b", "c", "d", "e", "f", "g"]),
    six: fact([1, 2, 3, 4, 5, 6]),
    seven: fact([1, 2, 3, 4, 5, 6, 7]),
    evil: fact("\u001b[2J"),
    preprocessing: fact({ range: [0, 1], channelOrder: "bgr", resize: "stretch", filter: "plain", cropFraction: 1 }),
  };

  it("is what the model is, a line a decision, and the doubts", () => {
    expect(`\n${formatDescription(describe(loaded(decisions, { remarks: { licence: "MIT" } })))}`).toBe(`
mine: onnx, m.onnx
input 2, outputs output, 9 parameters
understood by its graph

alpha         0.5            stated    the file
classes       4              inferred  the shape of a kernel
padding       same           assumed   usual
labels        7 (a, …)       stated    the file
six           [1,2,3,4,5,6]  stated    the file
seven         7 (…)          stated    the file
evil          \\u{1b}[2J      stated    the file
range         [0,1]          stated    the file
channelOrder  bgr            stated    the file
resize        stretch        stated    the file
filter        plain          stated    the file
cropFraction  1              stated    the file

Assumed, to be checked:
- padding "same" is assumed (usual); "same" (TensorFlow) and "symmetric" (PyTorch, Caffe) see other pixels at stride 2.`);
  });

  it("is shorter for what was built here", () => {
    const { alpha: _, ...rest } = mobileNetV1({ alpha: 0.25, resolution: 32 }).info.options ?? {};
    const lines = formatDescription(describe(mobileNetV1({ alpha: 0.25, resolution: 32 }))).split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "mobilenet_v1_0.25_32: built as mobilenet_v1",
      "input 32 × 32 × 3, outputs logits, probabilities, embedding, 475,544 parameters",
      "",
      expect.stringMatching(/^alpha +0\.25 +given +the builder's options$/),
    ]);
    expect(lines.length).toBeGreaterThan(3 + Object.keys(rest).length);
    expect(lines.join("\n")).not.toContain("Assumed, to be checked");
  });

  it("has its table set by whoever prints it", () => {
    const lay = (rows: readonly (readonly string[])[]) => [`${rows.length} rows of ${rows[0]?.length}`];
    expect(asText(describe(loaded({ alpha: fact(1) })), lay).split("\n")[4]).toBe("5 rows of 4");
  });

  it("cuts what a file says, and lists some of many outputs", () => {
    const long = "n".repeat(5000);
    const said = describe(loaded({ [long]: fact(long, "stated", long) }, { file: long }));
    expect(formatDescription({ ...said, outputs: Array(1000).fill("o") }).length).toBeLessThan(2500);
  });

  it("is of a description: anything else is refused by its code", () => {
    const refusal = expect.objectContaining({
      code: "OPTION_INVALID",
      message: expect.stringMatching(/^formatDescription: description: /),
    });
    expect(() => formatDescription(mobileNetV1() as never)).toThrow(refusal);
    expect(() => formatDescription(undefined as never)).toThrow(refusal);
  });

  it("has what else the file says among its fields", () => {
    expect(describe(loaded({}, { remarks: { licence: "MIT" } })).remarks).toEqual({ licence: "MIT" });
    expect(describe(loaded({}))).toMatchObject({
      file: "m.onnx",
      understoodBy: "its graph",
      outputs: ["output"],
      parameters: 9,
    });
  });
});
