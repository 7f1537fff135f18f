/** Other blocks than the paper's, which the caller gives or the file says: in every form that can hold them. */

import { describe, expect, it } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { MOBILENET_V1_BLOCKS, type MobileNetV1Options } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { type Sample, sample, unsaid } from "../fixtures/sample-networks.ts";
import { frozenGraph } from "../writers/as-graph-def.ts";
import { onnxFile } from "../writers/as-onnx.ts";
import { namedTensors, safetensors } from "../writers/as-tensors.ts";
import { FORMS } from "../writers/forms.ts";

const rows = (...pairs: readonly (readonly [stride: number, filters: number])[]) =>
  pairs.map(([stride, filters]) => ({ stride, filters }));

const tiny = { resolution: 32, classes: 5 } as const;
const stem = { stride: 2, filters: 8 } as const;
const long = rows(...Array.from({ length: 16 }, (_, i) => [i % 5 === 1 ? 2 : 1, 12 + 4 * (i >> 1)] as const));
const short = rows([1, 12], [2, 16], [1, 16]);
/** As many as the paper's shallow network has. */
const eight = rows([1, 12], [2, 16], [1, 16], [2, 24], [1, 24], [2, 32], [1, 40], [1, 40]);

const samples = [
  sample("sixteen blocks", { ...tiny, stem, blocks: long }, 1),
  sample("three blocks of half the width", { ...tiny, stem, blocks: short, alpha: 0.5, batchNorm: false }, 2),
  sample("eight blocks", { ...tiny, blocks: eight, includeTop: false, pooling: "avg" }, 3),
  sample("full convolutions", { ...tiny, stem, blocks: short, standardConvolution: true }, 4),
];

const bits = ({ data }: FloatTensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
const listed = (parameters: Iterable<[string, FloatTensor]>) =>
  [...parameters].map(([name, value]) => [name, value.shape, bits(value)]).sort();

async function expectRead(source: Parameters<typeof loadModel>[0], { model }: Sample, given: MobileNetV1Options = {}) {
  const loaded = await loadModel(source, given);
  expect(listed(loaded.parameters)).toEqual(listed(model.parameters));
  const { alpha, blocks, stem: first, shallow, standardConvolution } = model.info.options!;
  expect(loaded.info.options).toMatchObject({ alpha, blocks, stem: first, shallow, standardConvolution });
  return loaded;
}

/** timm's numbers of more blocks than the paper's are not the writers'. */
const forms = FORMS.filter(({ name }) => !name.includes("timm"));

describe.each(samples.map((one) => [one.title, one] as const))("%s", (_title, one) => {
  it.each(forms.map((form) => [form.name, form] as const))("come back from %s", async (_name, form) => {
    if (form.obstacle?.(one)) return;
    const { source, given, expected } = await form.write(one);
    const { stem: first, blocks } = one.options;
    await expectRead(source, expected, { ...given, ...(first && { stem: first }), ...(blocks && { blocks }) });
  });
});

describe("blocks", () => {
  it("that are eight, given, are not taken for the shallow network", async () => {
    const one = samples[2]!;
    const loaded = await expectRead(safetensors(namedTensors(one, "TF-slim")), one, unsaid(one));
    expect(describeModel(loaded).decisions.map(({ name }) => name)).not.toContain("shallow");
  });

  it("of the shallow network may be given as the whole one's", async () => {
    const blocks = MOBILENET_V1_BLOCKS.map(({ stride, filters }) => ({ stride, filters: filters / 8 }));
    const one = sample("shallow", { ...tiny, blocks, shallow: true }, 5);
    await expectRead(safetensors(namedTensors(one, "Hugging Face")), one, unsaid(one));
  });

  it("of other widths than the paper's say which alpha it is", async () => {
    const one = sample("narrow", { ...tiny, blocks: long, alpha: 0.75 }, 6);
    await expectRead(safetensors(namedTensors(one, "numbers in PyTorch's layout")), one, unsaid(one));
  });

  it("of a shallow graph may have strides of their own", async () => {
    const blocks = MOBILENET_V1_BLOCKS.map((block, i) => ({ ...block, stride: i % 3 === 0 ? 2 : 1 }));
    const one = sample("shallow", { ...tiny, alpha: 0.1, resolution: 64, blocks, shallow: true }, 7);
    for (const source of [onnxFile(one), frozenGraph(one)]) {
      const loaded = await loadModel(source);
      expect(listed(loaded.parameters)).toEqual(listed(one.model.parameters));
      expect([...loaded.shapes.values()]).toEqual([...one.model.shapes.values()]);
      expect(loaded.info.options).toMatchObject({ shallow: false, blocks: { length: 8 } });
      const asked = await loadModel(source, { shallow: true });
      expect(asked.info.options).toMatchObject({ shallow: true, blocks: { length: 13 } });
      expect(listed(asked.parameters)).toEqual(listed(one.model.parameters));
      expect([...asked.shapes.values()]).toEqual([...one.model.shapes.values()]);
      const wrong = { code: "OPTION_INVALID", fields: { option: "shallow", reason: "it has 8 blocks, not 13" } };
      await expect(loadModel(source, { shallow: false })).rejects.toMatchObject(wrong);
    }
  });

  it("of the whole network's number are none of a shallow one, as the refusal says", async () => {
    const loading = loadModel(onnxFile(sample("whole", tiny, 8)), { shallow: true });
    const fields = { option: "shallow", reason: "it has 13 blocks, not 8" };
    await expect(loading).rejects.toMatchObject({ code: "OPTION_INVALID", fields });
  });

  it.each(["Hugging Face", "TF-slim", "Keras in HDF5's spelling", "numbers in Keras' layout"] as const)(
    "that the file states need not be given: %s",
    async (family) => {
      const one = samples[0]!;
      const { options = {} } = one.model.info;
      const metadata = { options: JSON.stringify({ blocks: options["blocks"], stem: options["stem"] }) };
      const { blocks: _blocks, stem: _stem, ...others } = unsaid(one);
      const loaded = await expectRead(safetensors(namedTensors(one, family), { metadata }), one, others);
      const { decisions } = describeModel(loaded);
      expect(decisions.find(({ name }) => name === "blocks")).toMatchObject({ basis: "stated", value: long });
    },
  );

  it("of another number are missed and left over by name", async () => {
    const names = safetensors(namedTensors(samples[0]!, "TF-slim"));
    await expect(loadModel(names, { ...unsaid(samples[0]!), blocks: long.slice(0, 15) })).rejects.toThrow(
      /"MobilenetV1\/Conv2d_16_depthwise\/depthwise_weights" \[3, 3, 40, 1\] is left over/,
    );
  });

  it.each([[5], ["ten"], [[]], [[null]], [[{ stride: 1 }]], [{ length: 1e9 }], [[{ stride: 1n, filters: 8 }]]])(
    "that are none are refused: %#",
    async (blocks) => {
      const files = [
        safetensors(namedTensors(samples[1]!, "TF-slim")),
        safetensors(namedTensors(samples[1]!, "Keras in HDF5's spelling")),
        safetensors(namedTensors(samples[1]!, "numbers in Keras' layout")),
        onnxFile(samples[1]!),
      ];
      for (const file of files) {
        const loading = loadModel(file, { blocks: blocks as unknown as typeof long });
        await expect(loading).rejects.toMatchObject({ code: "OPTION_INVALID" });
      }
    },
  );
});

describe("rows that are none", () => {
  const one = samples[0]!;
  const sources = {
    names: safetensors(namedTensors(one, "TF-slim")),
    order: safetensors(namedTensors(one, "numbers in Keras' layout")),
    graph: onnxFile(one),
  };
  const faulty: Readonly<Record<string, unknown>> = {
    "filters without a text": { blocks: [{ stride: 1, filters: { toString: 1 } }] },
    "a stem without a text": { stem: { stride: 1, filters: { toString: null } } },
    "a switch without a text": { shallow: { toString: 1 } },
    "a symbol": { blocks: [{ stride: 1, filters: Symbol("filters") }] },
    "texts of numbers": { blocks: long.map(({ stride, filters }) => ({ stride: `${stride}`, filters })) },
  };

  it.each(Object.entries(faulty))("%s: refused, whoever says it and whatever was read before", async (name, said) => {
    for (const source of Object.values(sources)) {
      await loadModel(source, { ...unsaid(one), stem, blocks: long });
      const loading = loadModel(source, { ...unsaid(one), ...(said as object) });
      await expect(loading).rejects.toMatchObject({ code: "OPTION_INVALID" });
    }
    if (name === "a symbol") return;
    const saved = writeSafetensors(
      [...one.model.parameters].map(([of, { shape, data }]) => ({ name: of, shape, data })),
      { architecture: "mobilenet_v1", options: JSON.stringify(said) },
    );
    await expect(loadModel(saved)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});
