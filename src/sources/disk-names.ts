/** The cache's directory and the names in it. Loaded in Node alone. */

import { systemCode } from "../core/realms.ts";

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
