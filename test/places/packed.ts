/** Packs the package once for all places, and removes it after them. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-packed-"));
  const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const printed = execFileSync("npm", args, { cwd: resolve(import.meta.dirname, "../.."), encoding: "utf8" });
  process.env["DEPTHWISE_TARBALL"] = join(folder, printed.trim().split("\n").at(-1) ?? "");
  return () => rmSync(folder, { recursive: true, force: true });
}
