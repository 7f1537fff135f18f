/** The pictures of a folder as a list, in an order that is the same on every machine. */

import { DepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { IMAGE_NAME } from "../images/image-name.ts";
import { writeListing } from "./listing.ts";

/**
 * Writes a listing: a JSON line `{ "path" }` for each picture in the folder and those within it, sorted by code units,
 * folder by folder; written whole or not at all.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` (also if there is no picture); `signal.reason`
 */
export async function listFolder(folder: string, listing: string, signal?: AbortSignal): Promise<void> {
  const none = () =>
    new DepthwiseError("FILE_UNREADABLE", {
      what: `${folder}: a folder in which there are no image files`,
      advice: "Pass a folder with .jpg, .png, .webp, .gif, .avif or .tif files, or a list of them.",
      fields: { folder },
    });
  await writeListing(listing, rowsOf(folder), none, signal);
}

async function* rowsOf(folder: string) {
  for await (const path of picturesIn(folder, "")) yield { path };
}

/** Links to pictures count, links to folders do not: they may go in a circle. */
async function* picturesIn(folder: string, within: string): AsyncGenerator<string, void, undefined> {
  const { readdir, stat } = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const here = join(folder, within);
  const entries = await readdir(here, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${here}: the folder cannot be read (${systemCode(cause) ?? cause})`,
      advice: "Give yourself the right to read it, or pass a list of pictures.",
      fields: { folder: here },
      cause,
    });
  });
  const folders: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) folders.push(entry.name);
    else if (IMAGE_NAME.test(entry.name)) {
      const isFile = entry.isFile() || (await stat(join(here, entry.name)).catch(() => undefined))?.isFile() === true;
      if (isFile) yield within + entry.name;
    }
  }
  for (const name of folders) yield* picturesIn(folder, `${within}${name}/`);
}
