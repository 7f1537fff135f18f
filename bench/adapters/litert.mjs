/**
 * LiteRT.js from the TFLite file. It is made for browsers; its Emscripten scripts still know Node, but they are
 * loaded with `importScripts`, and they must be read as CommonJS, which the package's "type": "module" forbids. So it
 * gets a copy of its folder that says "commonjs" (its threads start the same script from there), and the two names.
 */

import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const PACKAGE = new URL("../node_modules/@litertjs/core/wasm/", import.meta.url);
const COPY = new URL("../.cache/litert-2.5.3/", import.meta.url);

let litert;
let compiled;
let shape;

export function setUp() {
  const manifest = new URL("package.json", COPY);
  if (existsSync(manifest)) return;
  cpSync(PACKAGE, COPY, { recursive: true });
  // Last: its presence says that the copy is whole.
  writeFileSync(manifest, JSON.stringify({ type: "commonjs" }));
}

export async function load(model, { threads }) {
  globalThis.self ??= globalThis;
  globalThis.importScripts = loadScript;
  litert = await import("@litertjs/core");
  await litert.loadLiteRt(fileURLToPath(COPY), { threads: threads > 1 });
  const file = new Uint8Array(readFileSync(model.files.tflite));
  compiled = await litert.loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: threads } });
}

export function prepare(input) {
  ({ shape } = input);
  return input.data;
}

export async function run(data) {
  const input = new litert.Tensor(data, shape);
  const [output] = await compiled.run([input]);
  // The view dies with the tensor.
  const logits = output.toTypedArray().slice();
  input.delete();
  output.delete();
  return logits;
}

/** Runs a script as Node would run a CommonJS module, and leaves its factory where the library looks for it. */
function loadScript(path) {
  const source = `(function (require, __filename, __dirname) {${readFileSync(path, "utf8")}
    globalThis.ModuleFactory = ModuleFactory; })`;
  vm.runInThisContext(source, { filename: path })(createRequire(path), path, dirname(path));
}
