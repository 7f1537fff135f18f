/** What the engine can do, found out by asking it to validate modules of a few bytes. */

import { access, float, int, moduleBuilder, op } from "./assembler/index.ts";

export interface EngineFeatures {
  /** Whether WebAssembly runs here at all. A page's policy may forbid it. */
  readonly wasm: boolean;
  /** 128-bit vectors. */
  readonly simd: boolean;
  /** `f32x4.relaxed_madd`. */
  readonly relaxed: boolean;
  /** Memory that threads can share, and atomic instructions on it. */
  readonly shared: boolean;
  /** V8 before version 12, or an engine as old: its compiler wants other tiles. */
  readonly early: boolean;
}

let found: EngineFeatures | undefined;

/** Probed at the first call and remembered. */
export function probeFeatures(): EngineFeatures {
  found ??= probe();
  return found;
}

function probe(): EngineFeatures {
  const spread = op("f32x4.splat", float(1));
  const simd = validates(() => [access("v128.store", 0, int(0), op("f32x4.add", spread, spread))]);
  return {
    wasm: runs(),
    simd,
    relaxed: validates(() => [access("v128.store", 0, int(0), op("f32x4.relaxed_madd", spread, spread, spread))]),
    shared: typeof SharedArrayBuffer === "function" && makesSharedMemory(),
    // Asked of the language, since wasm has no sign of it: Array.fromAsync came with V8 12.1.
    early: !("fromAsync" in Array),
  };
}

function validates(body: () => ReturnType<typeof access<"v128.store">>[]): boolean {
  const module = moduleBuilder({ shared: false });
  module.func("probe", {}, body);
  return typeof WebAssembly === "object" && WebAssembly.validate(module.bytes());
}

/** Validation is allowed where compilation is not: a content security policy without 'wasm-unsafe-eval'. */
function runs(): boolean {
  try {
    return new WebAssembly.Module(moduleBuilder({ shared: false }).bytes()) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

function makesSharedMemory(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}
