/**
 * The cache's files on disk: where they are, what they are called, and unfinished downloads among them. Loaded in Node
 * alone.
 *
 * An unfinished download is one file: a line of JSON that says what it is a part of, then the bytes as they came. It is
 * only ever appended to, by the process in its name, so whatever a kill leaves is a beginning of the file. A process
 * that comes later takes it over by renaming it, which one of several does.
 */

import { objectIn } from "../core/json.ts";
import { systemCode } from "../core/realms.ts";
import type { PartialFile, PartialSource } from "./cache.ts";
import { makeDirectory } from "./directory.ts";
import { isSendable } from "./options.ts";

/**
 * Which directory the cache is in: `$DEPTHWISE_CACHE`, `$XDG_CACHE_HOME/depthwise`, or where the system keeps caches.
 *
 * @param home the user's directory
 */
export function cacheDirectory(
  environment: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string,
): string {
  const { join, isAbsolute } = process.getBuiltinModule("node:path");
  const { DEPTHWISE_CACHE: own, XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (own) return own;
  // Relative ones are to be ignored, says the specification of XDG.
  if (xdg && isAbsolute(xdg)) return join(xdg, "depthwise");
  if (platform === "win32") return join(local || join(home, "AppData", "Local"), "depthwise", "Cache");
  if (platform === "darwin") return join(home, "Library", "Caches", "depthwise");
  return join(home, ".cache", "depthwise");
}

/** Permissions of what is made: addresses stand in it with their queries, which may be secrets. */
export const MODES = { file: 0o600, directory: 0o700 } as const;

/** The name of an entry: `KEY.bin` holds its bytes, `KEY.json` what is known of them. */
export function keyOf(url: string): string {
  return sha256(url);
}

const ENTRY = /^[0-9a-f]{64}\.(bin|json)$/;
const TEMPORARY = /^([0-9a-f]{64})\.([0-9a-f]{8}|free)-(\d+)-[0-9a-f]{12}\.(tmp|part)$/;

export function isEntryName(name: string): boolean {
  return ENTRY.test(name);
}

export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** A name that no other process uses, with its machine and process in it: `KEY.MACHINE-PROCESS-RANDOM.part`. */
export function ownName(key: string, kind: "tmp" | "part"): string {
  return `${key}.${machine()}-${process.pid}-${unique()}.${kind}`;
}

/** A name that says that nobody writes to the file any more. */
export function freeName(key: string): string {
  return `${key}.free-0-${unique()}.part`;
}

export function isPartOf(key: string, name: string): boolean {
  return TEMPORARY.exec(name)?.[1] === key && name.endsWith(".part");
}

const DAY_MS = 86_400_000;

/** Whether the process that a temporary file belongs to is gone: for certain on this machine, after a day elsewhere. */
export function isAbandoned(name: string, changedMs: number): boolean {
  const [, , owner, id = ""] = TEMPORARY.exec(name) ?? [];
  if (owner === undefined) return false;
  return owner === "free" || Date.now() - changedMs > DAY_MS || (owner === machine() && !isRunning(Number(id)));
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (cause) {
    // Anything else says that it is there, but another user's.
    return systemCode(cause) !== "ESRCH";
  }
}

/** A directory may be shared over a network, where numbers of processes say nothing about another machine's. */
function machine(): string {
  return sha256(process.getBuiltinModule("node:os").hostname()).slice(0, 8);
}

function unique(): string {
  return process.getBuiltinModule("node:crypto").randomBytes(6).toString("hex");
}

function sha256(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
}

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
    const header = new Uint8Array(Math.min(HEADER_BYTES, fileSize));
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    const end = header.subarray(0, bytesRead).indexOf(0x0a);
    const source = end === -1 ? undefined : parseSource(new TextDecoder().decode(header.subarray(0, end)));
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
