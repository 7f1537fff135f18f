/** Directories: the model in one, and making one. Loaded in Node alone. */

import { DepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { chooseMain } from "./model-files.ts";

/**
 * The path of the one model in a directory.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, listing what is there; `FILE_UNREADABLE`
 */
export async function mainIn(directory: string): Promise<string> {
  const names = await namesIn(directory);
  return process.getBuiltinModule("node:path").join(directory, names[chooseMain(directory, names)] ?? "");
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

/**
 * Makes a directory and the parents that are missing, one by one: Node's own `recursive` never returns where the system
 * says of a name under a directory that there is no such directory, as under `/proc`.
 *
 * @param mode of what is made, for those who may use it; default everybody's, less what the process hides
 * @throws the system's error, `EEXIST` or `ENOTDIR` if something else is in the way
 */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  const { dirname } = process.getBuiltinModule("node:path");
  const missing: string[] = [];
  for (let at = path; !(await isMade(at, mode)); at = dirname(at)) missing.unshift(at);
  for (const at of missing) {
    // Its parent is there now; if another process has removed it, so be it.
    if (!(await isMade(at, mode))) await process.getBuiltinModule("node:fs/promises").mkdir(at, { mode });
  }
}

/** Whether the directory is there now; false if its parent is missing. */
async function isMade(path: string, mode: number | undefined): Promise<boolean> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { dirname } = process.getBuiltinModule("node:path");
  try {
    await files.mkdir(path, { mode });
    return true;
  } catch (cause) {
    if (systemCode(cause) === "ENOENT" && dirname(path) !== path) return false;
    // Another process may just have made it; and what cannot be made may be there, as on a disk that is read only.
    const stats = await files.stat(path).catch(() => undefined);
    if (stats?.isDirectory()) return true;
    throw cause;
  }
}
