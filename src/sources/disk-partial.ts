/**
 * Unfinished downloads on disk. Loaded in Node alone.
 *
 * One file: a line of JSON that says what it is a part of, then the bytes as they came. It is only ever appended to,
 * by the process in its name, so whatever a kill leaves is a beginning of the file. A process that comes later takes
 * it over by renaming it, which one of several does.
 */

import { objectIn } from "../core/json.ts";
import type { PartialFile, PartialSource } from "./cache.ts";
import { freeName, isAbandoned, isPartOf, isTemporaryName, MODES, ownName } from "./disk-names.ts";
import { isSendable } from "./headers.ts";
import { makeDirectory } from "./make-directory.ts";

/** Longer lines are not ours. */
const HEADER_BYTES = 65_536;

/** How long what was left of a file that nobody asks for again is kept: a week. */
const KEPT_MS = 7 * 86_400_000;

export async function openPartial(directory: string, key: string): Promise<PartialFile> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, ownName(key, "part"));
  const found = await adopt(directory, key, path);
  let handle: { appendFile(data: Uint8Array | string): Promise<void>; close(): Promise<void> } | undefined;
  let isThere = found !== undefined;
  let isEmpty = found === undefined || found.size === 0;
  const close = async () => {
    const open = handle;
    handle = undefined;
    await open?.close();
  };
  let last: Promise<unknown> = Promise.resolve();
  /** After an abort nobody waits for what is under way, but it is not overtaken. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
  const begin = async (source: PartialSource) => {
    await close();
    await makeDirectory(directory, MODES.directory);
    isThere = true;
    isEmpty = true;
    handle = await files.open(path, "w", MODES.file);
    await handle.appendFile(`${JSON.stringify(source)}\n`);
  };
  const append = async (bytes: Uint8Array) => {
    handle ??= await files.open(path, "a");
    isEmpty = false;
    await handle.appendFile(bytes);
  };
  const leave = async () => {
    if (isEmpty) return drop();
    await close();
    if (isThere) await files.rename(path, join(directory, freeName(key)));
    isThere = false;
  };
  const drop = async () => {
    await close();
    if (isThere) await files.rm(path, { force: true });
    isThere = false;
  };
  return {
    left: found && { source: found.source, size: found.size, load: () => loadFrom(path, found.start) },
    begin: (source) => inTurn(() => begin(source)),
    append: (bytes) => inTurn(() => append(bytes)),
    leave: () => inTurn(leave),
    drop: () => inTurn(drop),
  };
}

interface Found {
  readonly source: PartialSource;
  /** Where the bytes begin, and how many there are. */
  readonly start: number;
  readonly size: number;
}

/** Renames the largest abandoned part of the file to `path`; its others, and old ones of other files, are removed. */
async function adopt(directory: string, key: string, path: string): Promise<Found | undefined> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const names = await files.readdir(directory).catch(() => []);
  const parts: { readonly from: string; readonly size: number }[] = [];
  for (const name of names.filter(isTemporaryName)) {
    const from = join(directory, name);
    const stats = await files.stat(from).catch(() => undefined);
    if (!stats?.isFile() || !isAbandoned(name, stats.mtimeMs)) continue;
    if (!isPartOf(key, name)) {
      // Whoever takes it over meanwhile has renamed it.
      if (Date.now() - stats.mtimeMs > KEPT_MS) await files.rm(from, { force: true }).catch(() => {});
      continue;
    }
    // After a crash of the whole machine a file can have its length but not its bytes.
    if (stats.mtimeMs < startOfMachine()) await files.rm(from, { force: true });
    else parts.push({ from, size: stats.size });
  }
  let found: Found | undefined;
  for (const { from, size } of parts.sort((a, b) => b.size - a.size)) {
    if (found !== undefined) {
      await files.rm(from, { force: true });
      continue;
    }
    // Before it has a name that says that somebody writes to it: from then on it must not look old.
    await touch(from);
    const isMine = await files.rename(from, path).then(
      () => true,
      () => false,
    );
    if (isMine) found = await readHeader(path, size);
  }
  return found;
}

async function touch(path: string): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const now = new Date();
  await files.utimes(path, now, now).catch(() => {});
  // One that a former version made is readable for all.
  await files.chmod(path, MODES.file).catch(() => {});
}

function startOfMachine(): number {
  return Date.now() - process.getBuiltinModule("node:os").uptime() * 1000;
}

/** What the file is a part of; one that does not say is removed. */
async function readHeader(path: string, fileSize: number): Promise<Found | undefined> {
  const files = process.getBuiltinModule("node:fs/promises");
  const file = await files.open(path, "r");
  try {
    const head = new Uint8Array(Math.min(HEADER_BYTES, fileSize));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const end = head.subarray(0, bytesRead).indexOf(0x0a);
    const source = end === -1 ? undefined : parseSource(new TextDecoder().decode(head.subarray(0, end)));
    if (source !== undefined) {
      // Never whole: the last byte is what the server is asked for, and so whether the file is still the same.
      const size = Math.min(fileSize - end - 1, Math.max((source.total ?? Infinity) - 1, 0));
      await files.truncate(path, end + 1 + size);
      return { source, start: end + 1, size };
    }
  } finally {
    await file.close();
  }
  await files.rm(path, { force: true });
  return undefined;
}

function parseSource(text: string): PartialSource | undefined {
  const { address, validator, etag, total } = objectIn(text) ?? {};
  if (typeof address !== "string" || typeof validator !== "string" || !isSendable(validator)) return undefined;
  if (etag !== undefined && typeof etag !== "string") return undefined;
  if (total !== undefined && !(typeof total === "number" && Number.isSafeInteger(total))) return undefined;
  return { address, validator, etag, total };
}

async function loadFrom(path: string, start: number): Promise<Uint8Array | undefined> {
  const whole = await process
    .getBuiltinModule("node:fs/promises")
    .readFile(path)
    .catch(() => undefined);
  return whole?.subarray(start);
}
