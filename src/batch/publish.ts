/**
 * Gives the files of a part their names, the statistics last: without those the part does not exist. Of two processes that
 * made the same part, at the same time or one after the other, the first has it.
 */

import { hold } from "./hold.ts";
import { type PartStats, STATS } from "./part.ts";
import { readIfThere } from "./read-if-there.ts";
import { type PartPlace, temporaryName } from "./rows.ts";
import { type Staged, StagedFile } from "./staged-file.ts";

/**
 * @returns the statistics that stand now: its own, or those of whoever was first
 * @throws what the system throws; the files without names are gone then
 */
export async function publish(
  place: PartPlace,
  outputs: readonly Staged[],
  stats: PartStats,
  signal?: AbortSignal,
): Promise<PartStats> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const file = `${place.name}${STATS}`;
  const statsFile = await StagedFile.open(place.directory, file, temporaryName(file, place.token));
  const leftOver = [...outputs.map(({ temporary }) => temporary)];
  try {
    await statsFile.write(new TextEncoder().encode(`${JSON.stringify(stats, null, 1)}\n`));
    const staged = await statsFile.finish();
    leftOver.push(staged.temporary);
    const release = await hold(join(place.directory, `.${place.name}.publishing`), place.token, signal);
    try {
      const first = await readStats(place.directory, place.name);
      if (first !== undefined) return first;
      for (const { temporary, file: name } of [...outputs, staged]) {
        await files.rename(temporary, join(place.directory, name));
      }
      return stats;
    } finally {
      await release();
    }
  } finally {
    await statsFile.abandon();
    for (const path of leftOver) await files.rm(path, { force: true }).catch(() => undefined);
  }
}

/** The statistics of a part; undefined if there are none, or what is there are none. */
export async function readStats(directory: string, name: string): Promise<PartStats | undefined> {
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, `${name}${STATS}`);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as PartStats;
    const isWhole = value.version === 1 && Number.isSafeInteger(value.rows) && Array.isArray(value.output);
    return isWhole ? value : undefined;
  } catch {
    return undefined;
  }
}
