/** @slow: it takes 3 seconds. */

/** A tensor turned, missing, superfluous, of another shape or not finite: refused with an error that names it. */

import { describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { permute } from "../../src/formats/transpose.ts";
import type { MobileNetV1Options } from "../../src/models/index.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import type { Layer } from "../fixtures/keras-models.ts";
import { folded, type Sample, sample, unsaid } from "../fixtures/sample-networks.ts";
import { frozenGraph, tfjsGraphModel } from "../writers/as-graph-def.ts";
import {
  keras3WeightsH5,
  kerasArchive,
  kerasLayers,
  kerasWeightsH5,
  kerasWholeH5,
  tfjsLayers,
} from "../writers/as-keras.ts";
import { onnxFile } from "../writers/as-onnx.ts";
import {
  type Entries,
  eightBitSafetensors,
  type FamilyName,
  namedTensors,
  safetensors,
  TORCH_FORMS,
} from "../writers/as-tensors.ts";
import { tfliteFile } from "../writers/as-tflite.ts";

const plain = sample("plain", { alpha: 0.1, resolution: 32, classes: 3 }, 1);
/** The pointwise convolution of block 2: 6 channels to 12. */
const PLACE = plain.rows.findIndex(({ ours }) => ours === "conv_pw_2");

async function refusal(source: ModelSource, given: MobileNetV1Options = {}): Promise<string> {
  const error: unknown = await loadModel(source, given).then(
    () => new Error("it was read"),
    (cause: unknown) => cause,
  );
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return `${code} ${message}`;
}

const KINDS = ["turned", "of another shape", "not finite", "missing", "superfluous"] as const;
type Kind = (typeof KINDS)[number];

/** The same numbers with rows and columns exchanged; one output less; a NaN. */
function damaged({ data, shape }: FloatTensor, kind: Kind, outputs: number): FloatTensor {
  const sides = [...shape];
  if (kind === "turned") {
    const order = sides.map((_, axis) => axis);
    const [a, b] = sides.flatMap((side, axis) => (side > 1 ? [axis] : []));
    [order[a!], order[b!]] = [b!, a!];
    return tensor(
      permute(data, shape, order),
      order.map((axis) => sides[axis]!),
    );
  }
  if (kind === "of another shape") {
    const axis = sides.indexOf(outputs);
    const fewer = sides.map((side, i) => (i === axis ? side - 1 : side));
    return tensor(data.slice(0, (data.length / outputs) * (outputs - 1)), fewer);
  }
  return tensor(
    data.map((value, i) => (i === 3 ? Number.NaN : value)),
    shape,
  );
}

describe("a tensor under a name", () => {
  const encoders: readonly (readonly [string, FamilyName, (entries: Entries) => ModelSource])[] = [
    ["safetensors", "Keras in HDF5's spelling", safetensors],
    ["safetensors", "Hugging Face", safetensors],
    ["safetensors", "timm", safetensors],
    ["safetensors", "TF-slim", safetensors],
    ["safetensors in I8", "timm", eightBitSafetensors],
    ["safetensors", "numbers in PyTorch's layout", safetensors],
    ["safetensors", "numbers in Keras' layout", safetensors],
    ["PyTorch zip", "PyTorch conv_bn and conv_dw", TORCH_FORMS["zip, state dict"]!],
    ["PyTorch zip", "features as in torchvision", TORCH_FORMS["zip, state dict"]!],
    ["PyTorch before 1.6", "timm", TORCH_FORMS["before 1.6, module. prefix"]!],
  ];
  const cases = encoders.flatMap(([format, family, encode]) =>
    KINDS.map((kind) => [format, family, kind, encode] as const),
  );

  it.each(cases)("of %s, %s, that is %s is refused", async (_format, family, kind, encode) => {
    const entries = [...namedTensors(plain, family)];
    const place = entries.findIndex(([, { shape }]) => String(shape.filter((side) => side > 1).sort()) === "12,6");
    const [name, value] = entries[place]!;
    if (kind === "missing") entries.splice(place, 1);
    else if (kind === "superfluous") entries.splice(place, 0, [`${name}_more`, value]);
    else entries[place] = [name, damaged(value, kind, 12)];
    const found = await refusal(encode(entries), unsaid(plain));
    expect(found).toMatch(/^(PARAMETERS_MISMATCH|ARCHITECTURE_UNKNOWN|VALUES_NOT_FINITE|SHAPE_MISMATCH|FILE_CORRUPT) /);
    const neighbours = entries.slice(Math.max(0, place - 6), place + 6).map(([other]) => other);
    const names = [name, "conv_pw_2/kernel", ...(/order and shapes|in order/.test(found) ? neighbours : [])];
    expect(
      names.filter((one) => found.includes(one)),
      found,
    ).not.toEqual([]);
  });
});

describe("means and variances", () => {
  const swapped = plain.rows.map(({ norm, ...row }) => ({
    ...row,
    norm: norm && { ...norm, moving_mean: norm.moving_variance, moving_variance: norm.moving_mean },
  }));

  it.each(["timm", "numbers in Keras' layout"] as const)("of %s that changed places are refused", async (family) => {
    const found = await refusal(safetensors(namedTensors({ ...plain, rows: swapped }, family)), unsaid(plain));
    expect(found).toMatch(
      /^VALUES_NOT_FINITE .*variances that have no root: .*"conv_dw_13_bn\/moving_variance" \(-0\.\d+ at/,
    );
  });

  it("of a graph that changed places are refused", async () => {
    expect(await refusal(onnxFile({ ...plain, rows: swapped }))).toMatch(/variances that have no root/);
  });
});

describe("a constant of a graph", () => {
  interface Graph {
    readonly write: (one: Sample, omit?: string) => ModelSource | Promise<ModelSource>;
    /** What the message calls the layer, and what the constant is called that is left out. */
    readonly layer: RegExp;
    readonly omit: string;
  }
  const withLayers =
    (encode: (layers: readonly Layer[]) => ModelSource | Promise<ModelSource>) => (one: Sample, omit?: string) =>
      encode(
        kerasLayers(one).map(({ weights = [], ...rest }) => ({
          ...rest,
          weights: weights.filter(({ name }) => name !== omit),
        })),
      );
  const keras = { layer: /conv2d_2\b|depthwise_conv2d_2/, omit: "conv2d_2/kernel:0" };
  const graphDef = { layer: new RegExp(`net/op${PLACE}\\b|net/op${PLACE + 1}\\b`), omit: `net/op${PLACE}/w` };
  const graphs: Readonly<Record<string, Graph>> = {
    "Keras HDF5": { write: withLayers(kerasWholeH5), ...keras },
    ".keras": { write: withLayers(kerasArchive), ...keras },
    "TensorFlow.js layers": { write: withLayers(tfjsLayers), ...keras },
    "TensorFlow.js graph": { write: (one, omit) => tfjsGraphModel(one, withOmit(omit)), ...graphDef },
    "frozen graph": { write: (one, omit) => frozenGraph(one, withOmit(omit)), ...graphDef },
    ONNX: { write: (one, omit) => onnxFile(one, withOmit(omit)), layer: /Conv_1[0-9]|w4\.kernel/, omit: "w4.kernel" },
    TFLite: {
      write: (one, omit) => tfliteFile(folded(one), "float32", withOmit(omit)),
      layer: /layer_4|layer_5/,
      omit: "layer_4_w",
    },
  };
  const withOmit = (omit: string | undefined) => (omit === undefined ? {} : { omit });
  const damagedRow = (kind: Kind) => (row: Sample["rows"][number], i: number) => {
    if (i !== PLACE) return row;
    const kernel = damaged(row.kernel, kind, row.outputs);
    const [, , inputs = 0, outputs = 0] = kernel.shape;
    return { ...row, kernel, inputs, outputs };
  };
  const names = Object.keys(graphs);

  it.each(names)("in %s that is missing is refused", async (format) => {
    const { write, layer, omit } = graphs[format]!;
    const found = await refusal(await write(plain, omit));
    expect(found).toMatch(/^(FILE_CORRUPT|ARCHITECTURE_UNKNOWN) /);
    expect(found).toMatch(layer);
  });

  it.each(names.flatMap((format) => (["turned", "of another shape"] as const).map((kind) => [format, kind] as const)))(
    "in %s that is %s is refused",
    async (format, kind) => {
      const { write, layer } = graphs[format]!;
      const one = format === "TFLite" ? folded(plain) : plain;
      const found = await refusal(await write({ ...one, rows: one.rows.map(damagedRow(kind)) }));
      expect(found).toMatch(/^ARCHITECTURE_UNKNOWN /);
      expect(found).toMatch(layer);
    },
  );

  it.each(names)("in %s that is not finite is refused", async (format) => {
    const rows = folded(plain).rows.map((row, i) =>
      i === PLACE ? { ...row, kernel: damaged(row.kernel, "not finite", row.outputs) } : row,
    );
    const found = await refusal(await graphs[format]!.write({ ...folded(plain), rows }));
    expect(found).toMatch(/^VALUES_NOT_FINITE .*"conv_pw_2\/kernel" \(NaN at element 3\)/);
  });
});

describe("weights of Keras without a topology", () => {
  const encoders = { "by name": kerasWeightsH5, "by number": keras3WeightsH5 } as const;

  it.each(Object.keys(encoders) as (keyof typeof encoders)[])("%s: each must have its place", async (kind) => {
    const encode = encoders[kind];
    const layers = kerasLayers(plain);
    const without = layers.filter(({ name }) => name !== "batch_normalization_4");
    const turned = layers.map((one) => {
      if (one.name !== "conv2d_2") return one;
      return { ...one, weights: one.weights!.map((weight) => ({ ...weight, shape: [1, 1, 12, 6] })) };
    });
    const twice = [...layers.slice(0, 8), { ...layers[1]!, name: "conv2d_99" }, ...layers.slice(8)];
    for (const broken of [without, turned, twice]) {
      const found = await refusal(await encode(broken), unsaid(plain));
      expect(found).toMatch(/^ARCHITECTURE_UNKNOWN .*(conv2d|batch_normalization|depthwise_conv2d)\w*\/\w+/);
    }
  });
});
