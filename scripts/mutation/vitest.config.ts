import { basename } from "node:path";
import { configDefaults, defineConfig, mergeConfig } from "vitest/config";
import whole from "../../vitest.config.ts";

/**
 * The tests that judge: those near what is changed. What a table or an arrow function at the top of a module says is
 * read when the module is loaded, so such a slip is put to every test there is (58 % of those in `operations/`), and
 * with all that import the room an hour is not enough. A slip that only a far test sees is worth a near one anyway.
 */
const NEAR: Readonly<Record<string, readonly string[]>> = {
  operations: ["operations", "eager"],
  understand: ["understand", "formats/graph.unit.test.ts"],
};

/**
 * Seconds for each mutant: networks of 10,000 layers, whole networks run tap by tap, and what goes through every door of
 * the library, which has to load all of it each time.
 */
const SLOW = [
  "layers/many-layers",
  "plan/plan.property",
  "models/mobilenet-v1.golden",
  "core/realms",
  "core/preprocessing.unit",
  "cost/cost.golden",
  "cost/cost.unit",
  "understand/given-back",
  "understand/table-told-once",
  "understand/evidence-damage",
  "understand/graph-networks.golden",
  "understand/own-networks.property",
  "understand/other-blocks",
  "understand/views.property",
  "understand/own-widths",
  "understand/evidence.unit",
];
/** The same, of single tests: they try a million names, and addresses of as many letters. */
const SLOW_TESTS = ["among a million", "in time that grows", "of any length", "for a dilation of"];

/** `src/plan` is judged by `test/plan`; a file of a room by what is called after it, `describe` by `describe*`. */
const include = (process.env["DEPTHWISE_MUTATED"] ?? "").split(",").flatMap((path) => {
  const [, room = ""] = path.split("/");
  const near = NEAR[room] ?? [room];
  return room === "weights"
    ? [`test/${room}/${basename(path.replace(/\.ts.*/, ""))}*.test.ts`]
    : near.map((place) => (place.endsWith(".ts") ? `test/${place}` : `test/${place}/**/*.test.ts`));
});

const config = mergeConfig(whole, defineConfig({}));
config.test.include = include;
config.test.exclude = [...configDefaults.exclude, ...SLOW.map((file) => `test/${file}.*`)];
config.test.globalSetup = ["test/cache-folder.ts"];
config.test.maxWorkers = 1;
config.test.testNamePattern = new RegExp(`^(?!.*(?:${SLOW_TESTS.join("|")}))`);

export default config;
