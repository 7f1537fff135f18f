/** What the system says where a source cannot be read, with a sentence. */

import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";

/**
 * `FILE_NOT_FOUND` for what is not there; else `FILE_UNREADABLE`: the network or the disk may be better the next time.
 *
 * @param what   in the message, after the path: "the list"
 * @param advice a sentence
 */
export function sourceFault(path: string, what: string, advice: string, cause: unknown): DepthwiseError {
  if (isDepthwiseError(cause)) return cause;
  const code = systemCode(cause);
  const isMissing = code === "ENOENT";
  return new DepthwiseError(isMissing ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", {
    what: `${path}: ${what} ${isMissing ? "is not there" : `cannot be read (${code ?? cause})`}`,
    advice,
    fields: { path },
    cause,
  });
}
