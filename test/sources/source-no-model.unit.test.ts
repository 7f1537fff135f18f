/** What is no model is not kept, however short it is, and what was kept by mistake is fetched again. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SourceOptions } from "../../src/sources/options.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { saveTfjs } from "../../src/weights/write-tfjs.ts";
import { file, type MisbehavingServer, startServer, status } from "../fixtures/misbehaving-server.ts";
import { modelOf } from "../fixtures/one-value-model.ts";
import { opener, temporaryFolder } from "../fixtures/source-tools.ts";

const PAGE = new TextEncoder().encode("<!doctype html><title>Log in</title>");
const SAFETENSORS = "/o/n/resolve/main/model.safetensors";

let server: MisbehavingServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: Uint8Array;
beforeEach(async () => {
  server = await startServer();
  folder = await temporaryFolder();
  model = encodeModel(modelOf(3));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const load = (source: string, options: SourceOptions = {}) =>
  loadModel(source, { cache: folder.path, hubUrl: server.url, kerasUrl: server.url, retries: 0, ...options });
const kept = async () => (await readdir(folder.path)).filter((name) => /\.bin$/.test(name));

describe("a short page in place of a model", () => {
  it.each([
    ["under a name of Hugging Face", "hf:o/n@main/model.safetensors", SAFETENSORS],
    ["under a name of Keras", "keras:mobilenet_1_0_224_tf", "/mobilenet/mobilenet_1_0_224_tf.h5"],
  ])("%s is not kept: mended, the server is asked again", async (_, name, path) => {
    server.on(path, file(PAGE), file(model));
    await expect(load(name)).rejects.toMatchObject({ code: "FORMAT_UNKNOWN" });
    expect(await kept()).toEqual([]);
    expect((await load(name)).info.labels).toEqual(["3"]);
    await load(name);
    expect(server.count(path)).toBe(2);
  });

  it("at an address is not kept, even where it is not asked again; nor is an empty file", async () => {
    const url = server.on("/m", file(PAGE), file(new Uint8Array()), file(model));
    await expect(load(url, { refresh: false })).rejects.toMatchObject({ code: "FORMAT_UNKNOWN" });
    await expect(load(url, { refresh: false })).rejects.toMatchObject({ code: "FILE_EMPTY" });
    expect(await kept()).toEqual([]);
    expect((await load(url, { refresh: false })).info.labels).toEqual(["3"]);
  });

  it("that is in the cache is dropped and fetched again, also where the server says that it is unchanged", async () => {
    server.on(SAFETENSORS, file(PAGE), file(model));
    const url = server.on("/m", file(PAGE), status(304), file(model));
    // As an older version kept it.
    await opener().open(server.url + SAFETENSORS, { cache: folder.path });
    await opener().open(url, { cache: folder.path });
    expect(await kept()).toHaveLength(2);
    expect((await load("hf:o/n@main/model.safetensors")).info.labels).toEqual(["3"]);
    expect((await load(url)).info.labels).toEqual(["3"]);
    expect(server.count("/m")).toBe(3);
  });

  it("that is in the cache does not answer offline, or for a server that is gone", async () => {
    const url = server.on("/m", file(PAGE), status(500));
    await opener().open(url, { cache: folder.path });
    await expect(load(url)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    expect(await kept()).toEqual([]);
    await opener().open(server.on("/n", file(PAGE)), { cache: folder.path });
    await expect(load(`${server.url}/n`, { offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("beside a model is not kept either", async () => {
    await using saved = await temporaryFolder();
    await saveTfjs(modelOf(3), saved.path);
    const names = await readdir(saved.path);
    for (const name of names) {
      const bytes = await readFile(join(saved.path, name));
      server.on(`/o/n/resolve/main/${name}`, ...(name === "model.json" ? [] : [file(PAGE)]), file(bytes));
    }
    const failing = load("hf:o/n@main/model.json");
    await expect(failing).rejects.toMatchObject({ code: "FORMAT_UNKNOWN", message: expect.stringContaining("HTML") });
    expect(await kept()).toHaveLength(1);
    // The other shard may still have been on its way.
    await load("hf:o/n@main/model.json").catch(() => {});
    expect((await load("hf:o/n@main/model.json")).info.labels).toEqual(["3"]);
  });
});
