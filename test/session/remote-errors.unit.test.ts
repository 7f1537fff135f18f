/** Errors that come from the worker of a session are those of a session here. */

import { expect, it } from "vitest";
import { DepthwiseError, InternalError, isDepthwiseError } from "../../src/core/errors.ts";
import { receivedError, sentError } from "../../src/session/remote-messages.ts";

const sent = (error: unknown) => receivedError(structuredClone(sentError(error)));

it("keep code, words, fields and cause", () => {
  const cause = new TypeError("of the engine");
  const fields = { layer: "conv", sizes: [1, 2] };
  const parts = { what: "x".repeat(1900), expected: "y".repeat(1900), advice: "Do this.", fields, cause };
  const error = new DepthwiseError("MEMORY_EXCEEDED", parts);
  const again = sent(error);
  expect(isDepthwiseError(again)).toBe(true);
  expect(again).toMatchObject({ code: "MEMORY_EXCEEDED", fields, name: "DepthwiseError", message: error.message });
  expect(again.cause).toMatchObject({ name: "TypeError", message: "of the engine" });
});

it("of the library itself stay that, and others have their name", () => {
  const inner = sent(new InternalError("a step has no place."));
  expect(inner).toBeInstanceOf(InternalError);
  expect(inner.message).toBe(new InternalError("a step has no place.").message);
  expect(sent(new RangeError("too much"))).toMatchObject({ name: "RangeError", message: "too much" });
  expect(sent("a text").message).toBe("a text");
});

it("that are causes of themselves have an end", () => {
  const error = new Error("round");
  error.cause = error;
  expect(sent(error).message).toBe("round");
});
