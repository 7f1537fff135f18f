import { join } from "node:path";
import { defineConfig, type Options } from "tsup";
import { apart, otherRooms, writeEntries } from "./scripts/rooms.ts";

/** What single formats need, built into their lazy readers and into the command. */
const packages = ["fflate", "@bufbuild/protobuf", "flatbuffers", "hyparquet", "hyparquet-writer", "tar"];

/** Its door for Node names modules of Node, which the readers, for any place, cannot; the files behind it name none. */
const withoutFiles: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "hyparquet",
  setup(build) {
    build.onResolve({ filter: /^hyparquet$/ }, ({ kind, resolveDir }) =>
      build.resolve("hyparquet/src/index.js", { kind, resolveDir }),
    );
  },
};

/** One entry a door; the name is the door's. */
const doors = {
  index: "src/index.ts",
  layers: "src/layers/index.ts",
  weights: "src/weights/index.ts",
  images: "src/images/index.ts",
};

/** Not rooms but scripts, whole: what the workers of a session run. */
const scripts = { worker: "src/backends/wasm/worker.ts", "session-worker": "src/session/session-worker.ts" };

const ENTRIES = join("dist", ".entries");
const rooms = {
  ...writeEntries(ENTRIES),
  cost: "src/cost/index.ts",
  draw: "src/draw/index.ts",
  kernels: "src/backends/wasm/kernel-modules.ts",
  train: "src/train/index.ts",
  batch: "src/batch/index.ts",
  digits: "src/pretrained/digits.ts",
  cifar10: "src/pretrained/cifar10.ts",
};

const shared: Options = {
  target: "es2022",
  platform: "neutral",
  splitting: false,
  dts: false,
  clean: false,
  external: ["sharp"],
};

const shorten: NonNullable<Options["esbuildOptions"]> = (options) => {
  options.minifyIdentifiers = true;
  options.minifySyntax = true;
};

/** Parcel puts a package in the place of a free `process`, and fails where it may not install one. */
const GLOBALS = { process: "globalThis.process" };

/** Jest refuses `import()` in CommonJS, unless Node was started with a flag; `require` in its place loads as late. */
const requireLate: NonNullable<Options["esbuildOptions"]> = (options) => {
  options.supported = { ...options.supported, "dynamic-import": false };
};

function library(format: "esm" | "cjs"): Options[] {
  const outDir = `dist/${format}`;
  const one: Options = {
    ...shared,
    format,
    define: GLOBALS,
    outExtension: () => ({ js: ".js" }),
    // A process that starts cold reads and parses all of it: with short names that takes 2 ms less. White space stays,
    // since comments go with it, and bundlers read some of them.
    esbuildOptions: format === "esm" ? shorten : requireLate,
  };
  const cjs: Options =
    format === "cjs"
      ? { define: { ...GLOBALS, "import.meta.url": "moduleUrl" }, inject: ["scripts/cjs-module-url.js"] }
      : {};
  return [
    { ...one, ...cjs, entry: rooms, esbuildPlugins: [otherRooms(ENTRIES, "rooms")], outDir },
    { ...one, entry: doors, esbuildPlugins: [otherRooms(ENTRIES, "doors")], outDir },
    { ...one, entry: scripts, outDir },
    // The build writes the licences of what is bundled from this, and removes it.
    {
      ...{ ...one, entry: apart, splitting: true, noExternal: packages, metafile: true, outDir: `${outDir}/readers` },
      esbuildPlugins: [withoutFiles],
    },
  ];
}

export default defineConfig([
  ...library("esm"),
  // dist/cjs has a package.json of its own that says "commonjs".
  ...library("cjs"),
  {
    entry: {
      depthwise: "src/cli/depthwise.ts",
      "batch-worker": "src/cli/batch-worker.ts",
      worker: "src/backends/wasm/worker.ts",
    },
    format: "esm",
    platform: "node",
    target: "node20",
    outDir: "dist/cli",
    metafile: true,
    splitting: true,
    external: ["sharp"],
    // They lie in the package already, and are large.
    esbuildPlugins: [
      {
        name: "pretrained",
        setup(build) {
          build.onResolve({ filter: /^\.\.\/pretrained\// }, ({ path }) => ({
            path: path.replace(/^.*\/(\w+)\.ts$/, "../esm/$1.js"),
            external: true,
          }));
        },
      },
    ],
    // The parser and its friends are bundled: the package itself depends on nothing, and the command reads every format.
    noExternal: ["commander", "tinyglobby", "cli-progress", "d3-scale", "d3-shape", ...packages],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  },
]);
