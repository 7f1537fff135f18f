import { defineConfig, mergeConfig } from "vitest/config";
import whole from "./vitest.config.ts";

/**
 * The kernels as V8 joins them, from the first call on: it is told to at the start of each process, and to compile to its
 * last tier at once, which elsewhere only what runs long enough comes to. Node 24 or later.
 */
const wide = mergeConfig(
  whole,
  defineConfig({
    test: { execArgv: ["--experimental-wasm-revectorize", "--no-liftoff", "--no-wasm-lazy-compilation"] },
  }),
);
wide.test.include = [
  "test/kernels/wasm.property.test.ts",
  "test/session/{random-networks.property,conformance.golden,wide.unit}.test.ts",
];

export default wide;
