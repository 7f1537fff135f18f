/**
 * Files written whole or not at all. Loaded in Node alone.
 *
 * The bytes go to a file of its own beside the place, to the disk, and then under the name: a kill or a crash leaves
 * what was there before. Links are followed, so that they stay; what is no plain file is never replaced.
 */

import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { untilAborted } from "../core/until-aborted.ts";

const TEMPORARY = /^\.depthwise-[0-9a-f]{16}\.tmp$/;

/** Nobody takes so long to write one file; whoever began it was killed. */
const ABANDONED_MS = 3_600_000;

/** As many links in a row as Linux follows. */
const MAX_LINKS = 40;

const FULL: readonly unknown[] = ["ENOSPC", "EDQUOT", "EFBIG"];

export interface Writing {
  /** What to do about a place that is no plain file. */
  readonly advice: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a file; what killed processes left in its directory an hour ago is removed.
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE`: it cannot be written, or is no plain file; `signal.reason`: nothing is left
 */
export async function writeFile(path: string, bytes: Uint8Array, { advice, signal }: Writing): Promise<void> {
  const { dirname } = process.getBuiltinModule("node:path");
  await orUnwritable(path, "the file", signal, async () => {
    const target = await targetOf(path, advice);
    const staged = await stage(dirname(target.path), bytes, { mode: target.mode, signal });
    await orRemove([staged], () => renameTo(staged, target.path));
    await removeAbandoned(dirname(target.path), Date.now());
  });
}

/** What a name stands for. */
export interface Target {
  /** The file's own name, behind all links. */
  readonly path: string;
  /** Its permissions, if it is there. */
  readonly mode?: number;
}

/**
 * The plain file that a path names, there or not.
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE` for anything else
 */
export async function targetOf(path: string, advice: string): Promise<Target> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { dirname, isAbsolute, sep } = process.getBuiltinModule("node:path");
  const stats = await files.stat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (stats?.isFile()) return { path: await files.realpath(path), mode: stats.mode & 0o777 };
  if (stats !== undefined) {
    const kind = [
      stats.isDirectory() && "a directory (EISDIR)",
      stats.isFIFO() && "a FIFO",
      stats.isSocket() && "a socket",
      stats.isCharacterDevice() && "a character device",
      stats.isBlockDevice() && "a block device",
    ].find((name) => name !== false);
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${path}: the file cannot be written`,
      expected: "a plain file, or nothing yet",
      found: kind ?? "something else",
      advice,
      fields: { path },
    });
  }
  let place = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const link = await files.readlink(place).catch(() => undefined);
    if (link === undefined) break;
    // Not joined: what ".." means behind a link only the system knows.
    place = isAbsolute(link) ? link : `${await files.realpath(dirname(place))}${sep}${link}`;
  }
  return { path: place };
}

interface Staging {
  readonly mode?: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Writes a file that nobody knows yet, and gives its path. What fails or is aborted leaves nothing. */
export async function stage(directory: string, bytes: Uint8Array, { mode, signal }: Staging): Promise<string> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  signal?.throwIfAborted();
  const id = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
  const path = join(directory, `.depthwise-${id}.tmp`);
  const file = await files.open(path, "wx");
  const write = async () => {
    try {
      // Not every file system knows permissions.
      if (mode !== undefined) await file.chmod(mode).catch(() => undefined);
      await file.writeFile(bytes, signal && { signal });
      await file.datasync();
    } finally {
      await file.close();
    }
  };
  // The file goes at once: a slow disk may keep the rest waiting for longer than the process lives.
  await orRemove([path], () => untilAborted(write(), signal));
  return path;
}

export function renameTo(staged: string, path: string): Promise<void> {
  return process.getBuiltinModule("node:fs/promises").rename(staged, path);
}

/** Does something with files that have no name yet; if it fails, they go. */
export async function orRemove(paths: readonly string[], work: () => Promise<void>): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  try {
    await work();
  } catch (cause) {
    for (const path of paths) await files.rm(path, { force: true }).catch(() => undefined);
    throw cause;
  }
}

/** Removes from a directory what killed processes left. */
export function removeAbandoned(directory: string, now: number): Promise<void> {
  return removeOlder(directory, now, ABANDONED_MS, (name) => TEMPORARY.test(name));
}

/**
 * Removes from a directory the files of some names that are older than so many milliseconds. It is a courtesy: what
 * cannot be removed stays.
 *
 * @param now in milliseconds, by the clock of the disk
 */
export async function removeOlder(
  directory: string,
  now: number,
  ageMs: number,
  isOurs: (name: string) => boolean,
): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  try {
    // One after the other: of parts there may be a million.
    for await (const { name } of await files.opendir(directory)) {
      if (!isOurs(name)) continue;
      const path = join(directory, name);
      const stats = await files.lstat(path).catch(() => undefined);
      if (stats?.isFile() !== true || now - stats.mtimeMs <= ageMs) continue;
      await files.rm(path, { force: true }).catch(() => undefined);
    }
  } catch {
    // A directory that is gone has nothing left.
  }
}

/** Gives errors of the system a sentence; an abort needs none. */
export async function orUnwritable<Result>(
  path: string,
  what: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    signal?.throwIfAborted();
    if (isDepthwiseError(cause)) throw cause;
    const code = systemCode(cause);
    const reason = code === "ELOOP" ? " (ELOOP): its links go in a circle" : code === undefined ? "" : ` (${code})`;
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${path}: ${what} cannot be written${reason}`,
      advice: FULL.includes(code)
        ? "Make room for it. What was there is untouched."
        : code === "EEXIST" || code === "ENOTDIR"
          ? "A file is in the way, where a directory is needed: pass another path, or move the file."
          : "Check that the directory exists and that you may write there.",
      fields: { path },
      cause,
    });
  }
}
