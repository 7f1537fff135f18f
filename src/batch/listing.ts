/** A listing: a JSON line for each picture of a folder or an archive. It has no name until it is whole. */

import { orUnwritable } from "../weights/write-file.ts";

/** Of the listing that lies with the parts. */
export const LISTING = "input.jsonl";

/** What a listing is called until it is whole: no other process calls its own so. */
export function unnamedListing(): string {
  return `.${LISTING}.${process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex")}.tmp`;
}

/**
 * Writes a listing to a file that is not there; what fails or is aborted leaves nothing.
 *
 * @param none what is thrown where there is no row
 * @throws {DepthwiseError} `FILE_UNREADABLE` if it cannot be written; what `rows` throws; `signal.reason`
 */
export async function writeListing(
  listing: string,
  rows: AsyncIterable<Readonly<Record<string, unknown>>>,
  none: () => Error,
  signal?: AbortSignal,
): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { pipeline } = process.getBuiltinModule("node:stream/promises");
  let count = 0;
  const lines = async function* () {
    for await (const row of rows) {
      signal?.throwIfAborted();
      count++;
      yield `${JSON.stringify(row)}\n`;
    }
  };
  await orUnwritable(listing, "the listing of the pictures", signal, async () => {
    const file = await files.open(listing, "wx");
    try {
      await pipeline(lines, file.createWriteStream({ flush: true }));
      if (count === 0) throw none();
    } catch (error) {
      await files.rm(listing, { force: true });
      throw error;
    }
  });
}
