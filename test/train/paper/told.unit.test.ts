/** @slow: reads what was built. What `npm run train:paper` tells in a line, and what keeps its stack. */

import { expect, it } from "vitest";
import { DepthwiseError } from "../../../src/core/errors.ts";
import { script } from "./fixture.ts";

const { isTold } = await script<{ isTold(cause: unknown): Promise<boolean> }>("told.mjs");
const { Refusal } = await script<{ Refusal: new (message: string) => Error }>("../shared/refusal.mjs");

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
