/** The project's own server (`examples/browser/serve.mjs`), for the benches that ask a browser. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../../examples/browser/serve.mjs", import.meta.url));

/**
 * Starts it for as long as `use` takes, which gets its address. It ends whatever happens then: a browser that does not
 * start leaves no server behind.
 *
 * @template T
 * @param {readonly string[]} mounts more of what is served: `/path=FOLDER`; the project is at `/`
 * @param {(address: string) => Promise<T>} use
 * @param {{ isIsolated?: boolean }} [options] whether pages have shared memory, default true
 * @returns {Promise<T>}
 */
export async function withServer(mounts, use, { isIsolated = true } = {}) {
  const flags = [...(isIsolated ? ["--isolated"] : []), ...mounts.flatMap((mount) => ["--mount", mount])];
  const server = spawn(process.execPath, [SERVER, "--port", "0", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    return await use(await addressOf(server));
  } finally {
    server.kill();
  }
}

/** The first line that it prints. @param {import("node:child_process").ChildProcess} server @returns {Promise<string>} */
async function addressOf(server) {
  const ended = once(server, "exit").then(([code]) => {
    throw new Error(`The server ended (${code}) before it listened.`);
  });
  const [line] = await Promise.race([once(server.stdout, "data"), ended]);
  // Later it may end as it likes.
  ended.catch(() => {});
  return String(line).trim();
}
