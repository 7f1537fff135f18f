/**
 * State dicts and checkpoints of PyTorch: the zip form since 1.6, and the row of pickles before.
 *
 *     PREFIX/data.pkl      the object, a pickle; its tensors refer to storages by key
 *     PREFIX/data/KEY      the elements of a storage
 *     PREFIX/byteorder     "little" or "big"; little if it is not there
 *
 * Source: PyTorch's `torch/serialization.py` and `caffe2/serialize/inline_container.h`.
 */

import { damaged, fileError, quoted } from "../../core/file-error.ts";
import { latin1 } from "../../core/latin1.ts";
import { budgetOf } from "../../sources/decoded-budget.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import type { FormatReader, ModelFile, ReadContext } from "../model-file.ts";
import type { ZipEntry } from "../zip/zip.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { readOldForm } from "./old.ts";
import { unpickle } from "./pickle.ts";
import type { PickleValue } from "./pickle-values.ts";
import { type Storages, tensorReader } from "./tensor.ts";

const OBJECT = /^(?:[^/]*\/)?data\.pkl$/;

/**
 * The form before PyTorch 1.6.
 *
 * @throws {DepthwiseError} `FORMAT_UNKNOWN`, `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`
 */
export const read: FormatReader = async (file, given) => {
  const context = { ...given, budget: budgetOf(given) };
  if (isTar(file.bytes)) {
    const advice = "Load it with PyTorch and save model.state_dict() again.";
    throw fileError("FORMAT_UNKNOWN", file.name, "", advice, {
      expected: "a file of PyTorch 0.2 or later",
      found: "a tar archive, PyTorch's first form",
    });
  }
  const { root, storages } = readOldForm(file, context);
  return modelFile("PyTorch (before 1.6)", root, storages, file, context);
};

/** Whether a zip archive is one of `torch.save`, or of TorchScript. */
export function isTorchArchive(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return [...entries.keys()].some((name) => OBJECT.test(name));
}

/**
 * The zip form. TorchScript is read if it holds nothing but tensors, and refused by name otherwise.
 *
 * @param entries as `openZip` lists them
 * @throws {DepthwiseError} `FORMAT_UNKNOWN`, `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`
 */
export async function readTorchArchive(
  entries: ReadonlyMap<string, ZipEntry>,
  file: OpenFile,
  given: ReadContext,
): Promise<ModelFile> {
  const context = { ...given, budget: budgetOf(given) };
  const [object, second] = [...entries.values()].filter(({ name }) => OBJECT.test(name));
  if (object === undefined || second !== undefined) {
    const found = object === undefined ? "none" : "several";
    throw damaged(file.name, "the archive's data.pkl", { expected: "one", found });
  }
  const prefix = object.name.slice(0, -"data.pkl".length);
  const { value } = unpickle(object.read(), { ...context, file: file.name });
  const isScript = [...entries.keys()].some((name) => name.startsWith(`${prefix}code/`));
  const unpacked = new Map<string, Uint8Array>();
  const storages: Storages = {
    bytes(key) {
      const entry = entries.get(`${prefix}data/${key}`);
      // Tensors may share a storage: it is unpacked and checked once.
      const bytes = unpacked.get(key) ?? entry?.read();
      if (bytes !== undefined) unpacked.set(key, bytes);
      return bytes;
    },
    isBigEndian: isBigEndian(entries.get(`${prefix}byteorder`), file.name),
  };
  return modelFile(isScript ? "TorchScript" : "PyTorch", value, storages, file, context);
}

function isBigEndian(entry: ZipEntry | undefined, file: string): boolean {
  const order = entry === undefined ? "little" : latin1(entry.read().subarray(0, 20)).trim();
  if (order === "little" || order === "big") return order === "big";
  throw damaged(file, "byteorder", { expected: "little or big", found: quoted(order) });
}

function modelFile(
  format: string,
  root: PickleValue,
  storages: Storages,
  file: OpenFile,
  { signal, ...limits }: ReadContext,
): ModelFile {
  signal?.throwIfAborted();
  const { tensors, remarks } = readCheckpoint(root, tensorReader(storages, file.name, budgetOf(limits)), file.name);
  return { format, content: { kind: "tensors", tensors, isOrdered: true }, facts: {}, remarks };
}

/** A tar archive has this word in its first header. */
function isTar(bytes: Uint8Array): boolean {
  return latin1(bytes.subarray(257, 262)) === "ustar";
}
