/** Files that scripts write: whole or not at all, and where they were led to. */

import { once } from "node:events";
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
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const { writeWhole, writeTogether } = (await import(
  resolve(import.meta.dirname, "../../scripts/shared/write-whole.mjs")
)) as {
  writeWhole(file: string, text: string): void;
  writeTogether(files: ReadonlyMap<string, string>): void;
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

it("writes what a symbolic link leads to, where nothing is yet", () => {
  const link = join(folder, "link.txt");
  symlinkSync("a/none.txt", link);
  writeWhole(link, "text");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "a/none.txt"), "utf8")).toBe("text");
});

it("replaces several, or none where one cannot be written", () => {
  const [first, second] = [join(folder, "first.txt"), join(folder, "docs/second.txt")];
  writeTogether(new Map([[first, "one"]]));
  writeFileSync(join(folder, "docs"), "in the way");
  const both = new Map([first, second].map((file) => [file, "two"]));
  expect(() => writeTogether(both)).toThrow();
  expect(readFileSync(first, "utf8")).toBe("one");
  expect(readdirSync(folder).sort()).toEqual(["docs", "first.txt"]);
  rmSync(join(folder, "docs"));
  writeTogether(both);
  expect([first, second].map((file) => readFileSync(file, "utf8"))).toEqual(["two", "two"]);
});

it("removes what a process left that was killed while it wrote, and nothing else", () => {
  const file = join(folder, "a.txt");
  // No process has a number so large.
  const names = [`a.txt.${2 ** 30}.tmp`, `a.txt.${process.ppid}.tmp`, "a.txt.mine.tmp", `b.txt.${2 ** 30}.tmp`];
  for (const name of names) writeFileSync(join(folder, name), "left");
  writeWhole(file, "text");
  expect(readdirSync(folder).sort()).toEqual(["a.txt", ...names.slice(1)].sort());
});

it("follows no link of the name that it writes under first", () => {
  const [file, victim] = [join(folder, "a.txt"), join(folder, "victim.txt")];
  writeFileSync(victim, "mine");
  symlinkSync(victim, `${file}.${process.pid}.tmp`);
  writeWhole(file, "text");
  expect(readFileSync(victim, "utf8")).toBe("mine");
  expect([readFileSync(file, "utf8"), lstatSync(file).isSymbolicLink()]).toEqual(["text", false]);
});

it("leaves what is no file as it is", async () => {
  const path = join(folder, "socket");
  const server = createServer().listen(path);
  await once(server, "listening");
  symlinkSync(path, join(folder, "link"));
  for (const place of [path, join(folder, "link")])
    expect(() => writeWhole(place, "text")).toThrow(/socket is no file/);
  expect(lstatSync(path).isSocket()).toBe(true);
  server.close();
});

it("leaves nothing half-made beside what cannot be replaced", () => {
  mkdirSync(join(folder, "a/b"), { recursive: true });
  expect(() => writeWhole(join(folder, "a"), "text")).toThrow();
  expect(readdirSync(folder)).toEqual(["a"]);
});
