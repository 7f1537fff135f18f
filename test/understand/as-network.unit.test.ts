/** A file whose graph is nobody's: what the network is called, what is known of it, and what a refusal says. */

import { describe, expect, it } from "vitest";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { attr, floats, onnxModel, onnxNode } from "../writers/onnx.ts";
import type { Field } from "../writers/protobuf.ts";

type Sides = readonly (number | string)[];
const relu = onnxNode("Relu", ["x"], ["y"]);
const file = (sides: Sides, nodes: readonly Field[] = [relu], initializers: readonly Field[] = []) =>
  onnxModel({ inputs: { x: sides }, nodes, initializers, outputs: ["y"] });
const decisions = async (bytes: Uint8Array, options: LoadOptions = {}) =>
  Object.fromEntries(describeModel(await loadModel(bytes, options)).decisions.map(({ name, ...rest }) => [name, rest]));

describe("its name", () => {
  it.each([
    ["my net.onnx", "my_net"],
    ["net.v2.onnx", "net.v2"],
    ["a/b/net.onnx", "net"],
    ["a\\b\\net.onnx", "net"],
    ["a/b/model.onnx", "b"],
    ["a/b/saved_model.pb", "b"],
    ["model.onnx", "model"],
    ["models/", "models"],
    ["my_model.onnx", "my_model"],
    ["__x__.onnx", "x"],
    [".onnx", "onnx"],
    ["mêlé-9.onnx", "mêlé-9"],
    ["---", "custom"],
    ["bytes", "custom"],
    ["Blob", "custom"],
    ["bytes.onnx", "bytes"],
    ["mybytes", "mybytes"],
    ["a https://h/net?x=y", "net_x_y"],
    ["https://h/net.onnx?a=b.c#d", "net"],
    ["https://h/a/model.onnx", "a"],
    ["https://h/model.onnx", "model"],
    ["net?.onnx", "net"],
  ])("of a file called %j is %s", async (name, expected) => {
    const named = new File([new Uint8Array(file([1, 7]))], name);
    expect((await loadModel(named)).name).toBe(expected);
  });

  it("is cut, and is none where there are only bytes", async () => {
    expect((await loadModel(file([1, 7]))).name).toBe("custom");
    const long = new File([new Uint8Array(file([1, 7]))], `${"x".repeat(500)}.onnx`);
    expect((await loadModel(long)).name.length).toBeLessThanOrEqual(101);
  });
});

describe("its input", () => {
  const from = 'shape of the input "x"';

  it("is an image of the size that is stated, or of the usual one, or the caller's", async () => {
    expect(await decisions(file([1, 3, 8, 6]))).toMatchObject({
      inputSize: { value: [8, 6], basis: "stated", from },
      inputChannels: { value: 3, basis: "inferred", from },
      range: { value: [-1, 1], basis: "assumed", from: "the library's default; the file does not say" },
    });
    const open = file([1, 3, "h", "w"]);
    expect((await decisions(open))["inputSize"]).toEqual({
      ...{ value: [224, 224], basis: "assumed", from: "the size most were trained at; the file leaves it open" },
    });
    expect((await decisions(open, { inputSize: [32, 48] }))["inputSize"]).toMatchObject({ value: [32, 48] });
    expect((await decisions(file([1, 3, 8, "w"])))["inputSize"]).toMatchObject({ value: [8, 224], basis: "assumed" });
  });

  it("has a range where it is a picture, and no size where it is a row", async () => {
    expect(await decisions(file([1, 1, 8, 6]))).toHaveProperty("range");
    for (const channels of [2, 4]) {
      const found = await decisions(file([1, channels, 8, 6]));
      expect(found["inputChannels"]?.value).toBe(channels);
      expect(found).not.toHaveProperty("range");
    }
    const row = await decisions(file([1, 7]));
    for (const name of ["inputSize", "inputChannels", "range"]) expect(row).not.toHaveProperty(name);
  });

  it("has the range that the first layer's arithmetic is meant for", async () => {
    const range = async (scale: number, shift: number, more: readonly Field[] = []) => {
      const nodes = [
        onnxNode("Mul", ["x", "scale"], ["m"]),
        onnxNode("Add", ["m", "shift"], ["s"]),
        onnxNode("Relu", ["s"], [more.length === 0 ? "y" : "r"]),
        ...more,
      ];
      return (await decisions(file([1, 3, 8, 8], nodes, [floats("scale", [], [scale]), floats("shift", [], [shift])])))[
        "range"
      ];
    };
    const own = (top: number) => ({
      ...{ value: [0, top], basis: "inferred", from: `the graph's own arithmetic on inputs of 0 to ${top}` },
    });
    expect(await range(0.1, 0)).toEqual(own(255));
    expect(await range(0.5, 0)).toEqual(own(1));
    expect(await range(0.5, 5)).toEqual(own(255));
    expect(await range(0.5, 3)).toEqual(own(1));
    // Where another layer reads the pixels as well, they are meant for both.
    expect(await range(0.1, 0, [onnxNode("Relu", ["x"], ["q"]), onnxNode("Add", ["r", "q"], ["y"])])).toMatchObject({
      basis: "assumed",
    });
  });

  it("comes with what is known of the classes", async () => {
    const classifier = (classes: number) => [
      onnxNode("GlobalAveragePool", ["x"], ["p"]),
      onnxNode("Flatten", ["p"], ["f"]),
      onnxNode("Gemm", ["f", "w"], ["y"], { transB: attr.i(1) }),
      floats("w", [classes, 3], Array(3 * classes).fill(0)),
    ];
    const known = async (classes: number) => {
      const [pool, flat, dense, weights] = classifier(classes) as [Field, Field, Field, Field];
      return decisions(file([1, 3, 8, 8], [pool, flat, dense], [weights]));
    };
    expect((await known(5))["classes"]).toEqual({ value: 5, basis: "inferred", from: "shape of the result" });
    expect(await known(5)).not.toHaveProperty("background");
    expect((await known(1001))["background"]?.value).toBe(true);
    expect((await known(1000))["background"]?.value).toBe(false);
  });
});

describe("a refusal", () => {
  it("names the operation, what the graph looks like, and why it is no MobileNet V1, once", async () => {
    const same = loadModel(file([1, 3, 8, 8], [onnxNode("Erf", ["x"], ["y"])]));
    await expect(same).rejects.toMatchObject({
      code: "ARCHITECTURE_UNKNOWN",
      message: expect.stringMatching(
        /^bytes: the network: expected operations that run here .*, found a network without convolutions: "[^"]*" is an Erf\. It is no MobileNet V1; of a network cut in two pass both files in a list\. Nothing was loaded\.$/,
      ),
      fields: {
        file: "bytes",
        recognised: "a network without convolutions",
        reason: expect.stringMatching(/is an Erf$/),
      },
    });
    const two = [relu, onnxNode("Relu", ["x"], ["r"]), onnxNode("Erf", ["r"], ["e"])];
    const other = loadModel(file([1, 3, 8, 8], [...two.slice(1), onnxNode("Mul", ["r", "e"], ["y"])]));
    await expect(other).rejects.toThrow(/is an Erf\. It is no MobileNet V1 either \(".*" joins two branches\); of a/);
  });

  it("of an image of which nothing is left says so in the file's name", async () => {
    const pool = onnxNode("MaxPool", ["x"], ["y"], { kernel_shape: attr.ints(9, 9) });
    await expect(loadModel(file([1, 3, 8, 8], [pool]))).rejects.toMatchObject({
      code: "NETWORK_VANISHES",
      message: expect.stringMatching(
        /^bytes: .*[^.]\. It is no MobileNet V1 either \(".*" pools between the layers\)\. Nothing was loaded\.$/,
      ),
    });
  });
});
