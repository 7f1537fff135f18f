/** Which reader reads which kind of file. A new format is one file in `formats/` and one row here. */

import { fileError } from "../core/file-error.ts";
import { ownPart } from "../core/own-part.ts";
import type { OpenFile } from "../sources/open-file.ts";
import { describeKind, type FileKind, recognise, START_BYTES } from "../sources/recognise.ts";
import type { FormatReader, ModelFile, ReadContext } from "./model-file.ts";
import { read as readSafetensorsModel } from "./safetensors/read.ts";

/** Readers other than the library's own format are loaded when the first file of their kind is met. */
const READERS: { readonly [Kind in FileKind]?: () => Promise<{ readonly read: FormatReader }> } = {
  safetensors: async () => ({ read: readSafetensorsModel }),
  HDF5: () => import("./keras/read-hdf5.ts"),
  "zip (PyTorch or Keras 3)": () => import("./zip/read.ts"),
  pickle: () => import("./pytorch/read.ts"),
  "TFLite flatbuffer": () => import("./tflite/read.ts"),
  "protobuf (ONNX or TensorFlow)": () => import("./protobuf/read.ts"),
  JSON: () => import("./tfjs/read.ts"),
};

/**
 * Reads a file by what it is, not by what it is called.
 *
 * @throws {DepthwiseError} `FILE_EMPTY`; `FORMAT_UNKNOWN`, saying what the file is; whatever its reader throws
 */
export async function readModelFile(file: OpenFile, context: ReadContext): Promise<ModelFile> {
  checkNotEmpty(file.name, file.bytes);
  const kind = recognise(file.bytes);
  const { read } = await ownPart(`the reader of ${kind}`, readerOf(file.name, kind));
  context.signal?.throwIfAborted();
  return read(file, context);
}

/**
 * Looks at the first `START_BYTES` of a file, so that the rest of what nobody reads is not waited for; fewer are a whole.
 *
 * @throws {DepthwiseError} `FILE_EMPTY`, `FORMAT_UNKNOWN`, if `readModelFile` would say so of the whole
 */
export function checkStart(name: string, start: Uint8Array): void {
  checkNotEmpty(name, start);
  readerOf(name, recognise(start, start.length < START_BYTES));
}

function checkNotEmpty(name: string, bytes: Uint8Array): void {
  if (bytes.length === 0) throw fileError("FILE_EMPTY", name, "the file is empty", "Fetch it again.");
}

function readerOf(name: string, kind: FileKind): NonNullable<(typeof READERS)[FileKind]> {
  const load = READERS[kind];
  if (load !== undefined) return load;
  const { phrase, advice } = describeKind(kind);
  const facts = { expected: "a file of weights", found: phrase, fields: { kind } };
  throw fileError("FORMAT_UNKNOWN", name, "", advice, facts);
}
