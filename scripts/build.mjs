/** Builds dist/: declarations by tsc (TypeScript 7 has no API for bundlers of types), code by tsup. */

import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const run = (command, ...args) =>
  execFileSync(process.execPath, [join("node_modules", command), ...args], { stdio: ["ignore", "ignore", "inherit"] });

rmSync("dist", { recursive: true, force: true });
try {
  run("typescript/bin/tsc", "-b", "src");
  run("tsup/dist/cli-default.js", "--silent");
} catch {
  process.stderr.write("The build failed; run `npm run types` to see what the compiler says.\n");
  process.exit(1);
}

/** In declarations the compiler keeps `.ts`; what lies beside them is `.d.ts`, which a reader finds by `.js`. */
function rewrite(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".d.ts")) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replaceAll(/((?:from|import)\s*\(?\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, "$1.js$2"));
  }
}
rewrite("dist/types");

/** Chunks import each other for their order alone; no module here has effects, so bundlers would only warn of it. */
for (const entry of readdirSync("dist/esm", { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(/\bimport ?"\.\/chunk-\w+\.js";\n?/g, ""));
}
cpSync("dist/types", "dist/cjs/types", { recursive: true, filter: (path) => !path.endsWith(".tsbuildinfo") });
writeFileSync("dist/cjs/package.json", `${JSON.stringify({ type: "commonjs", sideEffects: ["./worker.js"] })}\n`);

/** The command and the lazy readers hold other people's code; their licences go with it. */
const metafiles = ["cli/metafile-esm", "esm/readers/metafile-esm", "cjs/readers/metafile-cjs"];
const packages = new Set();
for (const name of metafiles) {
  const metafile = join("dist", `${name}.json`);
  for (const input of Object.keys(JSON.parse(readFileSync(metafile, "utf8")).inputs)) {
    const [, found] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(input) ?? [];
    if (found !== undefined) packages.add(found);
  }
  rmSync(metafile);
}
const notices = [...packages].sort().map((name) => {
  const folder = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim()}\n`;
});
rmSync(join("dist", ".entries"), { recursive: true });
writeFileSync(join("dist", "THIRD-PARTY-LICENSES.txt"), notices.join("\n----\n\n"));
