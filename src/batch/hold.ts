/** One process at a time, of any machine that sees the same directory. */

import { systemCode } from "../core/realms.ts";

/** Who says nothing for so long was killed, or its machine is gone. */
const PATIENCE_MS = 10_000;
const WAIT_MS = 50;
/** So often one who has long to do says that it is still at it. */
const SAY_MS = 1000;

export interface HeldFile {
  /** Says that this process is still at it: to be called again and again by one that needs more than a moment. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Makes a file that says who is at it, and waits while there is another's. One that stays the same for ten seconds is
 * taken away; clocks of others do not matter.
 *
 * @param token this process's own
 * @throws what the system throws, and `signal.reason`
 */
export async function hold(path: string, token: string, signal: AbortSignal | undefined): Promise<HeldFile> {
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

function heldBy(path: string, token: string): HeldFile {
  const files = process.getBuiltinModule("node:fs/promises");
  let said = performance.now();
  let times = 0;
  // Another may have it by now, who took this process for a dead one.
  const isOurs = async () => (await files.readFile(path, "utf8").catch(() => undefined))?.startsWith(token) === true;
  return {
    async renew() {
      if (performance.now() - said < SAY_MS) return;
      said = performance.now();
      if (await isOurs()) await files.writeFile(path, `${token} ${++times}`);
    },
    async release() {
      if (await isOurs()) await files.rm(path, { force: true });
    },
  };
}
