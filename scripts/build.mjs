/** Builds dist/: declarations by tsc (TypeScript 7 has no API for bundlers of types), code by tsup. */

import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

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

/** Types of the platform that a project without the DOM's library, or Node's, has not: see `core/platform-types.ts`. */
const PLATFORM = {
  AbortSignal: "PlatformAbortSignal",
  URL: "PlatformURL",
  Blob: "PlatformBlob",
  File: "PlatformFile",
  FileList: "PlatformFileList",
  Response: "PlatformResponse",
  ReadableStream: "WebStream",
};

/** Declarations for any library and from TypeScript 5.2 on, where typed arrays are not generic. */
function portable(text, toCore) {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const used = Object.entries(PLATFORM).filter(([name]) => new RegExp(`(?<![\\w.$"'])${name}(?![\\w"'])`).test(code));
  const names = used.map(([name, type]) => `${type} as ${name}`);
  let result = text
    .replaceAll(/\b(\w+Array)<ArrayBuffer(?:Like)?>/g, 'ReturnType<$1Constructor["of"]>')
    .replaceAll(/\bWebAssembly\.(Module|Memory)\b/g, 'Wasm<"$1">')
    .replaceAll(/\bWebAssembly\.(Instance|Exports|ExportValue)\b/g, "object");
  if (/Wasm</.test(result) && !/Wasm</.test(text)) names.push("Wasm");
  if (names.length > 0) result = `import type { ${names.join(", ")} } from "${toCore}/platform-types.js";\n${result}`;
  return code.includes("Symbol.dispose") ? `/// <reference lib="esnext.disposable" />\n${result}` : result;
}

/** In declarations the compiler keeps `.ts`; what lies beside them is `.d.ts`, which a reader finds by `.js`. */
function rewrite(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".d.ts")) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, "utf8");
    const linked = text.replaceAll(/((?:from|import)\s*\(?\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, "$1.js$2");
    const toCore = relative(entry.parentPath, join(folder, "core")).split(sep).join("/") || ".";
    const isItself = entry.name === "platform-types.d.ts";
    writeFileSync(path, isItself ? linked : portable(linked, toCore.startsWith(".") ? toCore : `./${toCore}`));
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
writeFileSync(
  "dist/cjs/package.json",
  `${JSON.stringify({ type: "commonjs", sideEffects: ["./worker.js", "./session-worker.js"] })}\n`,
);

/** The command and the lazy readers hold other people's code; their licences go with it. */
const metafiles = ["cli/metafile-esm", "esm/readers/metafile-esm", "cjs/readers/metafile-cjs"];
/** The files of each package of which something is left. */
const packages = new Map();
for (const name of metafiles) {
  const metafile = join("dist", `${name}.json`);
  const outputs = Object.values(JSON.parse(readFileSync(metafile, "utf8")).outputs);
  for (const [input, { bytesInOutput }] of outputs.flatMap(({ inputs }) => Object.entries(inputs))) {
    const [, found] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(input) ?? [];
    if (found === undefined || bytesInOutput === 0) continue;
    packages.set(found, (packages.get(found) ?? new Set()).add(input));
  }
  rmSync(metafile);
}
/** What stands in front of a file: some packages have their licence there and nowhere else. */
const headOf = (path) =>
  (/^(?:\/\/.*\n)*/.exec(readFileSync(path, "utf8"))?.[0] ?? "").replaceAll(/^\/\/ ?/gm, "").trim();
/** Who else holds rights in a file: what it begins with in a comment of lines, if it says so. */
const holderOf = (path) => {
  const [head = ""] = /^\/\*\*\n(?: \*.*\n)*/.exec(readFileSync(path, "utf8")) ?? [];
  return /copyright \(c\)/i.test(head) ? head.replaceAll(/^ ?\/?\*+\/? ?/gm, "").trim() : "";
};
const notices = [...packages.keys()].sort().map((name) => {
  const folder = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const texts =
    file === undefined
      ? new Set([...packages.get(name)].map(headOf))
      : new Set([readFileSync(join(folder, file), "utf8").trim(), ...[...packages.get(name)].map(holderOf)]);
  const text = [...texts].filter((found) => found !== "").join("\n\n");
  if (text === "") throw new Error(`${name} is built in, and has no licence to go with it`);
  return `${name} ${version} (${license})\n\n${text}\n`;
});
rmSync(join("dist", ".entries"), { recursive: true });
writeFileSync(join("dist", "THIRD-PARTY-LICENSES.txt"), notices.join("\n----\n\n"));
