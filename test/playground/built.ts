/** The built page, under a path of its own, as a stranger's server would have it. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { root, serve } from "../browser/chromium.ts";

/** Builds the page into a folder of its own: files of tests run side by side. The folder is the caller's to remove. */
export function buildPage(): string {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-playground-"));
  const vite = resolve(root, "node_modules/vite/bin/vite.js");
  // Vite lets no two build one project, lest they write to one place: these do not.
  const flags = ["--outDir", folder, "--emptyOutDir", "--logLevel", "warn", "--bypass-lock"];
  execFileSync(process.execPath, [vite, "build", "examples/playground", ...flags], { cwd: root });
  return folder;
}

/** Builds and serves it until it is disposed of; `address` ends in a slash, `folder` is what it serves. */
export async function builtPage(options: { readonly isolated?: boolean } = {}) {
  const folder = buildPage();
  const address = await serve({ ...options, mounts: { "/some/where": folder } });
  return {
    address: `${address}/some/where/`,
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
