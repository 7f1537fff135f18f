/** One process at a time, of any machine that sees the same directory. */

import { systemCode } from "../core/realms.ts";
import { orRemove } from "../weights/write-file.ts";

/** Who says nothing for so long was killed, or its machine is gone. */
const PATIENCE_MS = 10_000;
const WAIT_MS = 50;
/** So often whoever has it says that it is still at it. */
const SAY_MS = 1000;

/**
 * Makes a file that says who is at it, and says so every second anew; waits while there is another's. One that stays the
 * same for ten seconds is taken away, by one of those who wait; clocks of others do not matter.
 *
 * @param token this process's own
 * @returns gives it up
 * @throws what the system throws, and `signal.reason`
 */
export async function hold(path: string, token: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  let seen: string | undefined;
  let since = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    if (await isMade(path, token)) return heldBy(path, token);
    const holder = await textAt(path);
    const waited = performance.now() - since;
    if (holder !== seen) [seen, since] = [holder, performance.now()];
    else if (waited > PATIENCE_MS) await takeAway(path, holder, waited);
    await new Promise((done) => setTimeout(done, WAIT_MS));
  }
}

/** Makes a file that is not there; on a full disk none. */
async function isMade(path: string, text: string): Promise<boolean> {
  const file = await process
    .getBuiltinModule("node:fs/promises")
    .open(path, "wx")
    .catch((error: unknown) => {
      if (systemCode(error) === "EEXIST") return undefined;
      throw error;
    });
  if (file === undefined) return false;
  await orRemove([path], () => file.writeFile(text).finally(() => file.close()));
  return true;
}

async function textAt(path: string): Promise<string | undefined> {
  return process
    .getBuiltinModule("node:fs/promises")
    .readFile(path, "utf8")
    .catch(() => undefined);
}

/** Removes a dead one's file. Of several who would, one at a time looks again: it may be another's by now. */
async function takeAway(path: string, holder: string | undefined, waitedMs: number): Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  const guard = `${path}-guard`;
  if (await isMade(guard, "")) {
    try {
      if ((await textAt(path)) === holder) await files.rm(path, { force: true });
    } finally {
      await files.rm(guard, { force: true });
    }
    // Whoever has it takes a moment: of one who was killed then it is left.
  } else if (waitedMs > 2 * PATIENCE_MS) await files.rm(guard, { force: true });
}

function heldBy(path: string, token: string): () => Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  // Another may have it by now, who took this process for a dead one.
  const isOurs = async () => (await textAt(path))?.startsWith(token) === true;
  let times = 0;
  let saying: Promise<void> = Promise.resolve();
  const say = async () => {
    if (!(await isOurs())) return;
    // Over what is there: a file that is emptied first stays empty on a full disk.
    const file = await files.open(path, "r+");
    try {
      await file.write(`${token} ${++times}`, 0);
    } finally {
      await file.close();
    }
  };
  const timer = setInterval(() => {
    // A disk that refuses it now may take it a second later.
    saying = saying.then(say).catch(() => undefined);
  }, SAY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await saying;
    if (await isOurs()) await files.rm(path, { force: true });
  };
}
