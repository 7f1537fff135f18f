/** Whether an error is of one image: anything else is wrong with all of them, or with the call. */

import { type DepthwiseError, type ErrorCode, isDepthwiseError } from "../core/errors.ts";

const OF_IMAGE: readonly ErrorCode[] = [
  ...(["IMAGE_UNREADABLE", "IMAGE_TOO_LARGE", "FILE_NOT_FOUND", "FILE_UNREADABLE", "FILE_EMPTY"] as const),
  ...(["FILE_TRUNCATED", "FILE_CORRUPT", "FILE_TOO_LARGE"] as const),
];

export function isImageFault(error: unknown): error is DepthwiseError {
  return isDepthwiseError(error) && OF_IMAGE.includes(error.code);
}
