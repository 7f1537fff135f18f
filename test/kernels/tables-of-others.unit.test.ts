/**
 * Tables open downward: kernels of other calls stand in modules of their own, are spread into one table with ours and
 * run as they do, and a page that does not use them has no byte of them.
 */

import { resolve } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { bindThread, type Program } from "../../src/backends/wasm/program.ts";
import { wasmBackend } from "../../src/backends/wasm/wasm-backend.ts";
import { PLAIN } from "../../src/kernels/js/index.ts";
import { REFERENCE, type Runners, runnerOf } from "../../src/kernels/reference/index.ts";
import { emitModule, exportOf, FORWARD, lower, TILES } from "../../src/kernels/wasm/index.ts";
import type { Lowered } from "../../src/kernels/wasm/lowered.ts";
import { sequential, softmax } from "../../src/layers/index.ts";
import type { KernelCall } from "../../src/operations/kernel-call.ts";
import { plan } from "../../src/plan/plan.ts";
import { sameBits } from "./on-wasm.ts";
import {
  GRADIENTS,
  INTEGERS,
  type IntegerAddCall,
  type ReluGradientCall,
  TWICE,
  WASM_GRADIENTS,
  WASM_INTEGERS,
} from "./tables-of-others.ts";

type Call = KernelCall | ReluGradientCall;

const FLOATS = Float32Array.of(1.5, -2, 0, -0, Number.NaN, Infinity, -Infinity, 1e-45, 3, -1e-45, 7, 6, -6);
const SLOPES = FLOATS.map((_, index) => index - 4.25);
const EXPECTED = Float32Array.of(-4.25, 0, 0, 0, 0, 0.75, 0, 2.75, 3.75, 0, 5.75, 6.75, 0);

const relu: Call = { kernel: "activation", elements: FLOATS.length, activation: "relu" };
const gradient: Call = { kernel: "reluGradient", elements: FLOATS.length };

const features = { relaxed: false, shared: false };
const tile = TILES.plain;

/** Runs a lowered call on a memory of its own, its range cut for so many threads. */
function run<Numbers extends Float32Array | Int32Array>(
  lowered: Lowered,
  binary: Uint8Array<ArrayBuffer>,
  inputs: readonly Numbers[],
  threads: number,
): ArrayBuffer {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
  const addresses = [1024, 2048];
  for (const [index, input] of inputs.entries())
    new Uint8Array(memory.buffer).set(new Uint8Array(input.buffer), addresses[index]);
  lowered.write(new DataView(memory.buffer), 16, { inputs: addresses, output: 4096, weights: 0, zeros: 0 });
  const { module, entry, units } = lowered;
  const program: Program = {
    stages: [{ calls: [{ module, entry, block: 16, step: 0 }], units, perExample: true, band: 0 }],
    control: { start: 0, barrier: 0, batch: 0, cancelled: 0 },
    threads,
    spins: 0,
    scratch: 8192,
    scratchBytes: 0,
  };
  const find = (name: string, kernel: string) => exportOf({ [module]: exports }, name, kernel);
  for (let thread = 0; thread < threads; thread++) bindThread(program, find, thread)(0, 1);
  return memory.buffer.slice(4096, 4096 + (inputs[0]?.byteLength ?? 0));
}

describe("a table of gradients", () => {
  it.each([
    ["reference", REFERENCE],
    ["plain", PLAIN],
  ])("is one with the table of the %s backend", (_, table) => {
    const training: Runners<Call> = { ...table, ...GRADIENTS };
    const kernel = runnerOf(training);
    const output = FLOATS.slice();
    kernel(relu)(1, { inputs: [FLOATS], parameters: [], output });
    expect(sameBits(output, Float32Array.of(1.5, 0, 0, -0, Number.NaN, Infinity, 0, 1e-45, 3, 0, 7, 6, 0))).toBe(true);
    kernel(gradient)(1, { inputs: [FLOATS, SLOPES], parameters: [], output });
    expect(sameBits(output, EXPECTED)).toBe(true);
  });

  it("is one with the emitted kernels, and computes as its loop does on any number of threads", () => {
    const training = {
      lowering: { ...FORWARD.lowering, ...WASM_GRADIENTS.lowering },
      modules: { ...FORWARD.modules, ...WASM_GRADIENTS.modules },
    };
    for (const threads of [1, 2, 3]) {
      const lowered = lower(gradient, tile, training);
      const binary = emitModule("gradients", features, tile, training.modules);
      expect(sameBits(new Float32Array(run(lowered, binary, [FLOATS, SLOPES], threads)), EXPECTED)).toBe(true);
    }
    expect(lower(relu, tile, training)).toMatchObject({ module: "elementwise", entry: "clamp" });
    const ours = emitModule("elementwise", features, tile);
    expect(Buffer.compare(ours, emitModule("elementwise", features, tile, training.modules))).toBe(0);
  });
});

it("a backend that is handed a table runs what it names, beside one that is not", async () => {
  const layers = sequential({ inputShape: [3] }, [softmax({ name: "softmax" })]);
  const planned = plan(layers);
  const outputs: number[][] = [];
  for (const kernels of [TWICE, FORWARD]) {
    const backend = wasmBackend({ relaxed: false, threads: 1, batch: 1, worker: () => expect.fail(), kernels });
    const bound = await backend.layOut(planned).bind(layers.parameters);
    bound.write({ [planned.input]: Float32Array.of(1, 1, 1) });
    await bound.run(1, { breath: { isDue: false, take: () => Promise.resolve() } });
    const [output] = await bound.read(["softmax"], 1);
    outputs.push([...output!]);
  }
  expect(outputs).toEqual([[2, 2, 2], Array(3).fill(Math.fround(1 / 3))]);
});

describe("a table of another numeric type", () => {
  const call: IntegerAddCall = { kernel: "addIntegers", elements: 7 };
  const a = Int32Array.of(1, -2, 0x7fff_ffff, 2 ** 24 + 1, 0, -1, 5);
  const b = Int32Array.of(2, -3, 1, 2 ** 24 + 2, 0, 1, -6);
  const sums = Int32Array.of(3, -5, -0x8000_0000, 2 ** 25 + 3, 0, 0, -1);

  it("runs in plain loops", () => {
    const output = new Int32Array(7);
    runnerOf(INTEGERS)(call)(1, { inputs: [a, b], parameters: [], output });
    expect(output).toEqual(sums);
  });

  it("runs emitted", () => {
    const binary = emitModule("integers", features, tile, WASM_INTEGERS.modules);
    for (const threads of [1, 2])
      expect(new Int32Array(run(lower(call, tile, WASM_INTEGERS), binary, [a, b], threads))).toEqual(sums);
  });
});

it("the compiler names a kernel that a table lacks, and a module that nobody emits", () => {
  // @ts-expect-error There is no row for "reluGradient".
  const incomplete: Runners<Call> = { ...REFERENCE };
  const { lowering } = WASM_GRADIENTS;
  // @ts-expect-error There is no module "gradients".
  const homeless: typeof WASM_GRADIENTS = { lowering, modules: {} };
  // @ts-expect-error Ours lower no gradient.
  const unknown = () => lower(gradient, tile, FORWARD);
  expect([incomplete, homeless, unknown]).toHaveLength(3);
});

it("a page that has ours and not theirs has no byte of them", () => {
  const bundle = (code: string) =>
    buildSync({
      stdin: { contents: code, resolveDir: resolve(import.meta.dirname, "../.."), loader: "ts" },
      bundle: true,
      // Not identifiers: what was dropped still has a say in who gets the shortest name.
      minifySyntax: true,
      minifyWhitespace: true,
      format: "esm",
      write: false,
    }).outputFiles[0]!.text;
  const ours = `
    import { referenceKernel } from "./src/kernels/reference/index.ts";
    import { emitModule, lower } from "./src/kernels/wasm/index.ts";
    console.log(referenceKernel, lower, emitModule);`;
  const theirs = `import { GRADIENTS, WASM_GRADIENTS } from "./test/kernels/tables-of-others.ts";`;
  expect(bundle(theirs + ours)).toBe(bundle(ours));
  expect(bundle(`${theirs + ours} console.log(GRADIENTS, WASM_GRADIENTS);`).length).toBeGreaterThan(
    bundle(ours).length,
  );
});
