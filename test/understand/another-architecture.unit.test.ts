/** A second row in the table, of a network made up: recognised, decided, built, described, saved and changed. */

import { describe, expect, it, vi } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { tensor } from "../../src/core/tensor.ts";
import { compile } from "../../src/session/compile.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import {
  addClasses,
  embeddingModel,
  encodeModel,
  encodeTfjs,
  type LoadOptions,
  loadModel,
  replaceHead,
} from "../../src/weights/index.ts";
import { sample, unsaid } from "../fixtures/sample-networks.ts";
import { OURS, toyRow } from "../fixtures/toy-architecture.ts";
import { onnxFile } from "../writers/as-onnx.ts";
import { type Entries, namedTensors, safetensors } from "../writers/as-tensors.ts";
import { floats, onnxModel, onnxNode } from "../writers/onnx.ts";

vi.mock("../../src/understand/architectures/table.ts", async (importOriginal) => {
  const { toyBuilder, toyRow: second } = await import("../fixtures/toy-architecture.ts");
  const table = await importOriginal<typeof import("../../src/understand/architectures/table.ts")>();
  return {
    ARCHITECTURES: [...table.ARCHITECTURES, second],
    BUILDERS: [...table.BUILDERS, toyBuilder],
    ARCHITECTURE_IDS: [...table.ARCHITECTURE_IDS, "toy"],
  };
});

const matrix = (rows: number, columns: number) =>
  tensor(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i + rows)),
    [rows, columns],
  );
const [hidden, head] = [matrix(3, 5), matrix(5, 4)];
const tiny = { alpha: 0.125, resolution: 32, classes: 3 } as const;

const gemm = (kernels: readonly FloatTensor[], last = "Gemm") =>
  onnxModel({
    inputs: { x: ["n", kernels[0]!.shape[0]!] },
    outputs: [last === "Gemm" ? `y${kernels.length - 1}` : "z"],
    initializers: kernels.map(({ data, shape }, i) => floats(`w${i}`, shape, [...data])),
    nodes: [
      ...kernels.map((_, i) => onnxNode("Gemm", [i === 0 ? "x" : `y${i - 1}`, `w${i}`], [`y${i}`])),
      ...(last === "Gemm" ? [] : [onnxNode(last, [`y${kernels.length - 1}`], ["z"])]),
    ],
  });

const SOURCES: Readonly<Record<string, readonly [file: Uint8Array, understoodBy: string]>> = {
  names: [
    safetensors([
      [OURS[0]!, hidden],
      [OURS[1]!, head],
    ] satisfies Entries),
    "names of Toy",
  ],
  "order and shapes": [
    safetensors([
      ["a", hidden],
      ["b", head],
    ] satisfies Entries),
    "two matrices in order",
  ],
  "a graph": [gemm([hidden, head]), "matrices of the graph"],
};

describe.each(Object.entries(SOURCES))("a network of the second row by its %s", (_title, [file, understoodBy]) => {
  it("is recognised, decided, built and described", async () => {
    const model = await loadModel(file, { labels: ["a", "b", "c", "d"] });
    expect(model).toMatchObject({
      name: "toy_5",
      inputShape: [3],
      info: { architecture: "toy", labels: { length: 4 } },
    });
    const { understoodBy: said, decisions } = describeModel(model);
    expect(said).toBe(understoodBy);
    expect(decisions.find(({ name }) => name === "inputs")).toMatchObject({ value: 3, basis: "inferred" });
    expect(decisions.find(({ name }) => name === "labels")).toMatchObject({ basis: "given" });
    using session = await compile(model);
    const { logits } = await session.run(new Float32Array([1, 0, 0]));
    const expected = Array.from({ length: 4 }, (_, c) =>
      Array.from({ length: 5 }, (_, i) => hidden.data[i]! * head.data[i * 4 + c]!).reduce((a, b) => a + b),
    );
    for (const [c, value] of expected.entries()) expect(logits!.data[c]).toBeCloseTo(value, 5);
  });

  it("comes back from what is saved of it, by its own builder", async () => {
    const model = await loadModel(file);
    const files = [...encodeTfjs(model)].map(([name, bytes]) => new File([bytes], name));
    for (const source of [encodeModel(model), files]) {
      const again = await loadModel(source);
      expect(again.info).toMatchObject({ architecture: "toy", options: { inputs: 3, width: 5, classes: 4 } });
      expect([...again.parameters]).toEqual([...model.parameters]);
    }
  });

  it("is changed by what its builder can change, and layer by layer for the rest", async () => {
    const model = await loadModel(file);
    const wider = addClasses(model, { classes: 2 });
    expect(wider.info).toMatchObject({ architecture: "toy", options: { classes: 6 } });
    expect(replaceHead(model, { classes: 7 }).shapes.get("head")).toEqual([7]);
    expect(Object.keys(embeddingModel(model).outputs)).toEqual(["embedding"]);
    expect(() => replaceHead(model, { classes: 7, dropout: 0.1 })).toThrow(
      /none for a network that is no MobileNet V1,/,
    );
  });
});

describe("a file that is of neither", () => {
  it("is refused with what each has to say", async () => {
    const loading = loadModel(
      safetensors([
        ["a", hidden],
        ["b", matrix(6, 4)],
      ] satisfies Entries),
    );
    await expect(loading).rejects.toMatchObject({ code: "ARCHITECTURE_UNKNOWN" });
    await expect(loading).rejects.toThrow(
      /those of a MobileNet V1 \(.*\), or those of a Toy \(two matrices\), found no MobileNet V1: .*; no Toy: 2 matrices do not follow one another \(a, b\)/,
    );
  });

  it("is a network of its own if it is a graph, and says why it is none of them", async () => {
    const file = gemm([hidden, head], "Relu");
    const { understoodBy } = describeModel(await loadModel(file));
    expect(understoodBy).toMatch(/\(no MobileNet V1: .*; no Toy: it has 1 layers without one\)$/);
    await expect(loadModel(file, { width: 5 } as LoadOptions)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(/\(no MobileNet V1: .*; no Toy: it has 1 layers without one\)/),
      fields: { option: "width", reason: expect.stringMatching(/; it has 1 layers without one$/) },
    });
    await expect(loadModel(gemm([hidden, head], "Erf"))).rejects.toThrow(
      /: "z" is an Erf\. It is no MobileNet V1, no Toy either \(it has 1 layers without one\); of a network cut in two/,
    );
  });

  it("is not asked about by others than it names", async () => {
    const metadata = { architecture: "toy" };
    const v1 = namedTensors(sample("v1", tiny, 1), "TF-slim");
    await expect(loadModel(safetensors(v1, { metadata }))).rejects.toThrow(/expected those of a Toy \(two matrices\)/);
    await expect(loadModel(safetensors(v1, { metadata: { architecture: "x" } }))).rejects.toThrow(
      /expected mobilenet_v1 or toy, found "x"/,
    );
  });
});

it("an option that means something else to the first row does not keep the second from being asked", async () => {
  const [file] = SOURCES["order and shapes"]!;
  const options = { blocks: [{ expand: 6, filters: 3 }] } as object as LoadOptions;
  expect((await loadModel(file, options)).info).toMatchObject({ architecture: "toy" });
});

it("the first row is asked first, and no other of what it knows", async () => {
  const v1 = sample("v1", tiny, 1);
  const asked = vi.spyOn(toyRow, "byNames");
  for (const source of [onnxFile(v1), safetensors(namedTensors(v1, "TF-slim"))])
    expect((await loadModel(source, unsaid(v1))).info.architecture).toBe("mobilenet_v1");
  expect(asked).not.toHaveBeenCalled();
});
