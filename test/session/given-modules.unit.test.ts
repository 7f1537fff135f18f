/** Modules written by `depthwise/kernels` and handed to `compile`: the same bits, or an error that says what to do. */

import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { kernelModules } from "../../src/backends/wasm/kernel-modules.ts";
import { EMITTED, emitModule, MODULE_NAMES, TILES } from "../../src/kernels/wasm/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { SIMD, worker } from "../backends.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });
const x = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i));

/** As an import of a .wasm file gives them. */
function imported(modules: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Record<string, WebAssembly.Module> {
  return Object.fromEntries(Object.entries(modules).map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]));
}

/** Nothing is compiled from bytes in here, as in a Worker. */
async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  vi.spyOn(WebAssembly, "compile").mockRejectedValue(new Error("Wasm code generation disallowed by embedder"));
  try {
    return await work();
  } finally {
    vi.restoreAllMocks();
  }
}
afterEach(() => vi.restoreAllMocks());

const refused = (modules: unknown, options: object = {}) =>
  compile(model, { ...options, modules: modules as Record<string, WebAssembly.Module> }).then(
    (session) => session.close(),
    (error: unknown) => error,
  );

it("the sign of the emitted code is that of all binaries", () => {
  const hash = createHash("sha256");
  for (const [row, tile] of Object.entries(TILES))
    for (const shared of [false, true])
      for (const name of MODULE_NAMES) hash.update(emitModule(name, { relaxed: row === "relaxed", shared }, tile));
  // Of other code: write this into module-file.ts, so that files that were written before are told from it.
  expect(EMITTED).toBe(hash.digest("hex").slice(0, 12));
});

describe("modules written before", () => {
  it("are said not to be used by a backend that has none", async () => {
    using session = await compile(model, { backend: "plain", modules: imported(kernelModules(model)) });
    expect(session.explain().reasons).toEqual(["the modules are not used: only the wasm backend has any"]);
  });

  it("take threads as compile does", () => {
    expect(Object.keys(kernelModules(model, { threads: "auto" }))).toContain("gate");
    for (const threads of [0, 65, "many"]) {
      const expected = expect.stringMatching(/^kernelModules: threads: expected "auto" or a whole number from 1 to 64/);
      expect(() => kernelModules(model, { threads: threads as number })).toThrow(
        expect.objectContaining({ code: "OPTION_INVALID", message: expected }),
      );
    }
  });

  it("for one thread are not advised against where more could not run anyway", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    try {
      vi.resetModules();
      const [{ compile: compileThere }, { kernelModules: write }] = await Promise.all([
        import("../../src/session/compile.ts"),
        import("../../src/backends/wasm/kernel-modules.ts"),
      ]);
      using session = await compileThere(model, { threads: 2, modules: imported(write(model)) });
      expect(session.explain().reasons.join()).toMatch(/no shared memory/);
      expect(session.explain().reasons.join()).not.toMatch(/kernelModules/);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each(["plain", "relaxed"] as const)("are those that compile emits: %s SIMD", (simd) => {
    for (const threads of [1, 2]) {
      const modules = kernelModules(model, { simd, threads });
      for (const [name, bytes] of Object.entries(modules)) {
        const emitted = emitModule(name as "pool", { relaxed: simd === "relaxed", shared: threads > 1 }, TILES[simd]);
        expect(bytes.subarray(0, emitted.length)).toEqual(emitted);
        expect(bytes.length).toBeLessThan(emitted.length + 100);
      }
      const gate = threads > 1 ? ["gate"] : [];
      expect(Object.keys(modules).sort()).toEqual(["depthwise-3", ...gate, "pool", "product", "softmax"]);
    }
  });

  it("give the same bits where nothing else compiles, for networks at random", async () => {
    const networks = fc.record({
      alpha: fc.constantFrom(0.25, 0.3, 0.5),
      resolution: fc.constantFrom(32, 33, 48),
      classes: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(1000),
      simd: fc.constantFrom(...SIMD),
      threads: fc.constantFrom(1, 2),
      fold: fc.boolean(),
      batch: fc.constantFrom(1, 2),
      taps: fc.constantFrom([], ["conv_pw_6"], ["conv_dw_1", "conv_pw_13"]),
    });
    await fc.assert(
      fc.asyncProperty(networks, async ({ simd, threads, fold, batch, taps, ...options }) => {
        const network = mobileNetV1(options);
        const side = options.resolution;
        const values = Float32Array.from({ length: batch * side * side * 3 }, (_, i) => Math.sin(i));
        const usual = await compile(network, { simd, threads, worker, fold, batch, taps });
        const expected = await usual.run(values);
        usual.close();
        const modules = imported(kernelModules(network, { simd, threads, fold, taps }));
        await refusing(async () => {
          const session = await compile(network, { modules, threads, worker, fold, batch, taps });
          expect(session.explain()).toMatchObject({ backend: "wasm", simd, threads });
          expect(await session.run(values)).toEqual(expected);
          session.close();
        });
      }),
      { numRuns: 12 },
    );
  });

  it("serve other networks of the same kinds of layers, and one thread though they are for two", async () => {
    const modules = imported(kernelModules(model, { threads: 2 }));
    const other = mobileNetV1({ alpha: 0.5, resolution: 32, classes: 7 });
    const session = await refusing(() => compile(other, { modules }));
    const usual = await compile(other, { simd: "plain" });
    expect((await session.run(x)).logits).toEqual((await usual.run(x)).logits);
    session.close();
    usual.close();
  });

  it("for one thread run on one, and say so", async () => {
    const session = await compile(model, { modules: imported(kernelModules(model)), threads: 2 });
    expect(session.threads).toBe(1);
    expect(session.explain().reasons.join()).toContain("kernelModules(model, { threads: 2 })");
    session.close();
  });

  it("that lack what a network needs are refused before anything is allocated", async () => {
    const error = await refused(imported(kernelModules(model)), { fold: false });
    expect(error).toMatchObject({ code: "OPTION_INVALID" });
    expect(String(error)).toContain("elementwise too, which mobilenet_v1_0.25_32 needs");
    expect(String(error)).toContain("the same taps, fold and threads");
  });
});

describe("modules that are none of this network's are refused:", () => {
  const good = imported(kernelModules(model));
  const bytes = kernelModules(model);
  const stale = new Uint8Array(bytes["pool"]!);
  stale[new TextDecoder("latin1").decode(stale).lastIndexOf(EMITTED)] = 0x78;
  const empty = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  const shared = imported(kernelModules(model, { threads: 2 }))["pool"];
  const CASES: Readonly<Record<string, readonly [modules: unknown, message: RegExp, options?: object]>> = {
    "no record": [3, /expected a record of WebAssembly.Module/],
    null: [null, /expected a record/],
    "a list": [Object.values(good), /expected a record/],
    nothing: [{}, /found "none".* kernelModules of depthwise\/kernels/],
    "a wrong name": [{ ...good, depthwise3: good["depthwise-3"] }, /one of product, .*Did you mean "depthwise"/],
    bytes: [bytes, /modules\["product"\]: expected a WebAssembly.Module .*import them/],
    "another's module": [{ ...good, pool: empty }, /modules\["pool"\]: expected a WebAssembly.Module/],
    "a module under another's name": [
      { ...good, pool: good["softmax"] },
      /expected the module "pool", found "softmax"/,
    ],
    "a stale one": [{ ...good, pool: new WebAssembly.Module(stale) }, /of this version \(.* again/],
    "of two calls": [{ ...good, pool: shared }, /plain SIMD, one thread.*plain SIMD, several threads/],
    "too few": [{ product: good["product"] }, /depthwise-3, pool, softmax too, which/],
    "of other SIMD than asked for": [good, /expected relaxed SIMD, as the option simd says/, { simd: "relaxed" }],
    "with any backend": [{}, /expected a record/, { backend: "plain" }],
  };
  it.each(Object.entries(CASES))("%s", async (_, [modules, message, options]) => {
    const error = await refused(modules, options);
    expect(error).toMatchObject({ code: "OPTION_INVALID" });
    expect(String(error)).toMatch(message);
  });
});

it("kernelModules checks what it is given", () => {
  for (const call of [
    () => kernelModules(model, { simd: "auto" as "plain" }),
    () => kernelModules(model, { threads: 0 }),
    () => kernelModules(model, { tap: [] } as object),
  ])
    expect(call).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  expect(() => kernelModules(model, { taps: ["nowhere"] })).toThrow(expect.objectContaining({ code: "NAME_UNKNOWN" }));
  expect(() => kernelModules({} as typeof model)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
});
