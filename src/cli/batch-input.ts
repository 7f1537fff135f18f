/** A list on standard input, kept with the parts: shards that are run again have to find it. */

import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DepthwiseError } from "../core/errors.ts";
import { orUnwritable } from "../weights/write-file.ts";
import { openInput } from "./files.ts";

const FILE = "input.txt";

/**
 * The source itself, or where what stood on standard input lies now.
 *
 * @throws {DepthwiseError} `RUN_MISMATCH` if another list lies there already; `FILE_UNREADABLE` if it cannot be written
 */
export async function spooledInput(source: string, out: string, signal: AbortSignal): Promise<string> {
  if (source !== "-") return source;
  const path = join(out, FILE);
  await orUnwritable(path, "the list of standard input", signal, () => spool(path, out, signal));
  return path;
}

async function spool(path: string, out: string, signal: AbortSignal): Promise<void> {
  await mkdir(out, { recursive: true });
  const temporary = join(out, `.${FILE}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx");
    await pipeline(
      openInput("a list of pictures", "batch - < list.txt", signal),
      file.createWriteStream({ flush: true }),
      {
        signal,
      },
    );
    if (!existsSync(path)) await rename(temporary, path);
    else if ((await hashOf(path)) !== (await hashOf(temporary))) {
      throw new DepthwiseError("RUN_MISMATCH", {
        what: `${out} has parts of another list than stands on standard input`,
        advice: "Give the same list, or pass another directory: --out.",
        fields: { out },
      });
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
