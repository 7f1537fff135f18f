/** Files that scripts write: whole or not at all, and where they were led to. */

import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const { writeWhole } = (await import(resolve(import.meta.dirname, "../../scripts/shared/write-whole.mjs"))) as {
  writeWhole(file: string, text: string): void;
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-whole-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("makes the folder, and replaces what was there", () => {
  const file = join(folder, "a/b.txt");
  for (const text of ["one", "two"]) {
    writeWhole(file, text);
    expect(readFileSync(file, "utf8")).toBe(text);
  }
  expect(readdirSync(join(folder, "a"))).toEqual(["b.txt"]);
});

it("keeps a symbolic link, and replaces the file that it leads to", () => {
  const [real, link] = [join(folder, "real.txt"), join(folder, "link.txt")];
  writeFileSync(real, "one");
  symlinkSync("real.txt", link);
  writeWhole(link, "two");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toBe("two");
});

it("leaves nothing half-made beside what cannot be replaced", () => {
  mkdirSync(join(folder, "a/b"), { recursive: true });
  expect(() => writeWhole(join(folder, "a"), "text")).toThrow();
  expect(readdirSync(folder)).toEqual(["a"]);
});
