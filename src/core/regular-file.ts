/** The beginning of a regular file, in Node. */

import { DepthwiseError } from "./errors.ts";

/** What a file begins with, and how many bytes it has. */
export interface FileStart {
  readonly start: Uint8Array;
  readonly size: number;
}

/**
 * At most so many bytes of a file. A pipe, which would be waited for, or a device, which has no end, is none.
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE` for what is no regular file; errors of the system
 */
export async function readStart(path: string, atMost: number): Promise<FileStart> {
  const { constants, promises } = process.getBuiltinModule("node:fs");
  // Not every system has the second flag.
  const file = await promises.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw irregular(path);
    const bytes = new Uint8Array(Math.min(stats.size, atMost));
    let count = 0;
    while (count < bytes.length) {
      const { bytesRead } = await file.read(bytes, count, bytes.length - count);
      if (bytesRead === 0) break;
      count += bytesRead;
    }
    return { start: bytes.subarray(0, count), size: stats.size };
  } finally {
    await file.close();
  }
}

export function irregular(path: string): DepthwiseError {
  return new DepthwiseError("FILE_UNREADABLE", {
    what: `${path}: it is no regular file`,
    advice: "Move what is there, or pass another path.",
    fields: { path },
  });
}
