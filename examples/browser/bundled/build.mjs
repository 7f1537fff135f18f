/** Bundles the page: node examples/browser/bundled/build.mjs. The worker's script is an entry of its own. */
import { build } from "esbuild";

await build({
  absWorkingDir: import.meta.dirname,
  // esbuild leaves `new URL("./worker.js", import.meta.url)` as it is, so the file must be there under that name.
  entryPoints: { main: "./main.js", worker: "depthwise/worker" },
  bundle: true,
  minify: true,
  format: "esm",
  // Readers, the wasm kernels and the plain ones stay files of their own, fetched when they are needed.
  splitting: true,
  target: "es2022",
  outdir: "dist",
});
