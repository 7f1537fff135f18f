/** Another table than the paper's, in the one place where it stands: everything that understands files follows it. */

import { describe, expect, it, vi } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { MOBILENET_V1_BLOCKS, type MobileNetV1Options } from "../../src/models/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { type Row, type Sample, sample, unsaid } from "../fixtures/sample-networks.ts";
import { type Entries, namedTensors, safetensors } from "../writers/as-tensors.ts";
import { FORMS } from "../writers/forms.ts";

vi.mock("../../src/models/mobilenet-v1/table.ts", () => ({
  MOBILENET_V1_STEM: { stride: 2, filters: 12 },
  MOBILENET_V1_BLOCKS: [
    { stride: 1, filters: 20 },
    { stride: 2, filters: 24 },
    { stride: 1, filters: 24 },
    { stride: 2, filters: 28 },
    { stride: 2, filters: 40 },
    { stride: 1, filters: 40 },
    { stride: 2, filters: 52 },
    { stride: 1, filters: 60 },
    { stride: 1, filters: 60 },
    { stride: 1, filters: 68 },
    { stride: 1, filters: 68 },
    { stride: 2, filters: 76 },
    { stride: 1, filters: 84 },
    { stride: 1, filters: 92 },
    { stride: 1, filters: 92 },
  ],
}));

/** Where timm and Retinaface would keep these blocks, written by hand; without blocks 7 to 11 below. */
const TIMM = "0.0 1.0 1.1 2.0 3.0 3.1 4.0 4.1 4.2 4.3 4.4 5.0 5.1 5.2 5.3".split(" ");
const TIMM_SHALLOW = "0.0 1.0 1.1 2.0 3.0 3.1 4.0 4.1 4.2 4.3".split(" ");
const RETINAFACE = "1.1 1.2 1.3 1.4 2.0 2.1 3.0 3.1 3.2 3.3 3.4 4.0 4.1 4.2 4.3".split(" ");
const RETINAFACE_SHALLOW = "1.1 1.2 1.3 1.4 2.0 2.1 3.0 3.1 3.2 3.3".split(" ");

const tiny = { alpha: 0.5, resolution: 32, classes: 5 } as const;
const whole = sample("whole", tiny, 1);
const shallow = sample("shallow", { ...tiny, shallow: true }, 2);
const folded = sample("folded", { ...tiny, batchNorm: false }, 3);
const full = sample("full convolutions", { ...tiny, standardConvolution: true }, 4);

const bits = ({ data }: FloatTensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");

async function expectRead(source: Parameters<typeof loadModel>[0], expected: Sample, given: MobileNetV1Options = {}) {
  const loaded = await loadModel(source, given);
  const shape = (parameters: Iterable<[string, FloatTensor]>) =>
    [...parameters].map(([name, value]) => [name, value.shape, bits(value)]).sort();
  expect(shape(loaded.parameters)).toEqual(shape(expected.model.parameters));
  const { alpha, stem, blocks, shallow: isShallow, standardConvolution } = expected.model.info.options!;
  expect(loaded.info.options).toMatchObject({ alpha, stem, blocks, shallow: isShallow, standardConvolution });
}

/** The names that the writers' PyTorch family has, with other places for the blocks. */
function inPlaces(from: Sample, rename: (row: Row, kind: "" | "dw" | "pw", block: number, theirs: string) => string) {
  const rows = new Map(from.rows.map((row) => [row.ours, row]));
  const parts = namedTensors(from, "PyTorch conv_bn and conv_dw");
  const ours = from.rows.flatMap((row) => Array<string>(1 + (row.bias ? 1 : 0) + (row.norm ? 4 : 0)).fill(row.ours));
  return parts.map(([theirs, value], i) => {
    const row = rows.get(ours[i]!)!;
    const [, kind = "", block = "0"] = /^conv_(dw|pw)_(\d+)$/.exec(row.ours) ?? [];
    return [rename(row, kind as "" | "dw" | "pw", Number(block), theirs), value] as const;
  }) satisfies Entries;
}

const asTimm = (from: Sample, places: readonly string[]) =>
  inPlaces(from, (row, kind, block, theirs) => {
    const [, norm = "", word = ""] = /\.([0-4])\.(\w+)$/.exec(theirs) ?? [];
    if (row.kind === "classifier") return theirs.replace("fc", "classifier");
    if (kind === "") return `${norm === "1" ? "bn1" : "conv_stem"}.${word}`;
    return `blocks.${places[block - 1]}.${{ 0: "conv_dw", 1: "bn1", 3: "conv_pw", 4: "bn2" }[norm]}.${word}`;
  });

const asRetinaface = (from: Sample, places: readonly string[]) =>
  inPlaces(from, (row, kind, block, theirs) => {
    if (row.kind === "classifier") return theirs;
    return theirs.replace(/^model\.\d+/, `stage${kind === "" ? "1.0" : places[block - 1]}`);
  });

describe("with another table", () => {
  it("the builder builds it", () => {
    expect(MOBILENET_V1_BLOCKS).toHaveLength(15);
    expect(whole.rows).toHaveLength(1 + 2 * 15 + 1);
    expect(shallow.rows).toHaveLength(1 + 2 * 10 + 1);
  });

  // timm's places are counted out below.
  const forms = FORMS.filter(({ name }) => !name.includes("timm"));

  it.each(forms.map((form) => [form.name, form] as const))("%s is read", async (_name, form) => {
    for (const one of [whole, shallow, folded, full]) {
      if (form.obstacle?.(one)) continue;
      const { source, given, expected } = await form.write(one);
      await expectRead(source, expected, given);
    }
  });

  it.each([
    ["timm", asTimm(whole, TIMM), whole],
    ["timm, shallow", asTimm(shallow, TIMM_SHALLOW), shallow],
    ["timm, the first of its blocks", asTimm(shallow, TIMM), shallow],
    ["Retinaface", asRetinaface(whole, RETINAFACE), whole],
    ["Retinaface, shallow", asRetinaface(shallow, RETINAFACE_SHALLOW), shallow],
  ] as const)("the names of %s are read", async (_name, entries, expected) => {
    await expectRead(safetensors(entries), expected, unsaid(expected));
  });

  it("a block too few is missed by its name", async () => {
    const entries = namedTensors(whole, "TF-slim").filter(([name]) => !name.includes("Conv2d_15_"));
    await expect(loadModel(safetensors(entries), unsaid(whole))).rejects.toThrow(/"conv_dw_15\/depthwise_kernel"/);
  });
});
