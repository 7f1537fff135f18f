/**
 * How many bytes does a page fetch before it can run MobileNet V1? The smallest sensible bundle by esbuild, minified,
 * with every chunk that the page can load later, the worker's script and any `.wasm`; each file gzipped by itself.
 * Without weights. KB of 1,000 bytes.
 *
 *     node size.mjs
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const HERE = fileURLToPath(new URL("./", import.meta.url));
const NODE_MODULES = fileURLToPath(new URL("node_modules/", import.meta.url));

/** Names of Node's that libraries import on the way to a branch no browser takes. */
const RIVAL_EXTERNALS = [
  "fs",
  "path",
  "util",
  "os",
  "crypto",
  "worker_threads",
  "perf_hooks",
  "module",
  "string_decoder",
];

/** TensorFlow.js keeps only the ops that a program names; these are the four a MobileNet needs. */
const tfjsProgram = (backend) => `
  import * as tf from "@tensorflow/tfjs-core";
  import "@tensorflow/tfjs-backend-${backend}";
  export const layer = (x, filter, bias) => tf.tidy(() => {
    const options = { filter, bias, strides: 1, pad: "same", activation: "relu6" };
    const y = tf.fused.depthwiseConv2d({ ...options, x: tf.fused.conv2d({ ...options, x: tf.tensor4d(x, [1, 1, 1, 1]) }) });
    return tf.reshape(tf.mean(y, [1, 2]), [1, 1]);
  });
  export const ready = () => tf.ready();`;

const OUR_PROGRAM = `import { compile, mobileNetV1 } from "depthwise"; export { compile, mobileNetV1 };`;
/** `depthwise/worker`: a session names it by URL, so no bundler finds it by itself. */
const OUR_WORKER = `${PROJECT}dist/esm/worker.js`;
const LITERT_PROGRAM = `export { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";`;
const LITERT_WASM = "@litertjs/core/wasm/litert_wasm";

const CASES = [
  // Nothing is external but Node's own modules.
  { name: "depthwise", from: PROJECT, program: OUR_PROGRAM, scripts: [OUR_WORKER], external: ["node:*"] },
  {
    name: "litert, relaxed SIMD",
    program: LITERT_PROGRAM,
    files: [`${LITERT_WASM}_internal.js`, `${LITERT_WASM}_internal.wasm`],
  },
  {
    name: "litert, plain SIMD",
    program: LITERT_PROGRAM,
    files: [`${LITERT_WASM}_compat_internal.js`, `${LITERT_WASM}_compat_internal.wasm`],
  },
  {
    name: "onnxruntime-web/wasm",
    program: `export { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";`,
    files: ["onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"],
  },
  {
    name: "tfjs-wasm",
    program: tfjsProgram("wasm"),
    files: ["@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm"],
  },
  { name: "tfjs-cpu", program: tfjsProgram("cpu") },
];

const settings = readSettings();
const results = {};
for (const row of CASES) results[row.name] = await weigh(row);
const rows = Object.entries(results).map(([name, { bytes, gzipBytes, brotliBytes }]) => [
  name,
  ...[bytes, gzipBytes, brotliBytes].map((count) => (count / 1000).toFixed(1)),
]);
const ours = results["depthwise"].files.map((file) => [file.name, file.bytes, file.gzipBytes]);
const markdown = `${table(["", "KB", "gzip, KB", "brotli, KB"], rows)}\n\n${table(["depthwise: file", "bytes", "gzip"], ours)}`;
writeReport("size", settings, { results }, markdown);

async function weigh({ program, from = HERE, scripts = [], files = [], external = [...RIVAL_EXTERNALS, "node:*"] }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: from, sourcefile: "page.js" },
    // A worker is an entry of its own; what it shares with the page becomes a chunk that is fetched once.
    entryPoints: scripts,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    outdir: "/out",
    write: false,
    metafile: true,
    external,
    logLevel: "silent",
  });
  const fetched = [
    ...reachable(outputFiles, metafile, ["stdin.js", ...scripts.map((path) => basename(path))]).map(
      ({ path, contents }) => ({ name: basename(path), contents }),
    ),
    ...files.map((file) => ({ name: basename(file), contents: readFileSync(`${NODE_MODULES}${file}`) })),
  ];
  const weighed = fetched.map(({ name, contents }) => ({
    name,
    bytes: contents.length,
    gzipBytes: gzipSync(contents, { level: 9 }).length,
    brotliBytes: brotliCompressSync(contents).length,
  }));
  const sum = (field) => weighed.reduce((total, file) => total + file[field], 0);
  return { bytes: sum("bytes"), gzipBytes: sum("gzipBytes"), brotliBytes: sum("brotliBytes"), files: weighed };
}

/**
 * The outputs that an entry imports, at once or later. esbuild also writes chunks for `import()`s it then drops with
 * the unused functions around them (`loadModel`, the label lists): nothing names those, so no page can fetch them.
 */
function reachable(outputFiles, { outputs }, entries) {
  const imports = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output.imports]));
  const found = new Set(entries);
  // A set goes on with what is added while it is walked.
  for (const file of found) {
    for (const { path, external } of imports.get(file)) if (!external) found.add(basename(path));
  }
  return outputFiles.filter(({ path }) => found.has(basename(path)));
}
