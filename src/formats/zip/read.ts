/** Zip archives: PyTorch's since 1.6, and Keras 3's. */

import { fileError } from "../../core/file-error.ts";
import { ownPart } from "../../core/own-part.ts";
import type { FormatReader } from "../model-file.ts";
import { openZip } from "./zip.ts";

export const read: FormatReader = async (file, context) => {
  const entries = await openZip(file.bytes, file.name, context);
  const names = [...entries.keys()];
  // The readers decide; a look at one name saves the page from fetching both.
  if (entries.has("config.json")) {
    const { isKerasArchive, readKerasArchive } = await ownPart(
      "the reader of Keras 3",
      () => import("../keras/read-zip.ts"),
    );
    if (isKerasArchive(entries)) return readKerasArchive(entries, file, context);
  }
  if (names.some((name) => name.endsWith("data.pkl"))) {
    const { isTorchArchive, readTorchArchive } = await ownPart(
      "the reader of PyTorch",
      () => import("../pytorch/read.ts"),
    );
    if (isTorchArchive(entries)) return readTorchArchive(entries, file, context);
  }
  throw fileError("FORMAT_UNKNOWN", file.name, "", "Unpack it and pass the file inside, or its directory.", {
    expected: "an archive of PyTorch (with data.pkl) or Keras 3 (with config.json)",
    found: names.length === 0 ? "an empty zip archive" : `a zip archive of ${names.slice(0, 4).join(", ")}`,
    fields: { names },
  });
};
