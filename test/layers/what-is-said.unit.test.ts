/** What a network is given, lists with holes included: checked at once, and its own from then on. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { tensor } from "../../src/core/tensor.ts";
import { conv2d as convolve } from "../../src/eager/index.ts";
import { conv2d, dense, network, reshape, sequential, withInfo, withParameters } from "../../src/layers/index.ts";
import { networkFromJson } from "../../src/layers/network.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/index.ts";
import { addClasses, encodeModel, loadModel } from "../../src/weights/index.ts";

const hole = (...rest: readonly unknown[]) => {
  const list: unknown[] = [undefined, ...rest];
  delete list[0];
  return list as never;
};
const one = (extra: object) =>
  network({
    inputShape: [4],
    layers: [{ name: "d", type: "dense", attributes: { filters: 2 } }],
    outputs: { y: "d" },
    ...extra,
  });
const small = () => sequential({ inputShape: [2] }, [dense({ filters: 2, name: "d" })]);

describe("a hole in a list", () => {
  it.each<[string, () => unknown, string]>([
    [
      "padding",
      () =>
        sequential({ inputShape: [4, 4, 1] }, [conv2d({ filters: 1, kernel: 3, padding: [hole(1), [1, 1]] as never })]),
      "OPTION_INVALID",
    ],
    [
      "padding, an axis of it",
      () => convolve(tensor([1], [1, 1, 1, 1]), tensor([1], [1, 1, 1, 1]), { padding: hole([1, 1]) }),
      "OPTION_INVALID",
    ],
    ["inputShape", () => one({ inputShape: hole(4, 3) }), "OPTION_INVALID"],
    ["a reshape", () => sequential({ inputShape: [4] }, [reshape(hole(4))]), "OPTION_INVALID"],
    [
      "the inputs of a layer",
      () => one({ layers: [{ name: "d", type: "dense", inputs: hole("input"), attributes: { filters: 2 } }] }),
      "NETWORK_INVALID",
    ],
    ["labels", () => one({ info: { labels: Array(2) } }), "OPTION_INVALID"],
    ["labels of withInfo", () => withInfo(small(), { labels: Array(2) }), "OPTION_INVALID"],
    ["labels of a MobileNet", () => mobileNetV1({ classes: 2, labels: Array(2) }), "OPTION_INVALID"],
    [
      "labels of new classes",
      () => addClasses(mobileNetV1({ alpha: 0.25, classes: 2, resolution: 32 }), { labels: Array(2) }),
      "OPTION_INVALID",
    ],
    ["blocks", () => mobileNetV1({ blocks: hole({ filters: 8, stride: 1 }) }), "OPTION_INVALID"],
    [
      "the shape of a parameter",
      () =>
        withParameters(
          small(),
          new Map(small().parameters).set("d/kernel", { dtype: "float32", shape: hole(2), data: new Float32Array(4) }),
        ),
      "PARAMETERS_MISMATCH",
    ],
  ])("of %s is refused", (_, call, code) => {
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining("undefined") }));
  });

  it("of taps is refused", async () => {
    await expect(compile(small(), { taps: hole("d") })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});

describe("what a network was given", () => {
  it("may be changed by the caller afterwards", async () => {
    const padding: [number, number][] = [
      [1, 1],
      [1, 1],
    ];
    const outputs: Record<string, string> = { y: "c" };
    const aliases: Record<string, string> = { block: "c" };
    const labels = ["a", "b"];
    const layers = [{ name: "c", type: "conv2d", attributes: { filters: 2, kernel: 3, padding } }];
    const model = network({ inputShape: [4, 4, 1], layers, outputs, aliases, info: { architecture: "own", labels } });
    const named = withInfo(model, { labels });
    outputs["y"] = "gone";
    aliases["block"] = "gone";
    labels[0] = "changed";
    (padding[0] as number[])[0] = 7;
    expect(model.info.labels).toEqual(["a", "b"]);
    expect(named.info.labels).toEqual(["a", "b"]);
    using session = await compile(model, { backend: "reference", taps: ["block"] });
    expect((await session.run(new Float32Array(16)))["y"]?.shape).toEqual([1, 4, 4, 2]);
  });

  it("by mobileNetV1, its labels, as well", () => {
    const labels = ["a", "b"];
    const model = mobileNetV1({ classes: 2, labels });
    labels[0] = "changed";
    expect(model.info.labels).toEqual(["a", "b"]);
  });
});

describe("what a network says of itself", () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`k${i}`, i]));

  it("is refused at the call if no file may say it", () => {
    expect(() => one({ info: many })).toThrow(/^network: info: expected at most 1000 entries, found 1002\./);
    expect(() => withInfo(small(), many)).toThrow(/^withInfo: info: expected at most 1000 entries/);
    expect(() => withInfo(small(), { provenance: 5 as never })).toThrow(/^withInfo: provenance: expected an object/);
    expect(() => withInfo(small(), { provenance: { decisions: [] } })).toThrow(/^withInfo: provenance\.decisions: /);
  });

  it.each<[string, unknown, RegExp]>([
    ["preprocessing", { range: [1] }, /range/],
    ["background", "yes", /background/],
    ["labels", [1], /labels/],
    ["provenance", { decisions: 1 }, /decisions/],
  ])("is the file's fault where a file says it: %s", (name, value, said) => {
    const { inputShape, layers, outputs } = small();
    let error: unknown;
    try {
      networkFromJson({ inputShape, layers, outputs, info: { [name]: value } }, "m.safetensors");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "FILE_CORRUPT", message: expect.stringMatching(said) });
    expect(error).toMatchObject({ message: expect.stringMatching(/^m\.safetensors: .*Nothing was loaded\.$/) });
    expect(isDepthwiseError((error as Error).cause)).toBe(true);
  });

  it("and an attribute of a layer in a file likewise, whose error names the file", async () => {
    const bytes = encodeModel(small());
    const text = new TextDecoder("latin1").decode(bytes);
    const wrong = Uint8Array.from(text.replace(/filters\\":2/, 'filters\\":0'), (letter) => letter.charCodeAt(0));
    const refusal = { code: "FILE_CORRUPT", message: expect.stringMatching(/filters.*Nothing was loaded/) };
    await expect(loadModel(wrong)).rejects.toMatchObject(refusal);
  });
});
