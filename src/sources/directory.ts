/** The model in a directory. Loaded in Node alone. */

import { DepthwiseError } from "../core/errors.ts";
import { chooseHead } from "./head-file.ts";

/**
 * The path of the one model in a directory.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, listing what is there; `FILE_UNREADABLE`
 */
export async function headOf(directory: string): Promise<string> {
  const names = await namesIn(directory);
  return process.getBuiltinModule("node:path").join(directory, names[chooseHead(directory, names)] ?? "");
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await process
      .getBuiltinModule("node:fs/promises")
      .readdir(directory, { withFileTypes: true, encoding: "utf8" });
    // Links count as files: a clone of the Hugging Face cache consists of them.
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${directory}: the directory cannot be listed`,
      advice: "Check that you may read it.",
      fields: { path: directory },
      cause,
    });
  }
}
