/** A sample network as named tensors, in the names and layouts of other tools; and in safetensors and PyTorch files. */

import { elementCount, type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { permute } from "../../src/formats/transpose.ts";
import { asEightBits } from "../fixtures/eight-bit.ts";
import { toBFloat16, toFloat16 } from "../fixtures/half-floats.ts";
import { bytesOf, type Row, type Sample } from "../fixtures/sample-networks.ts";
import { dict, oldForm, type Storage, stateDict, tensorValue, type Value, zipForm } from "./torch.ts";

export type Part = "kernel" | "bias" | keyof NonNullable<Row["norm"]>;
export type Entries = readonly (readonly [name: string, value: FloatTensor])[];

/** Names a part of a layer; `place` counts the layers, `parts` all tensors. */
type Naming = (row: Row, part: Part, place: number, parts: number) => string;

const TORCH_NORM = {
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
} as const;

const isNorm = (part: Part): part is keyof typeof TORCH_NORM => part !== "kernel" && part !== "bias";
const torchPart = (part: Part) => (isNorm(part) ? TORCH_NORM[part] : part === "kernel" ? "weight" : "bias");

/** "dw" or "pw" and the number of the block; nothing for the stem and the classifier. */
function blockOf({ ours }: Row): readonly [kind: string, block: number] {
  const [, kind = "", block = "0"] = /^conv_(dw|pw)_(\d+)$/.exec(ours) ?? [];
  return [kind, Number(block)];
}

const STAGES = ["0.0", "1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "4.0", "4.1"];
const SLIM = { kernel: "weights", bias: "biases" } as const;

interface Family {
  readonly layout: "torch" | "keras";
  readonly name: Naming;
  /** What `describe` says the layers were told apart by. */
  readonly understoodBy: RegExp;
}

export const FAMILIES = {
  "Keras in HDF5's spelling": {
    layout: "keras",
    understoodBy: /Keras/,
    name({ ours }, part) {
      const layer = isNorm(part) ? `${ours}_bn` : ours;
      return `model_weights/${layer}/${layer}/${part}:0`;
    },
  },
  "Hugging Face": {
    layout: "torch",
    understoodBy: /Hugging Face/,
    name(row, part) {
      const [kind, block] = blockOf(row);
      if (row.kind === "classifier") return `classifier.${torchPart(part)}`;
      const place = kind === "" ? "conv_stem" : `layer.${2 * (block - 1) + (kind === "pw" ? 1 : 0)}`;
      return `mobilenet_v1.${place}.${isNorm(part) ? "normalization" : "convolution"}.${torchPart(part)}`;
    },
  },
  timm: {
    layout: "torch",
    understoodBy: /timm/,
    name(row, part) {
      const [kind, block] = blockOf(row);
      if (row.kind === "classifier") return `classifier.${torchPart(part)}`;
      if (kind === "") return `${isNorm(part) ? "bn1" : "conv_stem"}.${torchPart(part)}`;
      const layer = isNorm(part) ? (kind === "dw" ? "bn1" : "bn2") : `conv_${kind}`;
      return `blocks.${STAGES[block - 1]}.${layer}.${torchPart(part)}`;
    },
  },
  "PyTorch conv_bn and conv_dw": {
    layout: "torch",
    understoodBy: /conv_bn/,
    name(row, part) {
      const [kind, block] = blockOf(row);
      if (row.kind === "classifier") return `fc.${torchPart(part)}`;
      return `model.${block}.${(kind === "pw" ? 3 : 0) + (isNorm(part) ? 1 : 0)}.${torchPart(part)}`;
    },
  },
  "TF-slim": {
    layout: "keras",
    understoodBy: /TF-slim/,
    name(row, part) {
      const [kind, block] = blockOf(row);
      const layer =
        row.kind === "classifier"
          ? "Logits/Conv2d_1c_1x1"
          : kind === ""
            ? "Conv2d_0"
            : `Conv2d_${block}_${kind === "dw" ? "depthwise" : "pointwise"}`;
      const plain = part === "kernel" && kind === "dw" ? "depthwise_weights" : SLIM[part as keyof typeof SLIM];
      return `MobilenetV1/${layer}/${isNorm(part) ? `BatchNorm/${part}` : plain}`;
    },
  },
  "numbers in PyTorch's layout": {
    layout: "torch",
    understoodBy: /order and shapes/,
    name: (_row, _part, _place, parts) => `a_${String(parts).padStart(3, "0")}`,
  },
  "numbers in Keras' layout": {
    layout: "keras",
    understoodBy: /order and shapes/,
    name: (_row, _part, _place, parts) => `blob${parts}`,
  },
  "features as in torchvision": {
    layout: "torch",
    understoodBy: /order and shapes/,
    name(row, part, place) {
      if (row.kind === "classifier") return `classifier.1.${torchPart(part)}`;
      return `features.${place}.${isNorm(part) ? 1 : 0}.${torchPart(part)}`;
    },
  },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;

/** Tensors in the order of the network. */
export function namedTensors({ rows }: Sample, family: FamilyName): Entries {
  const { layout, name } = FAMILIES[family] as Family;
  const entries: [string, FloatTensor][] = [];
  for (const [place, row] of rows.entries()) {
    const parts: [Part, FloatTensor][] = [
      ["kernel", layout === "torch" ? torchKernel(row) : kerasKernel(row, family)],
      ...(row.bias === undefined ? [] : [["bias", row.bias] as [Part, FloatTensor]]),
      ...(Object.entries(row.norm ?? {}) as [Part, FloatTensor][]),
    ];
    for (const [part, value] of parts) entries.push([name(row, part, place, entries.length), value]);
  }
  return entries;
}

/** PyTorch's layouts: `[out, in, kh, kw]`, `[in · multiplier, 1, kh, kw]`, `[out, in]`. */
export function torchKernel({ kind, kernel, inputs, outputs }: Row): FloatTensor {
  const [height = 1, width = 1] = kernel.shape;
  if (kind === "depthwise")
    return tensor(permute(kernel.data, kernel.shape, [2, 3, 0, 1]), [outputs, 1, height, width]);
  const data = permute(kernel.data, kernel.shape, [3, 2, 0, 1]);
  return tensor(data, kind === "classifier" ? [outputs, inputs] : [outputs, inputs, height, width]);
}

function kerasKernel({ kind, kernel, inputs, outputs }: Row, family: FamilyName): FloatTensor {
  const isDense = kind === "classifier" && family.startsWith("numbers");
  return isDense ? tensor(kernel.data, [inputs, outputs]) : kernel;
}

/** Sorted by name, as many writers do; the bytes without any metadata. */
export function safetensors(
  entries: Entries,
  { dtype = "F32", metadata }: { dtype?: "F32" | "F16" | "BF16"; metadata?: Record<string, string> } = {},
): Uint8Array {
  const encode = ({ data }: FloatTensor) => {
    if (dtype === "F32") return bytesOf(data);
    return bytesOf((dtype === "F16" ? toFloat16 : toBFloat16)(data).bits);
  };
  return inOneFile(
    entries.map(([name, value]) => ({ name, dtype, shape: value.shape, bytes: encode(value) })),
    metadata,
  );
}

/**
 * Of PyTorch's layouts: of what has several axes the first is the output channels.
 *
 * @param axes of scales: as many as the tensor has, or two, as compressed-tensors does it for whatever has channels
 */
export function eightBitSafetensors(entries: Entries, axes: "all" | "two" = "all"): Uint8Array {
  return inOneFile(
    entries.flatMap(([name, { shape, data }]): StoredPart[] => {
      if (shape.length === 1) return [{ name, dtype: "F32", shape, bytes: bytesOf(data) }];
      const [channels = 1, ...others] = shape;
      const { integers, scales } = asEightBits(data, channels, (i) => Math.floor(i / elementCount(others)));
      const ones = axes === "two" ? [1] : others.map(() => 1);
      return [
        { name, dtype: "I8", shape, bytes: bytesOf(integers) },
        { name: `${name}_scale`, dtype: "F32", shape: [channels, ...ones], bytes: bytesOf(scales) },
      ];
    }),
  );
}

export interface StoredPart {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file of any types, sorted by name. */
export function inOneFile(parts: readonly StoredPart[], metadata?: Record<string, string>): Uint8Array {
  const sorted = [...parts].sort((a, b) => (a.name < b.name ? -1 : 1));
  let at = 0;
  const header = sorted.map(({ name, dtype, shape, bytes }) => {
    const begin = at;
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  const json = JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(header) });
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, ...sorted.map(({ bytes }) => bytes)]));
}

/** A state dict and its storages, one for each tensor; counters of batches stand beside running statistics. */
export function torchState(entries: Entries, firstKey = 0) {
  const values: Record<string, Value> = {};
  const storages: Storage[] = [];
  for (const [name, { shape, data }] of entries) {
    const key = String(firstKey + storages.length);
    values[name] = tensorValue({ key, shape, elements: elementCount(shape) });
    storages.push([key, data.length, bytesOf(data)]);
    if (!name.endsWith("running_var")) continue;
    const counter = String(firstKey + storages.length);
    const counts = tensorValue({ key: counter, shape: [], elements: 1, type: "LongStorage" });
    values[name.replace("running_var", "num_batches_tracked")] = counts;
    storages.push([counter, 1, new Uint8Array(8).fill(7, 0, 1)]);
  }
  return { values, storages };
}

/** The forms of `torch.save`. */
export const TORCH_FORMS: Readonly<Record<string, (entries: Entries) => Uint8Array>> = {
  "zip, state dict": (entries) => {
    const { values, storages } = torchState(entries);
    return zipForm(stateDict(values), storages);
  },
  "zip, checkpoint with optimizer": (entries) => {
    const { values, storages } = torchState(entries);
    const first = entries[0]![1];
    const moment = tensorValue({ key: "m", shape: first.shape, elements: first.data.length });
    const optimizer = dict({ state: new Map<Value, Value>([[0, dict({ step: 3, exp_avg: moment })]]) });
    const root = dict({ epoch: 5, state_dict: stateDict(values), optimizer, best: 61.5 });
    return zipForm(root, [...storages, ["m", first.data.length, new Uint8Array(4 * first.data.length)]]);
  },
  "before 1.6, module. prefix": (entries) => {
    const { values, storages } = torchState(entries.map(([name, value]) => [`module.${name}`, value]));
    return oldForm(stateDict(values), storages);
  },
};
