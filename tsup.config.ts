import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { defineConfig, type Options } from "tsup";

/** What single formats need, built into their lazy readers and into the command. */
const packages = ["fflate", "@bufbuild/protobuf", "flatbuffers"];

/** One entry a door; the name is the door's. */
const doors = {
  index: "src/index.ts",
  layers: "src/layers/index.ts",
  cost: "src/cost/index.ts",
  weights: "src/weights/index.ts",
  images: "src/images/index.ts",
  // Not a room but a script: what the workers of a session run.
  worker: "src/session/worker.ts",
};

const shared: Options = {
  target: "es2022",
  platform: "neutral",
  splitting: true,
  dts: false,
  clean: false,
  external: ["sharp"],
};

/** Rooms whose `import()`s are built apart: readers of formats, downloads, caches; label lists. */
const rooms = [join("src", "weights"), join("src", "classify")];
const lazy = Object.fromEntries(
  rooms
    .flatMap((room) => readdirSync(room, { recursive: true, encoding: "utf8" }).map((file) => join(room, file)))
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const imports = readFileSync(file, "utf8").matchAll(/import\("(\.[^"]+)"\)/g);
      return [...imports].map(([, target = ""]) => join(file, "..", target));
    })
    .map((file) => [basename(file, ".ts"), file]),
);

/**
 * The doors name these as files of a folder of their own, which share no code with them. Bundlers emit what an
 * `import()` names even if nothing calls it, and would keep for its sake whatever it shares with the page's own code.
 */
const lazyApart: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "lazy-apart",
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ kind, importer, path }) => {
      if (kind !== "dynamic-import" || !rooms.some((room) => importer.includes(room))) return undefined;
      return { path: `./readers/${basename(path, ".ts")}.js`, external: true };
    });
  },
};

const shorten: NonNullable<Options["esbuildOptions"]> = (options) => {
  options.minifyIdentifiers = true;
  options.minifySyntax = true;
};

export default defineConfig([
  // A process that starts cold reads and parses all of it: with short names that takes 2 ms less. White space stays,
  // since comments go with it, and bundlers read some of them.
  {
    ...shared,
    entry: doors,
    format: "esm",
    esbuildPlugins: [lazyApart],
    esbuildOptions: shorten,
    outDir: "dist/esm",
    outExtension: () => ({ js: ".js" }),
  },
  {
    ...shared,
    entry: lazy,
    format: "esm",
    noExternal: packages,
    // The build writes the licences of what is bundled from this, and removes it.
    metafile: true,
    esbuildOptions: shorten,
    outDir: "dist/esm/readers",
    outExtension: () => ({ js: ".js" }),
  },
  // dist/cjs has a package.json of its own that says "commonjs".
  {
    ...shared,
    entry: doors,
    format: "cjs",
    esbuildPlugins: [lazyApart],
    outDir: "dist/cjs",
    outExtension: () => ({ js: ".js" }),
    define: { "import.meta.url": "moduleUrl" },
    inject: ["scripts/cjs-module-url.js"],
  },
  {
    ...shared,
    entry: lazy,
    format: "cjs",
    noExternal: packages,
    metafile: true,
    outDir: "dist/cjs/readers",
    outExtension: () => ({ js: ".js" }),
  },
  {
    entry: { depthwise: "src/cli/depthwise.ts", worker: "src/session/worker.ts" },
    format: "esm",
    platform: "node",
    target: "node20",
    outDir: "dist/cli",
    metafile: true,
    splitting: true,
    external: ["sharp"],
    // The parser and its friends are bundled: the package itself depends on nothing, and the command reads every format.
    noExternal: ["commander", "tinyglobby", "cli-progress", ...packages],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  },
]);
