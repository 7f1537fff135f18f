/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  inPlace: true,
  testRunner: "vitest",
  vitest: { configFile: "scripts/mutation/vitest.config.ts", related: true },
  coverageAnalysis: "perTest",
  concurrency: 2,
  // A loop that no longer ends.
  timeoutMS: 20_000,
  timeoutFactor: 3,
  ignoreStatic: false,
  // Words of messages are looked at by people, and by tests of their own.
  mutator: { excludedMutations: ["StringLiteral"] },
  reporters: ["progress-append-only", "clear-text", "json"],
  jsonReporter: { fileName: "reports/mutation.json" },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: "reports/tmp",
  checkers: [],
};
