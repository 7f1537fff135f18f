/**
 * One run at a time in a directory: the file `.depthwise-lock` says which process has it. A second run is refused, since
 * waiting for hours looks like hanging. What a killed process left is taken over: on the same machine when there is no such
 * process any more, of another machine when the file, which is touched all the time, is old.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { isObject } from "../../core/json.ts";
import { systemCode } from "../../core/realms.ts";
import { irregular, readStart } from "../../core/regular-file.ts";

const NAME = ".depthwise-lock";
const TOUCH_MS = 20_000;
const OLD_MS = 120_000;
/** So long a file may be empty: whoever made it is about to write into it. */
const EMPTY_MS = 2_000;
const WAIT_MS = 20;
/** A holder takes some hundred. */
const MOST_BYTES = 4096;

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system counts it: a number may be used again. */
  readonly started?: string;
}

/** Locks of this thread. */
const held = /* @__PURE__ */ new Set<string>();

/**
 * @returns gives it free
 * @throws {DepthwiseError} `CHECKPOINT_IN_USE`; errors of the system
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, NAME);
  const own = await ownHolder();
  const text = JSON.stringify(own);
  while (!(await isMade(path, text))) {
    const holder = await holderOf(path, own);
    if (holder === "gone") continue;
    if (holder === "nobody") await takeAway(path, own);
    else if (holder === "unknown yet") await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    else throw inUse(directory, path, holder);
  }
  held.add(own.id);
  const touch = setInterval(() => {
    const now = new Date();
    files.utimes(path, now, now).catch(() => undefined);
  }, TOUCH_MS);
  touch.unref();
  return async () => {
    clearInterval(touch);
    held.delete(own.id);
    const found = await files.readFile(path, "utf8").catch(() => undefined);
    if (found === text) await files.rm(path, { force: true }).catch(() => undefined);
  };
}

/** Makes a file that is not there; on a full disk none. */
async function isMade(path: string, text: string): Promise<boolean> {
  const files = process.getBuiltinModule("node:fs/promises");
  const file = await files.open(path, "wx").catch((error: unknown) => {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(text);
  } catch (error) {
    await files.rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return true;
}

async function holderOf(path: string, own: Holder): Promise<Holder | "gone" | "nobody" | "unknown yet"> {
  const stats = await statsAt(path);
  if (stats === undefined) return "gone";
  if (!stats.isFile()) throw irregular(path);
  const file = await orAbsent(readStart(path, MOST_BYTES));
  if (file === undefined) return "gone";
  const age = Date.now() - stats.mtimeMs;
  const text = new TextDecoder().decode(file.start);
  if (text === "") return isYoung(age) ? "unknown yet" : "nobody";
  const holder = holderIn(text);
  return holder !== undefined && (await isAlive(holder, own, age)) ? holder : "nobody";
}

/** Of the entry itself: a link that leads nowhere is there too. */
function statsAt(path: string) {
  return orAbsent(process.getBuiltinModule("node:fs/promises").lstat(path));
}

/** Undefined for what is not there; what cannot be read is not taken for that. */
async function orAbsent<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  return reading.catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
}

/** Of a file without words: a time that is not yet is as far from now as one that was. */
function isYoung(age: number): boolean {
  return Math.abs(age) < EMPTY_MS;
}

/** Removes a lock that nobody holds. Of several who would, one at a time looks again: it may have a holder by now. */
async function takeAway(path: string, own: Holder): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const guard = `${path}-guard`;
  if (await isMade(guard, "")) {
    try {
      if ((await holderOf(path, own)) === "nobody") await files.rm(path, { force: true });
    } finally {
      await files.rm(guard, { force: true });
    }
    return;
  }
  const stats = await statsAt(guard);
  if (stats !== undefined && !isYoung(Date.now() - stats.mtimeMs)) await files.rm(guard, { force: true });
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
}

async function ownHolder(): Promise<Holder> {
  const { hostname } = process.getBuiltinModule("node:os");
  const started = await startOf(process.pid);
  const id = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
  return { id, pid: process.pid, host: hostname(), ...(started === undefined ? {} : { started }) };
}

/** When a process began: field 22 of its line in /proc, which is on Linux. */
async function startOf(pid: number): Promise<string | undefined> {
  const files = process.getBuiltinModule("node:fs/promises");
  const line = await files.readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is a name in brackets, which may hold anything.
  return line?.slice(line.lastIndexOf(")") + 2).split(" ")[19];
}

async function isAlive(holder: Holder, own: Holder, age: number): Promise<boolean> {
  if (holder.host !== own.host) return age < OLD_MS;
  // Of another thread of this process, or of a process that had this number before.
  if (holder.pid === own.pid) return held.has(holder.id) || (holder.started === own.started && age < OLD_MS);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return false;
  }
  const started = await startOf(holder.pid);
  return holder.started === undefined || started === undefined || holder.started === started;
}

function holderIn(text: string): Holder | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(found)) return undefined;
  const { id, pid, host, started } = found;
  if (typeof id !== "string" || typeof host !== "string" || !Number.isSafeInteger(pid)) return undefined;
  return { id, pid: Number(pid), host, ...(typeof started === "string" ? { started } : {}) };
}

function inUse(directory: string, path: string, { pid, host }: Holder): DepthwiseError {
  return new DepthwiseError("CHECKPOINT_IN_USE", {
    what: `fit: checkpoint: ${directory} is in use by process ${pid} on ${host}`,
    advice: `Wait for that run to end, or pass another directory. If there is no such run, remove ${path}.`,
    fields: { directory, pid, host },
  });
}
