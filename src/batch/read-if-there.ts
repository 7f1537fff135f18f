/** Small files that another process may be about to write. */

import { systemCode } from "../core/realms.ts";

/** The text of a file; undefined if there is none. @throws what the system throws */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await process.getBuiltinModule("node:fs/promises").readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
