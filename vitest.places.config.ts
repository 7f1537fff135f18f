import { defineConfig, mergeConfig } from "vitest/config";
import whole from "./vitest.config.ts";

/** The packed package in empty projects, one a place. Apart from the tests: it installs what it builds with. */
const places = mergeConfig(
  whole,
  defineConfig({ test: { testTimeout: 300_000, hookTimeout: 300_000, maxWorkers: 1 } }),
);
places.test.globalSetup = [...(places.test.globalSetup ?? []), "test/places/packed.ts"];
places.test.include = ["test/places/**/*.places.ts"];
export default places;
