/** Makes the API reference of the docstrings in dist/api; fails for an exported name or an option without one. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const cwd = import.meta.dirname;
const stdio = ["ignore", "ignore", "inherit"];
// Apart from the project's own packages, and only for who asks for the reference.
if (!existsSync(new URL("node_modules/typedoc", import.meta.url))) {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio });
}
try {
  execFileSync(process.execPath, ["node_modules/typedoc/bin/typedoc", "--options", "typedoc.json"], {
    cwd,
    stdio: "inherit",
  });
} catch {
  process.stderr.write("The API reference is not complete; see above what lacks a docstring.\n");
  process.exit(1);
}
