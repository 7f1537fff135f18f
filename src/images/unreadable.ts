/** The error of an image that cannot be read, the same for every decoder. */

import { DepthwiseError } from "../core/errors.ts";

/** @param found what stands there instead of a sound image */
export function unreadable(name: string, found: string, advice: string, cause?: unknown): DepthwiseError {
  return new DepthwiseError("IMAGE_UNREADABLE", {
    what: name,
    expected: "an image",
    found,
    advice,
    fields: { file: name },
    cause,
  });
}
