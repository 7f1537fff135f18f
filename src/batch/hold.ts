/** One process at a time, of any machine that sees the same directory. */

import { systemCode } from "../core/realms.ts";

/** Who says nothing for so long was killed, or its machine is gone. */
const PATIENCE_MS = 10_000;
const WAIT_MS = 50;
/** So often whoever has it says that it is still at it. */
const SAY_MS = 1000;

/**
 * Makes a file that says who is at it, and says so every second anew; waits while there is another's. One that stays the
 * same for ten seconds is taken away; clocks of others do not matter.
 *
 * @param token this process's own
 * @returns gives it up
 * @throws what the system throws, and `signal.reason`
 */
export async function hold(path: string, token: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  const files = process.getBuiltinModule("node:fs/promises");
  let seen: string | undefined;
  let since = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    try {
      await files.writeFile(path, token, { flag: "wx" });
      return heldBy(path, token);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
    const holder = await files.readFile(path, "utf8").catch(() => undefined);
    if (holder !== seen) [seen, since] = [holder, performance.now()];
    else if (performance.now() - since > PATIENCE_MS) await files.rm(path, { force: true });
    await new Promise((done) => setTimeout(done, WAIT_MS));
  }
}

function heldBy(path: string, token: string): () => Promise<void> {
  const files = process.getBuiltinModule("node:fs/promises");
  // Another may have it by now, who took this process for a dead one.
  const isOurs = async () => (await files.readFile(path, "utf8").catch(() => undefined))?.startsWith(token) === true;
  let times = 0;
  let saying: Promise<void> = Promise.resolve();
  const say = async () => {
    if (await isOurs()) await files.writeFile(path, `${token} ${++times}`);
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
