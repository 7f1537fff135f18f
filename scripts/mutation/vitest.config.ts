import { configDefaults, defineConfig, mergeConfig } from "vitest/config";
import whole from "../../vitest.config.ts";

/** Tests on the sources: without a build, a browser or a command, and none that takes a minute by itself. */
const config = mergeConfig(whole, defineConfig({}));
config.test.include = ["core", "operations", "layers", "models", "plan", "cost", "eager", "golden"].map(
  (room) => `test/${room}/**/*.test.ts`,
);
config.test.exclude = [...configDefaults.exclude];
config.test.globalSetup = ["test/cache-folder.ts"];
config.test.maxWorkers = 1;

export default config;
