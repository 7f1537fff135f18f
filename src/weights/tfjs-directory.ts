/**
 * A layers model in a directory that others may read, and write, at the same time. Loaded in Node alone.
 *
 * A shard is called after its content, so a name never means two things; `model.json` is put in place last, in one
 * step, and names them. Whoever read the one before still finds its shards: a shard goes when no `model.json` has
 * named it for a minute.
 */

import { makeDirectory } from "../sources/directory.ts";
import { orRemove, orUnwritable, removeAbandoned, removeOlder, renameTo, stage, targetOf } from "./write-file.ts";

const SHARD = /^group1-shard\d+of\d+-[0-9a-f]{16}\.bin$/;
const SHARDS_IN_TEXT = /group1-shard\d+of\d+-[0-9a-f]{16}\.bin/g;

const JSON_NAME = "model.json";

/** As long as a reader may take between `model.json` and the last shard. */
const KEPT_MS = 60_000;

/** Of a `model.json`; anything larger is none of ours. */
const MAX_JSON_BYTES = 2 ** 26;

/**
 * @param contents shards by names that follow from their content, and a `model.json` that names them
 * @throws {DepthwiseError} `FILE_UNREADABLE` if something cannot be written; `signal.reason`, until the first shard has
 *         its name
 */
export function writeTfjs(
  directory: string,
  contents: ReadonlyMap<string, Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { dirname, join } = process.getBuiltinModule("node:path");
  const toPath = (name: string) => join(directory, name);
  const shards = [...contents].filter(([name]) => name !== JSON_NAME);
  return orUnwritable(directory, "the model", signal, async () => {
    await makeDirectory(directory);
    const target = await targetOf(toPath(JSON_NAME), "Pass another directory, or take the files from encodeTfjs.");
    const staged: string[] = [];
    await orRemove(staged, async () => {
      for (const [, bytes] of shards) staged.push(await stage(directory, bytes, { signal }));
      const text = contents.get(JSON_NAME) ?? new Uint8Array();
      const json = await stage(dirname(target.path), text, { mode: target.mode, signal });
      staged.push(json);
      const now = (await files.stat(json)).mtimeMs;
      const before = await namedBy(target.path);
      // Their minute begins now: they may have been written long ago.
      for (const path of [...staged, ...before.map(toPath)]) await touch(path, now);
      for (const [index, [name]] of shards.entries()) await renameTo(staged[index] ?? "", toPath(name));
      await renameTo(json, target.path);
      const kept = new Set([...before, ...contents.keys(), ...(await namedBy(target.path))]);
      await removeAbandoned(directory, now);
      await removeOlder(directory, now, KEPT_MS, (name) => SHARD.test(name) && !kept.has(name));
    });
    // Another save may have taken an old file of such a name for one that nobody needs, just before it was replaced.
    for (const [name, bytes] of shards) {
      if ((await files.stat(toPath(name)).catch(() => undefined)) !== undefined) continue;
      const again = await stage(directory, bytes, { signal: undefined });
      await orRemove([again], () => renameTo(again, toPath(name)));
    }
  });
}

/** Shards of ours that a `model.json` names, if there is one. */
async function namedBy(path: string): Promise<readonly string[]> {
  const files = process.getBuiltinModule("node:fs/promises");
  const size = (await files.stat(path).catch(() => undefined))?.size ?? Infinity;
  const text = size > MAX_JSON_BYTES ? "" : await files.readFile(path, "utf8").catch(() => "");
  return [...new Set(text.match(SHARDS_IN_TEXT) ?? [])];
}

async function touch(path: string, timeMs: number): Promise<void> {
  const time = timeMs / 1000;
  await process
    .getBuiltinModule("node:fs/promises")
    .utimes(path, time, time)
    .catch(() => undefined);
}
