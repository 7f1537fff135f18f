/** The built page, under a path of its own, as a stranger's server would have it. */

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { root, serve } from "../browser/chromium.ts";

/** Builds it once, and serves it; gives its address, which ends in a slash. */
export async function builtPage(options: { readonly isolated?: boolean } = {}): Promise<string> {
  const vite = resolve(root, "node_modules/vite/bin/vite.js");
  execFileSync(process.execPath, [vite, "build", "examples/playground", "--logLevel", "warn"], { cwd: root });
  const address = await serve({ ...options, mounts: { "/some/where": resolve(root, "examples/playground/dist") } });
  return `${address}/some/where/`;
}
