/** Parts of the library in files of their own, where they cannot be had. */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ownPart } from "../../src/core/own-part.ts";

const src = resolve(import.meta.dirname, "../../src");

describe("a part of the library", () => {
  it("that cannot be fetched is a typed error that names it, and is asked for again", async () => {
    const cause = new TypeError("Failed to fetch dynamically imported module");
    await expect(ownPart("the profile", () => Promise.reject(cause))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/^a part of depthwise could not be loaded: the profile\. In a browser load/),
      fields: { part: "the profile" },
      cause,
    });
    await expect(ownPart("the profile", async () => ({ five: 5 }))).resolves.toEqual({ five: 5 });
  });

  it("in whose place an empty script came is as if it could not be fetched", async () => {
    await expect(ownPart("the profile", async () => ({}))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/^a part of depthwise could not be loaded: the profile\. /),
      cause: expect.objectContaining({ message: "the script that came is empty" }),
    });
  });

  it("is loaded nowhere without saying so", () => {
    const bare = readdirSync(src, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.startsWith("cli") && file !== "formats/registry.ts")
      .flatMap((file) =>
        readFileSync(resolve(src, file), "utf8")
          .replaceAll(/ownPart\(\s*("[^"]*"|`[^`]*`),\s*\(\) => import\("\./g, "")
          .split("\n")
          .filter((line) => /\bimport\("\./.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(bare).toEqual([]);
  });
});
