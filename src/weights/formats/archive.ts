/** Zip archives: PyTorch's since 1.6, and Keras 3's. */

import { DepthwiseError } from "../../core/errors.ts";
import type { FormatReader } from "../model-file.ts";
import { isKerasArchive, readKerasArchive } from "./keras-zip.ts";
import { isTorchArchive, readTorchArchive } from "./pytorch.ts";
import { openZip } from "./zip.ts";

export const read: FormatReader = async (file, context) => {
  const entries = await openZip(file.bytes, file.name, context);
  if (isKerasArchive(entries)) return readKerasArchive(entries, file, context);
  if (isTorchArchive(entries)) return readTorchArchive(entries, file, context);
  const names = [...entries.keys()];
  throw new DepthwiseError("FORMAT_UNKNOWN", {
    what: file.name,
    expected: "an archive of PyTorch (with data.pkl) or Keras 3 (with config.json)",
    found: names.length === 0 ? "an empty zip archive" : `a zip archive of ${names.slice(0, 4).join(", ")}`,
    advice: "Unpack it and pass the file inside, or its directory. Nothing was loaded.",
    fields: { file: file.name, names },
  });
};
