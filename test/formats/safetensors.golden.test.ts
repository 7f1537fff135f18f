/** Real files, made and described by others: names, shapes, totals and bits, counted here without the library. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { firstNonFinite, type TensorFile, toFloat32 } from "../../src/formats/stored-tensor.ts";
import { recognise } from "../../src/sources/recognise.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const shared = (...path: string[]) => new Uint8Array(readFileSync(join(sharedRoot ?? "", ...path)));

interface Case {
  readonly file: string;
  readonly alpha: number;
  readonly classes: number;
  readonly isFolded: boolean;
  readonly kernels: "F32" | "F16";
}

const CASES: readonly Case[] = [
  { file: "mobilenet_v1_0.25_128.safetensors", alpha: 0.25, classes: 1001, isFolded: true, kernels: "F32" },
  { file: "mobilenet_v1_0.25_224_f16.safetensors", alpha: 0.25, classes: 1001, isFolded: true, kernels: "F16" },
  { file: "mobilenet_v1_0.25_224_unfolded.safetensors", alpha: 0.25, classes: 1000, isFolded: false, kernels: "F32" },
  { file: "mobilenet_v1_1.0_224_f16.safetensors", alpha: 1, classes: 1001, isFolded: true, kernels: "F16" },
];

const FILTERS = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];

/** Names and shapes in the order of the network, from the paper's table. */
function expectedShapes({ alpha, classes, isFolded }: Case): [string, number[]][] {
  const beside = (layer: string, channels: number): [string, number[]][] =>
    isFolded
      ? [[`${layer}/bias`, [channels]]]
      : ["gamma", "beta", "moving_mean", "moving_variance"].map((name) => [`${layer}_bn/${name}`, [channels]]);
  let channels = 32 * alpha;
  const shapes: [string, number[]][] = [["conv1/kernel", [3, 3, 3, channels]], ...beside("conv1", channels)];
  for (const [index, filters] of FILTERS.entries()) {
    const [dw, pw] = [`conv_dw_${index + 1}`, `conv_pw_${index + 1}`];
    shapes.push([`${dw}/depthwise_kernel`, [3, 3, channels, 1]], ...beside(dw, channels));
    shapes.push([`${pw}/kernel`, [1, 1, channels, filters * alpha]], ...beside(pw, filters * alpha));
    channels = filters * alpha;
  }
  return [...shapes, ["conv_preds/kernel", [1, 1, channels, classes]], ["conv_preds/bias", [classes]]];
}

const product = (shape: readonly number[]) => shape.reduce((count, side) => count * side, 1);

function total(file: TensorFile): number {
  return [...file.tensors.values()].reduce((sum, stored) => sum + toFloat32(stored).length, 0);
}

describeShared("the safetensors files made from the originals", () => {
  it.each(CASES)("$file has the names, shapes and types of its network, in order", (row) => {
    const { metadata, tensors } = readSafetensors(shared("derived", row.file), { name: row.file });
    expect([...tensors.values()].map(({ name, shape }) => [name, shape])).toEqual(expectedShapes(row));
    for (const { name, dtype } of tensors.values())
      expect(dtype, name).toBe(name.endsWith("kernel") ? row.kernels : "F32");
    expect(metadata).toMatchObject({
      architecture: "mobilenet_v1",
      classes: String(row.classes),
      background: row.classes === 1001 ? "1" : "0",
      padding: "same",
      activation: "relu6",
      folded: String(row.isFolded),
    });
    expect(Number(metadata["alpha"])).toBe(row.alpha);
  });

  it.each(CASES)("$file holds finite values, as many as the network has parameters", (row) => {
    const file = readSafetensors(shared("derived", row.file));
    expect(total(file)).toBe(expectedShapes(row).reduce((sum, [, shape]) => sum + product(shape), 0));
    for (const stored of file.tensors.values()) expect(firstNonFinite(toFloat32(stored)), stored.name).toBe(-1);
  });

  it.each(CASES)("$file is written again byte for byte after its header", (row) => {
    const bytes = shared("derived", row.file);
    const file = readSafetensors(bytes);
    const tensors = [...file.tensors.values()].map(({ name, shape, dtype }) => {
      const stored = file.tensors.get(name);
      if (stored === undefined || (dtype !== "F32" && dtype !== "F16")) throw new Error(`${name} is ${dtype}.`);
      return { name, shape, dtype, data: toFloat32(stored) };
    });
    const again = writeSafetensors(tensors, file.metadata);
    const dataOf = (data: Uint8Array) => data.subarray(8 + Number(new DataView(data.buffer).getBigUint64(0, true)));
    expect(Buffer.compare(dataOf(again), dataOf(bytes))).toBe(0);
    expect(readSafetensors(again).metadata).toEqual(file.metadata);
  });

  it("holds the TensorFlow.js shards' numbers, bit for bit, where it was made from them", () => {
    const { tensors } = readSafetensors(shared("derived", "mobilenet_v1_0.25_224_unfolded.safetensors"));
    const folder = ["weights", "tfjs_layers_0.25_224"];
    const model = JSON.parse(new TextDecoder().decode(shared(...folder, "model.json"))) as {
      weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[];
    };
    let compared = 0;
    for (const { paths, weights } of model.weightsManifest) {
      const group = Buffer.concat(paths.map((path) => shared(...folder, path)));
      let at = 0;
      for (const { name, shape } of weights) {
        const end = at + 4 * product(shape);
        const stored = tensors.get(name);
        expect(stored?.shape, name).toEqual(shape);
        expect(Buffer.compare(group.subarray(at, end), stored?.bytes ?? new Uint8Array(0)), name).toBe(0);
        at = end;
        compared++;
      }
    }
    expect(compared).toBe(tensors.size);
  });
});

describeShared("recognise on files as others published them", () => {
  it.each([
    ["mobilenet_v1_0.25_128_quant.tflite", "TFLite flatbuffer"],
    ["vww_96_int8.tflite", "TFLite flatbuffer"],
    ["mobilenet_v1_0.25_128_frozen_graph.pb", "protobuf (ONNX or TensorFlow)"],
    ["mobilenet_2_5_224_tf_no_top.h5", "HDF5"],
    ["vww_96.h5", "HDF5"],
    ["mobilenetV1X0.25_pretrain.tar", "pickle"],
    ["mobilenetv3sm_Final.pth", "zip (PyTorch or Keras 3)"],
    ["tfjs_layers_0.25_224/model.json", "JSON"],
    ["imagenet_labels_1001.txt", "plain text"],
  ])("%s is: %s", (file, kind) => {
    expect(recognise(shared("weights", file))).toBe(kind);
  });

  it("the derived ONNX file is protobuf, the derived safetensors are safetensors", () => {
    expect(recognise(shared("derived", "mobilenet_v1_0.25_224_first100.onnx"))).toBe("protobuf (ONNX or TensorFlow)");
    for (const { file } of CASES) expect(recognise(shared("derived", file))).toBe("safetensors");
  });
});
