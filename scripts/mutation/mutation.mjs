/**
 * Changes the sources one token at a time, and looks whether a test notices: `npm run test:mutation -- src/plan`, or
 * `-- src/plan/arena.ts:20-40`. In a copy of the project, since Stryker writes what it tries into the files. Not in CI: a
 * room takes minutes. See README.md.
 */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Those whose slips would be wrong answers. */
const ROOMS = ["core", "operations", "layers", "models", "plan", "cost", "understand"].map((room) => `src/${room}`);

const here = import.meta.dirname;
const root = resolve(here, "../..");
const run = (file, args, cwd) => execFileSync(file, args, { cwd, stdio: "inherit" });

if (!existsSync(join(here, "node_modules/@stryker-mutator/core"))) {
  // Without its peers: the project has Vitest.
  run("npm", ["ci", "--no-audit", "--no-fund", "--legacy-peer-deps"], here);
}
const folder = mkdtempSync(join(tmpdir(), "depthwise-mutation-"));
const copy = join(folder, "main");
try {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
  for (const file of String(listed).trim().split("\n")) {
    if (!existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  for (const installed of ["node_modules", "scripts/mutation/node_modules"]) {
    symlinkSync(join(root, installed), join(copy, installed));
  }
  if (existsSync(join(root, "../shared"))) symlinkSync(resolve(root, "../shared"), join(folder, "shared"));
  const given = process.argv.slice(2);
  const wanted = given.filter((argument) => !argument.startsWith("--"));
  const paths = wanted.length === 0 ? ROOMS : wanted;
  // The tests that are near; see vitest.config.ts.
  process.env.DEPTHWISE_MUTATED = paths.join(",");
  const mutate = paths.map((path) => (/\.ts(?::[\d-]+)?$/.test(path) ? path : `${path}/**/*.ts`)).join(",");
  run(
    // It wants a newer Node than the oldest that the package runs on.
    "npx",
    [
      "-y",
      "node@24",
      "scripts/mutation/node_modules/@stryker-mutator/core/bin/stryker.js",
      "run",
      "scripts/mutation/stryker.config.mjs",
      "--mutate",
      mutate,
      // Stryker's own: `--ignoreStatic` for a first look, in a tenth of the time.
      ...given.filter((argument) => argument.startsWith("--")),
    ],
    copy,
  );
} catch {
  process.exitCode = 1;
} finally {
  const report = join(copy, "reports/mutation.json");
  if (existsSync(report)) {
    mkdirSync(join(root, "reports"), { recursive: true });
    cpSync(report, join(root, "reports/mutation.json"));
  }
  rmSync(folder, { recursive: true, force: true });
}
