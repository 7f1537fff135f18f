/** What all parts of a directory are of: written by the first process, and compared by all others. */

import { DepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { orUnwritable, stage } from "../weights/write-file.ts";
import type { RunDescription } from "./part.ts";
import { readIfThere } from "./read-if-there.ts";

const FILE = "run.json";

/**
 * Writes it, or compares what is there.
 *
 * @throws {DepthwiseError} `RUN_MISMATCH`, which names what differs; `FILE_UNREADABLE` if it cannot be written
 */
export async function agreeOnRun(directory: string, run: RunDescription, signal?: AbortSignal): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, FILE);
  let there = await readRunFile(directory);
  if (there === undefined) {
    const bytes = new TextEncoder().encode(`${JSON.stringify(run, null, 1)}\n`);
    await orUnwritable(path, "the file", signal, async () => {
      const staged = await stage(directory, bytes, { signal });
      try {
        // A link, not a name of its own: of two processes one is first.
        await files.link(staged, path);
      } catch (error) {
        // Disks without links, such as mounted buckets, refuse them.
        if (systemCode(error) !== "EEXIST") await files.writeFile(path, bytes, { flag: "wx" }).catch(unlessThere);
      } finally {
        await files.rm(staged, { force: true });
      }
    });
    there = await readRunFile(directory);
  }
  checkSame(directory, there, run);
}

/**
 * Requires an input to be that of the run whose parts lie in a directory, if any do.
 *
 * @throws {DepthwiseError} `RUN_MISMATCH`, which names what differs
 */
export async function checkInputOfRun(directory: string, input: RunDescription["input"]): Promise<void> {
  const there = await readRunFile(directory);
  if (there !== undefined) checkSame(directory, { input: there.input }, { input });
}

function checkSame(directory: string, there: unknown, now: unknown): void {
  const differences = differencesOf(there, JSON.parse(JSON.stringify(now)));
  if (differences.length === 0) return;
  throw new DepthwiseError("RUN_MISMATCH", {
    what: `${directory} has parts of another run: ${differences.join("; ")}`,
    advice: "Ask for what was, or pass another directory: --out.",
    fields: { directory, differences },
  });
}

function unlessThere(error: unknown): void {
  if (systemCode(error) !== "EEXIST") throw error;
}

/** The run whose parts lie in a directory; undefined if none do. */
export async function readRunFile(directory: string): Promise<RunDescription | undefined> {
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, FILE);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const run = JSON.parse(text) as RunDescription;
    if (run.version === 1 && Number.isSafeInteger(run.shards)) return run;
  } catch {
    // As what is JSON and no run.
  }
  throw new DepthwiseError("FILE_CORRUPT", {
    what: `${path}: it is not what a run writes there`,
    advice: "Pass another directory: --out.",
    fields: { path },
  });
}

/** What is another in two values of plain data, by its path: `options.topK: there 5, now 3`. */
function differencesOf(there: unknown, now: unknown, path = ""): readonly string[] {
  if (isObject(there) && isObject(now)) {
    const keys = [...new Set([...Object.keys(there), ...Object.keys(now)])];
    return keys.flatMap((key) => differencesOf(there[key], now[key], path === "" ? key : `${path}.${key}`));
  }
  const [before, after] = [JSON.stringify(there), JSON.stringify(now)];
  return before === after ? [] : [`${path}: there ${before ?? "nothing"}, now ${after ?? "nothing"}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
