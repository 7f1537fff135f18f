/** What killed processes left in a directory of parts. */

import { removeOlder } from "../weights/write-file.ts";

/**
 * A file that is being written may stay as it is for hours: rows are gathered before the disk is asked, and a picture of a
 * slow server takes half a minute.
 */
const ABANDONED_MS = 24 * 3_600_000;

/** Files without a name yet, and those that say who is at something. */
const OURS = [/^\..+[.-][0-9a-f]{16}\.tmp$/, /^\..+\.(publishing|making)(-guard)?$/];

/**
 * Removes what was left a day ago and more. It is a courtesy: what cannot be removed stays.
 *
 * @param written a file that was written just now: the clock of the disk may not be this machine's
 * @param isOurs  of a directory that is not the run's own
 */
export async function removeLeftOvers(
  directory: string,
  written: string,
  isOurs = (name: string) => OURS.some((pattern) => pattern.test(name)),
): Promise<void> {
  const { stat } = process.getBuiltinModule("node:fs/promises");
  const stats = await stat(written).catch(() => undefined);
  if (stats !== undefined) await removeOlder(directory, stats.mtimeMs, ABANDONED_MS, isOurs);
}
