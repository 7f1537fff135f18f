/** "For each backend": all the ways in which this engine can run a network, and what it cannot run, by name. */

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
];

/** `describe` for each backend; one that is absent is a test that says so, and fails where it should be there. */
export function describeEachBackend(body: (variant: BackendVariant) => void): void {
  for (const variant of BACKENDS) {
    describe(`on ${variant.name}`, () => {
      if (variant.missing === undefined) return body(variant);
      it(`could not run: ${variant.missing}`, () => {
        expect(Number(process.versions.node.split(".")[0])).toBeLessThan(22);
      });
    });
  }
}
