/** One small network in every format, as the tests' writers write it: all give the same logits. */

import { encodeModel } from "../../src/weights/save-model.ts";
import { sample, unsaid } from "../fixtures/sample-networks.ts";
import { frozenGraph, tfjsGraphModel } from "../writers/as-graph-def.ts";
import { kerasArchive, kerasLayers, kerasWholeH5, tfjsLayers } from "../writers/as-keras.ts";
import { onnxFile } from "../writers/as-onnx.ts";
import { namedTensors, TORCH_FORMS } from "../writers/as-tensors.ts";
import { tfliteFile } from "../writers/as-tflite.ts";
import type { LoadRequest } from "./readers-page.ts";

export const SIZE = 32;

/** Without batch norm, which TFLite has no word for: so each file holds the same numbers. */
const NETWORK = sample("folded", { alpha: 0.125, resolution: SIZE, classes: 5, batchNorm: false }, 7);

export interface NetworkFile {
  readonly format: string;
  /** One, or model.json and its shard. */
  readonly files: readonly File[];
  /** What the file does not say. */
  readonly options?: NonNullable<LoadRequest["options"]>;
}

const named = (name: string, bytes: Uint8Array) => [new File([new Uint8Array(bytes)], name)];

/** A bare state dict. */
function torch(format: string, form: string): NetworkFile {
  const encode = TORCH_FORMS[form];
  if (encode === undefined) throw new Error(`There is no form ${form}.`);
  const tensors = namedTensors(NETWORK, "PyTorch conv_bn and conv_dw");
  return { format, files: named("model.pth", encode(tensors)), options: unsaid(NETWORK) };
}

export async function networkFiles(): Promise<readonly NetworkFile[]> {
  const layers = kerasLayers(NETWORK);
  const graph = { normalization: "folded" } as const;
  return [
    { format: "safetensors", files: named("model.safetensors", encodeModel(NETWORK.model)) },
    { format: "TFLite", files: named("model.tflite", tfliteFile(NETWORK, "float32")) },
    { format: "ONNX", files: named("model.onnx", onnxFile(NETWORK)) },
    { format: "frozen graph", files: named("model.pb", frozenGraph(NETWORK, graph)) },
    { format: "Keras HDF5", files: named("model.h5", await kerasWholeH5(layers)) },
    { format: "Keras 3 archive", files: named("model.keras", await kerasArchive(layers)) },
    torch("PyTorch, zip", "zip, state dict"),
    torch("PyTorch, old pickle", "before 1.6, module. prefix"),
    { format: "tfjs layers model", files: tfjsLayers(layers) },
    { format: "tfjs graph model", files: tfjsGraphModel(NETWORK, graph) },
  ];
}
