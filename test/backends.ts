/** "For each backend": all the ways in which this engine can run a network, and what it cannot run, by name. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { probeFeatures } from "../src/kernels/wasm/index.ts";
import type { CompileOptions } from "../src/session/compile.ts";

/** The built script: workers cannot read TypeScript. `npm test` builds it first. */
export const worker = (): Worker => new Worker(resolve(import.meta.dirname, "../dist/esm/worker.js"));

export interface BackendVariant {
  readonly name: string;
  readonly options: Pick<CompileOptions, "backend" | "simd" | "threads" | "worker">;
  /** Why it cannot run here. */
  readonly missing?: string;
}

const { relaxed } = probeFeatures();
const lacking = relaxed ? {} : { missing: `Node ${process.version} has no relaxed SIMD` };

/** Why V8 joins no vectors here: it does since Node 24, on x64 processors with AVX2. */
export const NOT_WIDE: string | undefined =
  Number(process.versions.node.split(".")[0]) < 24
    ? `Node ${process.version} joins no vectors`
    : process.arch === "x64" && hasAvx2()
      ? undefined
      : "this processor has no AVX2";

function hasAvx2(): boolean {
  try {
    return /\bavx2\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    // Linux alone says so; where it is not asked, it is tried.
    return true;
  }
}

/** Which SIMD this engine has, each with its own bits. */
export const SIMD: readonly ("plain" | "relaxed")[] = relaxed ? ["plain", "relaxed"] : ["plain"];

export const BACKENDS: readonly BackendVariant[] = [
  { name: "reference", options: { backend: "reference" } },
  { name: "plain", options: { backend: "plain" } },
  { name: "wasm, plain SIMD, 1 thread", options: { backend: "wasm", simd: "plain", threads: 1 } },
  { name: "wasm, relaxed SIMD, 1 thread", options: { backend: "wasm", simd: "relaxed", threads: 1 }, ...lacking },
  ...[2, 4].map((threads) => ({
    name: `wasm, ${relaxed ? "relaxed" : "plain"} SIMD, ${threads} threads`,
    options: { backend: "wasm", simd: "auto", threads, worker } as const,
  })),
  ...[1, 2, 4].map((threads) => ({
    name: `wasm, wide SIMD, ${threads} threads`,
    options: { backend: "wasm", simd: "wide", threads, worker } as const,
    ...(NOT_WIDE === undefined ? {} : { missing: NOT_WIDE }),
  })),
];

/** `describe` for each backend; one that is absent is a test that says so, and fails where it should be there. */
export function describeEachBackend(body: (variant: BackendVariant) => void): void {
  for (const variant of BACKENDS) {
    describe(`on ${variant.name}`, () => {
      if (variant.missing === undefined) return body(variant);
      it(`could not run: ${variant.missing}`, () => {
        const least = variant.missing === NOT_WIDE ? 24 : 22;
        const isOld = Number(process.versions.node.split(".")[0]) < least;
        expect(isOld || variant.missing?.includes("AVX2")).toBe(true);
      });
    });
  }
}
