/** Directories that cannot be made: an error at once. `mkdir` of Node, told to make parents, never returns for some. */

import { mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeDirectory } from "../../src/sources/directory.ts";
import type { Progress } from "../../src/sources/options.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { saveTfjs } from "../../src/weights/write-tfjs.ts";
import { file, startServer } from "../fixtures/misbehaving-server.ts";
import { modelOf } from "../fixtures/one-value-model.ts";
import { temporaryFolder } from "../fixtures/source-tools.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const isDirectory = async (path: string) => (await stat(path)).isDirectory();

describe("a place where nothing can be made", () => {
  it("is no reason to wait: a model is loaded without a cache, and not saved", async () => {
    await using server = await startServer();
    const url = server.on("/m", file(encodeModel(modelOf(3))));
    const notes: Progress["note"][] = [];
    const model = await loadModel(url, { cache: "/proc/x", onProgress: ({ note }) => notes.push(note) });
    expect(notes).toContainEqual(expect.stringContaining("it could not be kept in the cache: "));
    await expect(saveTfjs(model, "/proc/x/y")).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  }, 10_000);

  it("is said to be a file, if one is in the way", async () => {
    const path = join(folder.path, "file");
    await writeFile(path, "mine");
    for (const place of [path, join(path, "a", "b")]) {
      await expect(saveTfjs(modelOf(3), place)).rejects.toMatchObject({
        code: "FILE_UNREADABLE",
        message: expect.stringMatching(/(EEXIST|ENOTDIR)\)\. A file is in the way/),
      });
    }
  });
});

describe("a directory", () => {
  it("is made with its parents, by many at once, and may be there already", async () => {
    const path = join(folder.path, "a", "b", "c", "d");
    await Promise.all(Array.from({ length: 20 }, () => makeDirectory(path)));
    await makeDirectory(`${path}/`);
    await makeDirectory(`${folder.path}/e/../f`);
    for (const made of [path, join(folder.path, "f")]) expect(await isDirectory(made)).toBe(true);
    await makeDirectory("/");
    await makeDirectory(".");
  });

  it("may be behind a link, but not behind one to nothing", async () => {
    await mkdir(join(folder.path, "real"));
    await symlink("real", join(folder.path, "link"));
    await symlink("nowhere", join(folder.path, "dangling"));
    await makeDirectory(join(folder.path, "link", "sub"));
    await makeDirectory(join(folder.path, "link"));
    expect(await isDirectory(join(folder.path, "real", "sub"))).toBe(true);
    await expect(makeDirectory(join(folder.path, "dangling"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeDirectory(join(folder.path, "dangling", "sub"))).rejects.toThrow();
  });
});
