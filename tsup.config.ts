import { defineConfig, type Options } from "tsup";

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
    esbuildOptions: shorten,
    outDir: "dist/esm",
    outExtension: () => ({ js: ".js" }),
  },
  // dist/cjs has a package.json of its own that says "commonjs".
  {
    ...shared,
    entry: doors,
    format: "cjs",
    outDir: "dist/cjs",
    outExtension: () => ({ js: ".js" }),
    define: { "import.meta.url": "moduleUrl" },
    inject: ["scripts/cjs-module-url.js"],
  },
  {
    entry: { depthwise: "src/cli/main.ts", worker: "src/session/worker.ts" },
    format: "esm",
    platform: "node",
    target: "node20",
    outDir: "dist/cli",
    // The build writes the licences of what is bundled from this, and removes it.
    metafile: true,
    splitting: true,
    external: ["sharp"],
    // The parser and its friends are bundled: the package itself depends on nothing.
    noExternal: ["commander", "tinyglobby", "cli-progress"],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  },
]);
