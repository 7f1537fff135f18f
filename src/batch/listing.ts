/** A listing: a JSON line for each picture of a folder or an archive, written whole or not at all. */

/**
 * Writes a listing under a name of its own, and renames it at the end.
 *
 * @param none what is thrown where there is no row
 * @throws what `rows` throws and the system does; `signal.reason`
 */
export async function writeListing(
  listing: string,
  rows: AsyncIterable<Readonly<Record<string, unknown>>>,
  none: () => Error,
  signal?: AbortSignal,
): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { pipeline } = process.getBuiltinModule("node:stream/promises");
  const temporary = `${listing}.${process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex")}.tmp`;
  const file = await files.open(temporary, "wx");
  let count = 0;
  const lines = async function* () {
    for await (const row of rows) {
      signal?.throwIfAborted();
      count++;
      yield `${JSON.stringify(row)}\n`;
    }
  };
  try {
    await pipeline(lines, file.createWriteStream({ flush: true }));
    if (count === 0) throw none();
    await files.rename(temporary, listing);
  } catch (error) {
    await files.rm(temporary, { force: true });
    throw error;
  }
}
