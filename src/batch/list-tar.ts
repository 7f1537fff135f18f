/** The pictures of a tar as a list, with the places where they lie. */

import { DepthwiseError } from "../core/errors.ts";
import { IMAGE_NAME } from "../images/image-name.ts";
import { FileWindow } from "./file-window.ts";
import { writeListing } from "./listing.ts";
import { sourceFault } from "./source-fault.ts";
import { tarEntries } from "./tar-entries.ts";

/**
 * Writes a listing: a JSON line `{ "path", "offset", "size" }` for each picture, in the order in which they lie in the
 * archive; `{ "path", "sparse": true }` for one that is stored without its holes. Headers are read, pictures are not.
 * Left out are links, what is hidden (also by a folder above it), and what is not called like a picture.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`, `FILE_TOO_LARGE`; `FILE_EMPTY` if there is no picture;
 *         `FILE_UNREADABLE`; `signal.reason`
 */
export async function listTar(path: string, listing: string, signal?: AbortSignal): Promise<void> {
  const none = () =>
    new DepthwiseError("FILE_EMPTY", {
      what: `${path}: a tar in which there are no image files`,
      advice: "Pass one with .jpg, .png, .webp, .gif, .avif or .tif files.",
      fields: { source: path },
    });
  await writeListing(listing, picturesIn(path, signal), none, signal);
}

async function* picturesIn(path: string, signal: AbortSignal | undefined) {
  const file = await process.getBuiltinModule("node:fs/promises").open(path, "r");
  try {
    const { size: bytes } = await file.stat();
    const archive = { name: path, size: bytes, window: new FileWindow(file) };
    for await (const entry of tarEntries(archive, signal)) {
      if (!isPicture(entry.path)) continue;
      const { offset, size, isSparse } = entry;
      yield isSparse ? { path: entry.path, sparse: true } : { path: entry.path, offset, size };
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw archiveFault(path, cause);
  } finally {
    await file.close();
  }
}

function isPicture(path: string): boolean {
  const isHidden = path.split("/").some((part) => part.startsWith(".") && part !== "." && part !== "..");
  return !isHidden && IMAGE_NAME.test(path);
}

export function archiveFault(path: string, cause: unknown): DepthwiseError {
  return sourceFault(path, "the archive", "Check that it is there and that you may read it.", cause);
}
