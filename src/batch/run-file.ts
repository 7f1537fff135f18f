/** What all parts of a directory are of: written by the first process, and compared by all others. */

import { DepthwiseError } from "../core/errors.ts";
import { orRemove, orUnwritable, renameTo, stage } from "../weights/write-file.ts";
import { hold } from "./hold.ts";
import { isRunDescription, type RunDescription } from "./part.ts";
import { readIfThere } from "./read-if-there.ts";

const FILE = "run.json";

/**
 * Writes it, or compares what is there.
 *
 * @throws {DepthwiseError} `RUN_MISMATCH`, which names what differs; `FILE_UNREADABLE` if it cannot be written
 */
export async function agreeOnRun(directory: string, run: RunDescription, signal?: AbortSignal): Promise<void> {
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, FILE);
  let there = await readRunFile(directory);
  if (there === undefined) {
    const bytes = new TextEncoder().encode(`${JSON.stringify(run, null, 1)}\n`);
    await orUnwritable(path, "the file", signal, async () => {
      const token = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
      // Not a link, by which the first would be known: disks such as mounted buckets have none.
      const release = await hold(join(directory, `.${FILE}.making`), token, signal);
      try {
        if ((await readRunFile(directory)) !== undefined) return;
        const staged = await stage(directory, bytes, { signal });
        await orRemove([staged], () => renameTo(staged, path));
      } finally {
        await release();
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

/** The run whose parts lie in a directory; undefined if none do, or nothing has been written into its file yet. */
export async function readRunFile(directory: string): Promise<RunDescription | undefined> {
  const { join } = process.getBuiltinModule("node:path");
  const path = join(directory, FILE);
  const text = await readIfThere(path);
  if (text === undefined || text === "") return undefined;
  try {
    const run: unknown = JSON.parse(text);
    if (isRunDescription(run)) return run;
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
