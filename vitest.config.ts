import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000 * Math.max(1, Number(process.env["DEPTHWISE_FUZZ"] ?? 1)),
    hookTimeout: 120_000,
    globalSetup: ["test/left-out.ts", "test/cache-folder.ts"],
    pool: "forks",
    maxWorkers: 2,
    // CI reads the counts from a file; a person reads the screen.
    reporters: process.env["DEPTHWISE_TEST_REPORT"] ? ["default", "json"] : ["default"],
    ...(process.env["DEPTHWISE_TEST_REPORT"] ? { outputFile: { json: process.env["DEPTHWISE_TEST_REPORT"] } } : {}),
  },
});
