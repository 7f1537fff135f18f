/** Where something is to be written, as a caller says it. Asked at the door, before anything is encoded. */

import { nodeFiles } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";

/**
 * The path in Node of a path or a `file:` URL, which may be a string too.
 *
 * @param owner  the function that was called, and `option` its argument
 * @param advice what to do where there are no files
 * @throws {DepthwiseError} `OPTION_INVALID` for another address, or for what is no path; `FILE_UNREADABLE` in a browser
 */
export function placeToWrite(owner: string, option: string, place: unknown, advice: string): string {
  // Addresses are not shown: there may be a password in them.
  const wrong = (found: unknown) => optionError(owner, option, "a path or a file: URL of this machine", found);
  if (!(place instanceof URL) && (typeof place !== "string" || place === "")) throw wrong(place);
  if (nodeFiles() === undefined) {
    throw new DepthwiseError("FILE_UNREADABLE", { what: `${owner}: files cannot be written here`, advice });
  }
  const text = String(place);
  const [scheme] = /^[a-z][a-z\d+.-]*:/i.exec(text) ?? [];
  // "C:\model" is a path, and so is "a:b".
  if (typeof place === "string" && !/^(https?|file):\/\//i.test(text)) return place;
  if (scheme?.toLowerCase() !== "file:") throw wrong(`${scheme} …`);
  try {
    return process.getBuiltinModule("node:url").fileURLToPath(text);
  } catch {
    throw wrong(text);
  }
}
