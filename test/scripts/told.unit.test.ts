/** @slow: reads what was built. What scripts tell in a line, and what keeps its stack. */

import { resolve } from "node:path";
import { expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";

const scripts = resolve(import.meta.dirname, "../../scripts/shared");
const { isTold } = (await import(resolve(scripts, "told.mjs"))) as { isTold(cause: unknown): Promise<boolean> };
const { isBuiltAnew } = (await import(resolve(scripts, "told.mjs"))) as { isBuiltAnew(cause: unknown): boolean };
const { Refusal } = (await import(resolve(scripts, "refusal.mjs"))) as {
  Refusal: new (message: string) => Error;
};

it.each<[string, unknown, boolean]>([
  ["what a person can mend", new Refusal("x"), true],
  ["an error of the library", new DepthwiseError("FILE_NOT_FOUND", { what: "x", advice: "y", fields: {} }), true],
  ["an error of the system", Object.assign(new Error("x"), { code: "ENOSPC", syscall: "write" }), true],
  ["a fault of ours that Node noticed", Object.assign(new TypeError("x"), { code: "ERR_INVALID_ARG_TYPE" }), false],
  ["any other fault", new TypeError("x"), false],
  ["what is no error", undefined, false],
])("%s: %s is told: %s", async (_, cause, isLine) => {
  expect(await isTold(cause)).toBe(isLine);
});

it("knows a library that was built anew from a module that never was", async () => {
  const missing = (path: string) => import(path).catch((cause: unknown) => cause);
  expect(isBuiltAnew(await missing(resolve(scripts, "../../dist/esm/none.js")))).toBe(true);
  expect(isBuiltAnew(await missing(resolve(scripts, "none.mjs")))).toBe(false);
  expect(isBuiltAnew(undefined)).toBe(false);
});
