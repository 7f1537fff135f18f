/** What JavaScript calls of emitted modules: typed by their emitters, and found missing when it is bound, by its name. */

import { describe, expect, it } from "vitest";
import { kernelModules } from "../../src/backends/wasm/kernel-modules.ts";
import { bindThread, type Program } from "../../src/backends/wasm/program.ts";
import { InternalError } from "../../src/core/errors.ts";
import { emitModule, exportOf, MODULE_NAMES, type ModuleExports, TILES } from "../../src/kernels/wasm/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { worker } from "../backends.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });

function instance(name: (typeof MODULE_NAMES)[number], shared = false): WebAssembly.Exports {
  const module = new WebAssembly.Module(emitModule(name, { relaxed: false, shared }, TILES.plain));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared });
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}

/** Names of all exports, which the compiler holds to be those of the emitters. */
const EXPORTS: { readonly [M in keyof ModuleExports]: readonly (keyof ModuleExports[M])[] } = {
  product: ["pointwise", "convolution", "pack"],
  "product-slim": ["pointwise", "convolution"],
  depthwise: ["depthwise"],
  "depthwise-3": ["depthwise"],
  "depthwise-5": ["depthwise"],
  pool: ["averagePool", "maxPool"],
  elementwise: ["add", "multiply", "scaleShift", "clamp", "hardSigmoid", "hardSwish", "leakyRelu"],
  softmax: ["softmax"],
  gate: ["open", "pass", "arrive"],
};

describe("the types of exports", () => {
  it.each(MODULE_NAMES)("of %s are what the binary exports", (name) => {
    expect(Object.keys(instance(name, name === "gate"))).toEqual(EXPORTS[name]);
  });

  it("count the words of a call", () => {
    const instances = { gate: instance("gate", true) };
    const pass = exportOf(instances, "gate", "pass");
    // The words of the gate are 0, so that one that was seen at 1 is open.
    const isOpen: number = pass(0, 1, 0, 0);
    expect(isOpen).toBe(1);
    // @ts-expect-error The gate, what was seen, how often to look, whether to sleep.
    expect(pass(0, 1, 0)).toBe(1);
    // @ts-expect-error A gate does not close.
    expect(() => exportOf(instances, "gate", "close")).toThrow(InternalError);
  });
});

describe("an export that is missing", () => {
  const missing = /^The module "softmax" exports no "softmax". This is a bug in depthwise/;

  it("is named where a program is bound", () => {
    const program: Program = {
      stages: [
        { calls: [{ module: "softmax", entry: "softmax", block: 0, step: 0 }], units: 1, perExample: true, band: 0 },
      ],
      control: { start: 0, barrier: 0, batch: 0, cancelled: 0 },
      threads: 1,
      spins: 0,
      scratch: 0,
      scratchBytes: 0,
    };
    for (const instances of [{}, { softmax: instance("pool") }]) {
      const bind = () => bindThread(program, (module, entry) => exportOf(instances, module, entry), 0);
      expect(bind).toThrow(InternalError);
      expect(bind).toThrow(missing);
    }
  });

  it.each([1, 2])("ends compile, on %i threads, before a worker starts", async (threads) => {
    const written = kernelModules(model, { threads });
    const features = { relaxed: false, shared: threads > 1 };
    // A file that says it is the softmax of this version, with the code of the pools.
    const code = (name: "softmax" | "pool") => emitModule(name, features, TILES.plain);
    const said = written["softmax"]!.subarray(code("softmax").length);
    const forged = new Uint8Array([...code("pool"), ...said]);
    const modules = Object.fromEntries(
      Object.entries({ ...written, softmax: forged }).map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]),
    );
    let workers = 0;
    const count = () => {
      workers++;
      return worker();
    };
    const failure = await compile(model, { modules, threads, worker: count }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InternalError);
    expect(String(failure)).toContain('The module "softmax" exports no "softmax".');
    expect(workers).toBe(0);
  });
});
