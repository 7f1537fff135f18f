import { defineConfig, mergeConfig } from "vitest/config";
import whole from "./vitest.config.ts";

/**
 * The kernels as V8 joins them, which it is told to at the start of each process. Once compiled to its last tier at once,
 * which elsewhere only what runs long enough comes to; and once tier by tier, as in a program, but soon: what was seen to
 * run is then inlined in other ways. Node 24 or later.
 */
const JOINING = "--experimental-wasm-revectorize";
const kernels = ["test/kernels/wasm.property.test.ts", "test/kernels/training/*.property.test.ts"];
const sessions = [
  "test/session/{random-networks.property,conformance.golden,wide.unit}.test.ts",
  "test/train/trainer.golden.test.ts",
];

const wide = mergeConfig(
  whole,
  defineConfig({
    test: {
      projects: [
        {
          extends: true,
          test: {
            name: "last tier at once",
            include: [...kernels, ...sessions],
            execArgv: [JOINING, "--no-liftoff", "--no-wasm-lazy-compilation"],
          },
        },
        {
          extends: true,
          test: { name: "tier by tier", include: kernels, execArgv: [JOINING, "--wasm-tiering-budget=1000"] },
        },
      ],
    },
  }),
);
// Each project has its own.
wide.test.include = [];

export default wide;
