import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configDefaults, defineConfig, mergeConfig } from "vitest/config";
import whole from "./vitest.config.ts";

/**
 * What is run while one writes: unit and property tests, on the sources. Left out are rooms that want a browser or a
 * build, and files whose head says `@slow` and why: the mark stands in the file, so that it moves with it.
 */
const marked = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => join("test", file))
  .filter((file) => /^ \* @slow|^\/\*\* @slow/m.test(readFileSync(file, "utf8").slice(0, 1000)));

const fast = mergeConfig(
  whole,
  defineConfig({
    // A test that takes longer is in the wrong subset.
    test: { testTimeout: 5_000 },
  }),
);
fast.test.include = ["test/**/*.{unit,property}.test.ts"];
fast.test.exclude = [...configDefaults.exclude, "test/browser/**", "test/cli/**", "test/places/**", ...marked];

export default fast;
