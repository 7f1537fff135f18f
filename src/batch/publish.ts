/**
 * Gives the files of a part their names, the statistics last: without those the part does not exist. Of two processes that
 * made the same part, at the same time or one after the other, the first has it.
 */

import { hold } from "./hold.ts";
import { lookAtPart } from "./look-at-part.ts";
import { type PartStats, STATS } from "./part.ts";
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
  const leftOver = [...outputs.map(({ temporary }) => temporary)];
  let statsFile: StagedFile | undefined;
  try {
    statsFile = await StagedFile.open(place.directory, file, temporaryName(file, place.token));
    await statsFile.write(new TextEncoder().encode(`${JSON.stringify(stats, null, 1)}\n`));
    const staged = await statsFile.finish();
    leftOver.push(staged.temporary);
    const release = await hold(join(place.directory, `.${place.name}.publishing`), place.token, signal);
    try {
      const first = await lookAtPart(place.directory, place.name);
      if (first?.isWhole) return first.stats;
      // Of a part that is damaged: what is renamed below is not what those statistics are of.
      await files.rm(join(place.directory, file), { force: true });
      for (const { temporary, file: name } of [...outputs, staged]) {
        await files.rename(temporary, join(place.directory, name));
      }
      return stats;
    } finally {
      await release();
    }
  } finally {
    await statsFile?.abandon();
    for (const path of leftOver) await files.rm(path, { force: true }).catch(() => undefined);
  }
}
