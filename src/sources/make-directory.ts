/** Loaded in Node alone. */

import { systemCode } from "../core/realms.ts";

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
