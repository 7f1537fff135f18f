/**
 * Checkpoints in a directory, in Node. A file goes under a name of its own, to the disk, and then under its name: a kill
 * or a full disk leaves what was there before.
 */

import { locatePath } from "../../core/address.ts";
import { nodeFiles } from "../../core/bytes.ts";
import { DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import { systemCode } from "../../core/realms.ts";
import { readStart } from "../../core/regular-file.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { lockDirectory } from "./directory-lock.ts";

const TEMPORARY = /^\.depthwise-[0-9a-f]{16}\.tmp$/;
const FULL: readonly unknown[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/**
 * Its methods reject with `OPTION_INVALID` for a name with a path in it, `FILE_UNREADABLE`, `CHECKPOINT_IN_USE`.
 *
 * @param directory made when it is first written to
 * @throws {DepthwiseError} `FILE_UNREADABLE` where there are no files; `OPTION_INVALID` for what is no path
 */
export function directoryStore(directory: string | URL): CheckpointStore {
  if (nodeFiles() === undefined) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: "fit: checkpoint: there are no directories here",
      advice: "In a browser pass indexedDbStore(name).",
    });
  }
  const path = locatePath(directory, "fit: checkpoint");
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  return {
    name: path,
    read: async (name, atMost) => {
      const file = join(path, checkedName(name));
      return typed(file, "read", () => readBounded(file, atMost));
    },
    write: async (name, bytes) => {
      const file = join(path, checkedName(name));
      return typed(file, "written", () => writeWhole(path, name, bytes));
    },
    remove: async (name) => {
      const file = join(path, checkedName(name));
      return typed(file, "removed", () => files.rm(file, { force: true }));
    },
    list: () => files.readdir(path).catch(() => []),
    lock: () =>
      typed(path, "used", async () => {
        await files.mkdir(path, { recursive: true });
        const unlock = await lockDirectory(path);
        // Nobody else writes here now: what is unfinished was left by a run that was killed. What cannot be removed stays.
        const names = await files.readdir(path).catch(() => []);
        for (const name of names.filter((each) => TEMPORARY.test(each))) {
          await files.rm(join(path, name), { force: true }).catch(() => undefined);
        }
        return unlock;
      }),
  };
}

/** Nothing beside the directory, or below it, is read, written or removed. */
function checkedName(name: unknown): string {
  if (typeof name === "string" && !/^\.{0,2}$|[/\\:\0]/.test(name)) return name;
  throw optionError("directoryStore", "name", "the name of a file, without a path", name);
}

async function readBounded(path: string, atMost = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
  try {
    return (await readStart(path, atMost + 1)).start;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function writeWhole(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const id = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
  const temporary = join(directory, `.depthwise-${id}.tmp`);
  await files.mkdir(directory, { recursive: true });
  try {
    const file = await files.open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, join(directory, name));
  } catch (cause) {
    await files.rm(temporary, { force: true }).catch(() => undefined);
    throw cause;
  }
  // The new name is to last too; not every system opens directories.
  const folder = await files.open(directory, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

/** Gives errors of the system a sentence. */
async function typed<Value>(path: string, done: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    const code = isDepthwiseError(cause) ? undefined : systemCode(cause);
    if (code === undefined) throw cause;
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${path}: it cannot be ${done} (${code})`,
      advice: FULL.includes(code)
        ? "Make room for it. What was there before is untouched."
        : code === "EEXIST" || code === "ENOTDIR"
          ? "A file is in the way, where a directory is needed: pass another path, or move the file."
          : "Check that you may read and write there.",
      fields: { path },
      cause,
    });
  }
}
