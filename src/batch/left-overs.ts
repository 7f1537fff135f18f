/** What killed processes left in a directory of parts. */

import { removeAbandoned } from "../weights/write-file.ts";

/** Files without a name yet, and those that say who is at something. */
const OURS = [/^\..+[.-][0-9a-f]{16}\.tmp$/, /^\..+\.(publishing|making)(-guard)?$/];

/**
 * Removes what was left an hour ago and more. It is a courtesy: what cannot be removed stays.
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
  if (stats !== undefined) await removeAbandoned(directory, stats.mtimeMs, isOurs);
}
