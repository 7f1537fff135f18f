/** Models on a disk: a file or a directory, and the files beside it. */

import { type NodeStats, readFile, statsOf } from "../core/bytes.ts";
import { ownPart } from "../core/own-part.ts";
import { untilAborted } from "../core/until-aborted.ts";
import type { OpenFile } from "./open-file.ts";
import type { HeadCheck, Opening } from "./opening.ts";
import { HEAD_BYTES } from "./recognise.ts";
import { relativeParts } from "./relative-path.ts";

/**
 * @param path of a file, or of a directory with one model in it
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_TOO_LARGE`
 */
export async function openPath(path: string, opening: Opening): Promise<OpenFile> {
  const stats = await statsOf(path);
  const isDirectory = stats?.isDirectory() === true;
  const head = isDirectory
    ? await (await ownPart("what looks into a directory", () => import("./directory.ts"))).headOf(path)
    : path;
  const bytes = await readPath(head, isDirectory ? await statsOf(head) : stats, opening, opening.checkHead);
  return {
    name: head,
    bytes,
    async sibling(name) {
      const parts = relativeParts(head, name);
      const { dirname, join } = process.getBuiltinModule("node:path");
      const beside = join(dirname(head), ...parts);
      return readPath(beside, await untilAborted(statsOf(beside), opening.settings.signal), opening);
    },
  };
}

async function readPath(
  path: string,
  stats: NodeStats | undefined,
  { budget, settings }: Opening,
  checkHead?: HeadCheck,
): Promise<Uint8Array> {
  // What is no file, `readFile` explains.
  const size = stats?.isFile() ? stats.size : 0;
  budget.take(path, size);
  try {
    const bytes = await readFile(path, {
      maxBytes: Math.max(size, 1),
      signal: settings.signal,
      ...(size > HEAD_BYTES && checkHead && { checkHead: (start: Uint8Array) => checkHead(path, start) }),
    });
    settings.onProgress?.({ file: path, received: bytes.length, total: size, fromCache: false });
    return bytes;
  } catch (cause) {
    budget.giveBack(size);
    throw cause;
  }
}
