import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { optionalPackage } from "../../src/weights/optional-package.ts";

describe("what is loaded when it is used", () => {
  it("a package that is not there is named, with what to install", async () => {
    const cause = new Error("no such module");
    const missing = optionalPackage("fflate", "a.zip", () => Promise.reject(cause));
    await expect(missing).rejects.toBeInstanceOf(DepthwiseError);
    await expect(missing).rejects.toMatchObject({
      code: "PACKAGE_MISSING",
      message: "a.zip needs the package fflate, which could not be loaded. Install it: npm install fflate",
      fields: { package: "fflate" },
      cause,
    });
  });
});
