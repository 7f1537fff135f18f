/** What `doctor` says here, and what it would say elsewhere: the engine's globals are exchanged, modules loaded anew. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile, type Diagnosis } from "../../src/session/index.ts";

/** Bytes of `f32x4.relaxed_madd`. */
const RELAXED_MADD = [0xfd, 0x85, 0x02];

/** `doctor()` as modules see it that were loaded where these globals are. */
async function diagnose(globals: Readonly<Record<string, unknown>>): Promise<Diagnosis> {
  vi.resetModules();
  const { doctor } = await import("../../src/session/doctor.ts");
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  try {
    return doctor();
  } finally {
    vi.unstubAllGlobals();
  }
}

const feature = ({ features }: Diagnosis, wanted: string) => features.find(({ name }) => name === wanted);

afterEach(() => vi.unstubAllGlobals());

describe("doctor", () => {
  it("says what sessions do here, in plain data", async () => {
    const diagnosis = await diagnose({});
    expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
    expect(diagnosis.engine).toBe(`Node ${process.versions.node} (V8 ${process.versions.v8})`);
    expect(diagnosis.features.map(({ name }) => name)).toEqual(["wasm", "simd", "relaxed", "shared", "wide"]);
    const session = await compile(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2 }));
    const { backend, simd, threads, reasons, features } = session.explain();
    expect(diagnosis.chosen.defaults).toMatchObject({ backend, simd, threads, reasons });
    for (const { name, on, reason, advice } of diagnosis.features) {
      // Nothing here asked for it.
      expect([name, on]).toEqual([name, name === "wide" ? false : features[name]]);
      expect([name, reason !== undefined, advice !== undefined]).toEqual([name, !on, !on]);
    }
    expect(diagnosis.chosen.autoThreads.threads).toBe(Math.min(diagnosis.cores, 8));
  });

  it("without WebAssembly says how to get it, and once only", async () => {
    const diagnosis = await diagnose({ WebAssembly: undefined });
    expect(feature(diagnosis, "wasm")).toMatchObject({ on: false, advice: expect.stringContaining("--jitless") });
    expect(feature(diagnosis, "simd")).toEqual({ name: "simd", on: false, reason: "there is no WebAssembly here" });
    expect(diagnosis.chosen.defaults).toMatchObject({ backend: "plain", simd: "none", threads: 1 });
    expect(diagnosis.chosen.defaults).not.toHaveProperty("tiles");
  });

  it("names the policy that refuses WebAssembly", async () => {
    class Module {
      constructor() {
        throw new EvalError("Refused to compile WebAssembly module");
      }
    }
    const { validate, Memory } = WebAssembly;
    const diagnosis = await diagnose({ WebAssembly: { validate, Memory, Module } });
    expect(feature(diagnosis, "wasm")).toMatchObject({
      on: false,
      advice: expect.stringContaining("'wasm-unsafe-eval'"),
    });
    expect(feature(diagnosis, "simd")).toMatchObject({ on: true });
    expect(diagnosis.chosen.autoThreads).toMatchObject({ backend: "plain", threads: 1 });
  });

  it("names the two headers of a page that is not cross-origin isolated", async () => {
    const diagnosis = await diagnose({ SharedArrayBuffer: undefined, crossOriginIsolated: false });
    const { advice } = feature(diagnosis, "shared") ?? {};
    expect(advice).toContain("Cross-Origin-Opener-Policy: same-origin");
    expect(advice).toContain("Cross-Origin-Embedder-Policy: require-corp");
    expect(diagnosis.chosen.autoThreads).toMatchObject({ backend: "wasm", threads: 1 });
    expect(feature(await diagnose({ SharedArrayBuffer: undefined }), "shared")?.advice).not.toContain("Cross-Origin");
  });

  it.each([
    ["11.3.244.8", "11.4"],
    ["12.4.254", "this engine has none"],
  ])("says why V8 %s has no relaxed SIMD, and takes other tiles", async (v8, text) => {
    const holds = (bytes: Uint8Array) => bytes.some((_, at) => RELAXED_MADD.every((byte, i) => bytes[at + i] === byte));
    const { Module, Memory, validate } = WebAssembly;
    const diagnosis = await diagnose({
      WebAssembly: { Module, Memory, validate: (bytes: Uint8Array<ArrayBuffer>) => !holds(bytes) && validate(bytes) },
      process: Object.create(process, { versions: { value: { node: "20.0.0", v8 } } }),
    });
    expect(feature(diagnosis, "relaxed")).toMatchObject({ reason: expect.stringContaining(text) });
    expect(feature(diagnosis, "relaxed")?.advice).toContain("Node 22 or later");
    expect(diagnosis.chosen.defaults).toMatchObject({ simd: "plain", tiles: expect.stringMatching(/^(early|plain)$/) });
  });

  it("gives a browser's userAgent and cores", async () => {
    const navigator = { userAgent: "Mozilla/5.0 (a browser)", hardwareConcurrency: 12 };
    const diagnosis = await diagnose({ process: undefined, navigator });
    expect(diagnosis).toMatchObject({ engine: navigator.userAgent, cores: 12 });
    expect(diagnosis.chosen.autoThreads.threads).toBe(8);
  });

  it("is not in a bundle that does not ask for it", async () => {
    const { buildSync } = await import("esbuild");
    const bundle = (name: string) =>
      buildSync({
        stdin: { contents: `import { ${name} } from "./src/index.ts"; console.log(${name});`, resolveDir: "." },
        bundle: true,
        format: "esm",
        splitting: true,
        outdir: "out",
        write: false,
      })
        .outputFiles.map(({ text }) => text)
        .join("");
    expect(bundle("doctor")).toContain("Cross-Origin-Opener-Policy");
    expect(bundle("compile")).not.toContain("Cross-Origin-Opener-Policy");
  });
});
