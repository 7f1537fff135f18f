/** Packs the package and checks the tarball as its users will see it: publint, and the types of every door. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "depthwise-pack-"));
const npx = (...args) => execFileSync("npx", ["--no-install", ...args], { stdio: "inherit" });
try {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { encoding: "utf8" });
  const tarball = join(folder, packed.trim().split("\n").at(-1) ?? "");
  npx("publint", "run", tarball, "--strict");
  // By every resolution: that of Node 10 finds sub-paths by typesVersions.
  npx("attw", tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
