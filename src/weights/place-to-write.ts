/** Where something is to be written, as a caller says it. Asked at the door, before anything is encoded. */

import { locatePath } from "../core/address.ts";
import { nodeFiles } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { isURL } from "../core/realms.ts";

/**
 * The path in Node of a path or a `file:` URL, which may be a string too: the same that would be read from.
 *
 * @param owner  the function that was called, and `option` its argument
 * @param advice what to do where there are no files
 * @throws {DepthwiseError} `OPTION_INVALID` for another address, or for what is no path; `FILE_UNREADABLE` in a browser
 */
export function placeToWrite(owner: string, option: string, place: unknown, advice: string): string {
  if (!isURL(place) && (typeof place !== "string" || place === "")) {
    throw optionError(owner, option, "a path or a file: URL of this machine", place);
  }
  if (nodeFiles() === undefined) {
    throw new DepthwiseError("FILE_UNREADABLE", { what: `${owner}: files cannot be written here`, advice });
  }
  return locatePath(place, `${owner}: ${option}`);
}
