/** @slow: it takes 3 seconds. */

import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cacheDirectory, freeName, keyOf, openPartial, ownName } from "../../src/sources/disk-files.ts";
import { clearCache, listCache } from "../../src/sources/index.ts";
import type { Progress, SourceOptions } from "../../src/sources/options.ts";
import {
  type Act,
  cutAt,
  file,
  type MisbehavingServer,
  redirect,
  same,
  sha256,
  someBytes,
  startServer,
  status,
  tagOf,
} from "../fixtures/misbehaving-server.ts";
import { opener, temporaryFolder } from "../fixtures/source-tools.ts";

const bytes = someBytes(100_000);
const other = someBytes(100_000, 2);

let server: MisbehavingServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cache: string;
beforeEach(async () => {
  server = await startServer();
  folder = await temporaryFolder();
  cache = join(folder.path, "cache");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const open = (url: string, options: SourceOptions = {}) => opener().open(url, { cache, ...options });
const names = () => readdir(cache).then((found) => found.sort());
const entryOf = (url: string) => [`${keyOf(url)}.bin`, `${keyOf(url)}.json`];

describe("what was downloaded", () => {
  it("comes from the cache the next time: asked whether it changed, or without a request", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    same((await open(url)).bytes, bytes);
    expect(server.asked[1]?.headers["if-none-match"]).toBe(tagOf(bytes));
    same((await open(url, { sha256: sha256(bytes) })).bytes, bytes);
    const seen: Progress[] = [];
    same((await open(url, { refresh: false, onProgress: (progress) => seen.push(progress) })).bytes, bytes);
    expect(server.asked).toHaveLength(2);
    expect(seen).toEqual([{ file: url, received: 100_000, total: 100_000, fromCache: true }]);
    expect(await names()).toEqual(entryOf(url));
    same((await open(url, { offline: true })).bytes, bytes);
  });

  it("is replaced when the address answers with another file", async () => {
    const url = server.on("/m.bin", file(bytes), file(other));
    await open(url);
    same((await open(url)).bytes, other);
    same((await open(url, { offline: true })).bytes, other);
  });

  it("answers where the server can no longer be reached, and says so; not where the file is gone", async () => {
    const url = server.on("/m.bin", file(bytes), status(500));
    await open(url);
    const seen: Progress[] = [];
    same((await open(url, { retries: 0, onProgress: (progress) => seen.push(progress) })).bytes, bytes);
    expect(seen.at(-1)).toMatchObject({ fromCache: true, note: "the server could not be asked whether it changed" });
    server.on("/m.bin", status(404));
    await expect(open(url)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("is not kept with cache: false, nor if it could not be had", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url, { cache: false });
    await expect(open(server.on("/n.bin", status(404)))).rejects.toThrow();
    await expect(open(url, { sha256: sha256(other) })).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    await expect(open(url, { size: 5 })).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    await expect(open(url, { maxBytes: 5 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    expect(await names().catch(() => [])).toEqual([]);
  });

  it("is kept in the default directory", async () => {
    vi.stubEnv("DEPTHWISE_CACHE", cache);
    const url = server.on("/m.bin", file(bytes));
    await open(url, { cache: true });
    expect(await names()).toEqual(entryOf(url));
    expect(await listCache()).toHaveLength(1);
  });

  it("is bounded when it is read, too", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    await expect(open(url, { maxBytes: 99_999 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    expect(await names()).toEqual(entryOf(url));
  });

  it("is fetched again if another size or digest is wanted", async () => {
    const url = server.on("/m.bin", file(bytes), file(other));
    await open(url);
    same((await open(url, { sha256: sha256(bytes) })).bytes, bytes);
    expect(server.asked).toHaveLength(1);
    same((await open(url, { sha256: sha256(other) })).bytes, other);
    same((await open(url, { offline: true })).bytes, other);
    await expect(open(url, { offline: true, size: 5 })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("is kept for each address alone, whatever mirror it came from", async () => {
    const url = server.on("/m.bin?a", status(404));
    await open(url, { mirrors: [server.on("/mirror", file(bytes))] });
    same((await open(url, { offline: true })).bytes, bytes);
    await expect(open(`${server.url}/m.bin?b`, { offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

describe("refresh", () => {
  it("asks whether the file changed, and takes the copy if it did not", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    const seen: Progress[] = [];
    same((await open(url, { refresh: true, onProgress: (progress) => seen.push(progress) })).bytes, bytes);
    expect(server.asked[1]?.headers["if-none-match"]).toBe(tagOf(bytes));
    expect(seen.map(({ fromCache }) => fromCache)).toEqual([true]);
    server.on("/m.bin", file(other));
    same((await open(url, { refresh: true })).bytes, other);
    same((await open(url, { refresh: false })).bytes, other);
    expect(server.asked).toHaveLength(3);
  });

  it("fetches the file if the copy turns out broken after the server said it is right", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    await writeFile(join(cache, `${keyOf(url)}.bin`), other);
    same((await open(url, { refresh: true })).bytes, bytes);
    same((await open(url, { offline: true })).bytes, bytes);
  });

  it("fails when the server does, but keeps the copy; offline it is not asked", async () => {
    const url = server.on("/m.bin", file(bytes), status(500));
    await open(url);
    await expect(open(url, { refresh: true })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    same((await open(url, { refresh: true, offline: true })).bytes, bytes);
  });

  it("does not offer the tag of the first address to a mirror", async () => {
    const url = server.on("/m.bin", file(bytes, { etag: '"same"' }), status(404));
    await open(url);
    const mirrors = [server.on("/mirror", file(other, { etag: '"same"' }))];
    same((await open(url, { refresh: true, mirrors })).bytes, other);
  });

  it("does not ask about a copy that is not the one wanted", async () => {
    const url = server.on("/m.bin", file(bytes, { etag: '"same"' }), file(other, { etag: '"same"' }));
    await open(url);
    same((await open(url, { refresh: true, sha256: sha256(other) })).bytes, other);
    expect(server.asked).toHaveLength(2);
  });

  it("does not offer the tag of a mirror to the first address", async () => {
    const url = server.on("/m.bin", status(404), file(other, { etag: '"same"' }));
    await open(url, { mirrors: [server.on("/mirror", file(bytes, { etag: '"same"' }))] });
    same((await open(url, { refresh: true })).bytes, other);
  });
});

describe("a broken entry", () => {
  const breakings: [string, (bin: string, json: string) => Promise<void>][] = [
    ["a changed byte", (bin) => writeFile(bin, bytes.with(50_000, (bytes[50_000] ?? 0) ^ 1))],
    ["missing bytes", (bin) => writeFile(bin, bytes.subarray(0, 99_999))],
    ["bytes too many", (bin) => writeFile(bin, Buffer.concat([bytes, bytes]))],
    ["no bytes", (bin) => import("node:fs/promises").then(({ rm }) => rm(bin))],
    ["half of its facts", async (_bin, json) => writeFile(json, (await readFile(json, "utf8")).slice(0, 40))],
    ["facts of another kind", (_bin, json) => writeFile(json, "[1]")],
    [
      "facts of another file",
      async (_bin, json) => {
        await writeFile(json, (await readFile(json, "utf8")).replace("/m.bin", "/n.bin"));
      },
    ],
    [
      "a size that lies",
      async (_bin, json) => writeFile(json, (await readFile(json, "utf8")).replace("100000", "1e300")),
    ],
  ];
  it.each(breakings)("(%s) is dropped and fetched again", async (_name, breaking) => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    const [bin = "", json = ""] = entryOf(url).map((name) => join(cache, name));
    await breaking(bin, json);
    await expect(open(url, { offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    expect(await listCache({ cache })).toEqual([]);
    same((await open(url, { refresh: false })).bytes, bytes);
    await breaking(bin, json);
    // What the broken copy had of the budget, the new one gets.
    same((await open(url, { maxBytes: 100_000, refresh: false })).bytes, bytes);
    expect(server.asked).toHaveLength(3);
    same((await open(url, { offline: true })).bytes, bytes);
    expect(await names()).toEqual(entryOf(url));
  });
});

describe("a tag that was changed by hand", () => {
  it.each(['"a\nb"', '"a\r\nx-evil: 1"', '"🎈"', "\u0000", "\u2028"])("to %j counts as none", async (tag) => {
    const url = server.on("/m.bin", file(bytes), file(bytes), file(other));
    await open(url);
    const json = join(cache, entryOf(url)[1] ?? "");
    await writeFile(json, JSON.stringify({ ...JSON.parse(await readFile(json, "utf8")), etag: tag }));
    same((await open(url, { offline: true })).bytes, bytes);
    same((await open(url)).bytes, bytes);
    expect(server.asked.at(-1)?.headers["if-none-match"]).toBeUndefined();
    expect(JSON.parse(await readFile(json, "utf8")).etag).toBe(tagOf(bytes));
    // The same of what is left of a download.
    await clearCache({ cache });
    const left = { address: url, validator: tag, etag: tag, total: 100_000 };
    await writeFile(join(cache, freeName(keyOf(url))), `${JSON.stringify(left)}\n0123456789`);
    same((await open(url)).bytes, other);
    expect(server.asked.at(-1)?.headers.range).toBeUndefined();
  });
});

describe("a cache that cannot be used", () => {
  it("fails no download, but is told of", async () => {
    await writeFile(cache, "a file where the directory should be");
    const url = server.on("/m.bin", file(bytes));
    const notes: (string | undefined)[] = [];
    same((await open(url, { onProgress: ({ note }) => notes.push(note) })).bytes, bytes);
    expect(notes.filter((note) => note !== undefined)).toEqual([
      expect.stringContaining("what arrives is not kept on disk: "),
      expect.stringContaining("it could not be kept in the cache: "),
    ]);
    await expect(listCache({ cache })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await expect(clearCache({ cache })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});

describe("a download that failed", () => {
  it("goes on the next time where it ended", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), file(bytes));
    await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
    });
    expect(await names()).toHaveLength(1);
    same((await open(url)).bytes, bytes);
    expect(server.asked[1]?.headers).toMatchObject({ range: "bytes=60000-", "if-range": tagOf(bytes) });
    expect(await names()).toEqual(entryOf(url));
  });

  it("and was complete is asked about, by its last byte", async () => {
    const url = server.on("/m.bin", file(bytes));
    await mkdir(cache);
    const left = { address: url, validator: tagOf(bytes), etag: tagOf(bytes), total: 100_000 };
    await writeFile(
      join(cache, freeName(keyOf(url))),
      Buffer.concat([Buffer.from(`${JSON.stringify(left)}\n`), bytes]),
    );
    const opened = await open(url);
    same(opened.bytes, bytes);
    expect(opened.bytes.byteOffset % 8).toBe(0);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual(["bytes=99999-"]);
  });

  it("starts again when the file changed since, also where ranges are served without looking", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), file(other));
    await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toThrow();
    same((await open(url)).bytes, other);
    expect(server.asked).toHaveLength(2);
    expect(await names()).toEqual(entryOf(url));
  });

  it.each([
    ["401", [status(401)], {}],
    ["403", [status(403)], {}],
    ["404", [status(404)], {}],
    ["410", [status(410)], {}],
    ["400", [status(400)], {}],
    ["a redirect to nowhere", [redirect("nowhere:")], {}],
    ["the half and no more wanted", [], { maxBytes: 60_000 }],
    ["less than the half wanted", [], { maxBytes: 9 }],
    ["another size wanted", [file(bytes)], { size: 5 }],
  ])("goes on after a try that the server's bytes had no part in: %s", async (_, acts, options) => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), ...acts, file(bytes));
    await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toThrow();
    const before = await readFile(join(cache, (await names())[0] ?? ""));
    await expect(open(url, options)).rejects.toThrow();
    expect(await readFile(join(cache, (await names())[0] ?? ""))).toEqual(before);
    same((await open(url)).bytes, bytes);
    expect(server.asked.at(-1)?.headers.range).toBe("bytes=60000-");
    expect(await names()).toEqual(entryOf(url));
  });

  it("goes on after the file was gone for a while, in the same try", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 50_000 }), status(404), file(bytes));
    await expect(open(url, { onProgress: cutAt(server, 50_000) })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    same((await open(url)).bytes, bytes);
    expect(server.asked.at(-1)?.headers.range).toBe("bytes=50000-");
  });

  it("leaves nothing if the file is another by now, which is too large or of the wrong size", async () => {
    const larger = someBytes(150_000, 3);
    for (const options of [{ maxBytes: 100_000 }, { size: 100_000 }]) {
      const url = server.on(`/${Object.keys(options)[0]}`, file(bytes, { stallAfter: 60_000 }), file(larger));
      await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toThrow();
      expect(await names()).toHaveLength(1);
      await expect(open(url, options)).rejects.toThrow();
      expect(await names()).toEqual([]);
    }
  });

  it.each([
    ["more", [...bytes.subarray(60_000), 1, 2, 3]],
    ["less", [...bytes.subarray(60_000, 99_000)]],
  ])(
    "is not taken as whole if the rest is %s than the server said, whose length nobody knew before",
    async (_, rest) => {
      for (const chunked of [true, false]) {
        const wrong: Act = (_request, response) => {
          const headers = { etag: tagOf(bytes), "content-range": "bytes 60000-99999/100000" };
          response.writeHead(206, headers).write(Uint8Array.from(rest));
          response.end();
        };
        const url = server.on(`/${chunked}`, file(bytes, { stallAfter: 60_000, chunked }), wrong, file(bytes));
        await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toThrow();
        same((await open(url, { maxBytes: 100_000 })).bytes, bytes);
      }
    },
  );

  it("leaves nothing if it is too large or wrong", async () => {
    await expect(open(server.on("/n.bin", file(bytes, { chunked: true })), { maxBytes: 9 })).rejects.toThrow();
    await expect(open(server.on("/p.bin", file(bytes)), { sha256: sha256(other) })).rejects.toThrow();
    // The mirror may do better another time; that is no reason to keep what is wrong.
    const mirrors = [server.on("/mirror", status(500))];
    await expect(open(`${server.url}/p.bin`, { sha256: sha256(other), mirrors })).rejects.toThrow();
    await writeFile(join(cache, freeName(keyOf(`${server.url}/none`))), "no header");
    await expect(open(`${server.url}/none`)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    expect(await names()).toEqual([]);
  });

  it("is not taken up if it is still running, or does not say what it is", async () => {
    const url = server.on("/m.bin", file(bytes));
    await mkdir(cache);
    const key = keyOf(url);
    const header = `${JSON.stringify({ address: url, validator: tagOf(bytes), total: 100_000 })}\n`;
    const running = ownName(key, "part");
    await writeFile(join(cache, running), `${header}0123456789`);
    await writeFile(join(cache, freeName(key)), "no header");
    await writeFile(join(cache, freeName(key)), "{}\n0123456789");
    await writeFile(join(cache, freeName(key)), `${header.replace("m.bin", "n.bin")}0123456789`);
    same((await open(url)).bytes, bytes);
    expect(server.asked[0]?.headers.range).toBeUndefined();
    expect(await names()).toEqual([...entryOf(url), running].sort());
  });

  it("is not taken up if the machine was started since", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), file(bytes));
    await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toThrow();
    const [part = ""] = await names();
    await utimes(join(cache, part), 0, 0);
    same((await open(url)).bytes, bytes);
    expect(server.asked[1]?.headers.range).toBeUndefined();
    expect(await names()).toEqual(entryOf(url));
  });
});

describe("the list and the broom", () => {
  it("tell what is there and remove it, and nothing else", async () => {
    expect(await listCache({ cache })).toEqual([]);
    expect(await clearCache({ cache })).toEqual({ entries: 0, unfinished: 0, bytes: 0 });
    const urls = [server.on("/b.bin", file(bytes)), server.on("/a.bin", file(other.subarray(0, 500)))];
    for (const url of urls) await open(url);
    const list = await listCache({ cache });
    expect(list).toEqual([
      {
        url: urls[1],
        bytes: 500,
        sha256: sha256(other.subarray(0, 500)),
        path: join(cache, `${keyOf(urls[1] ?? "")}.bin`),
        savedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
      expect.objectContaining({ url: urls[0], bytes: 100_000 }),
    ]);

    const key = keyOf("https://example.com/x");
    const running = ownName(key, "part");
    const dead = ownName(key, "tmp").replace(`-${process.pid}-`, "-999999999-");
    const elsewhere = running.replace(/\.[0-9a-f]{8}-/, ".00000000-");
    const deadElsewhere = dead.replace(/\.[0-9a-f]{8}-/, ".00000000-");
    const old = elsewhere.replace(/.part$/, ".tmp");
    for (const name of [running, dead, elsewhere, deadElsewhere, old, "notes.txt", "model.bin"]) {
      await writeFile(join(cache, name), "0123456789");
    }
    await utimes(join(cache, old), 0, 0);
    await writeFile(join(cache, `${key}.bin`), "an entry without facts");
    expect(await listCache({ cache })).toHaveLength(2);
    const cleared = await clearCache({ cache });
    expect([cleared.entries, cleared.unfinished]).toEqual([2, 0]);
    expect(cleared.bytes).toBe(100_500 + 20 + "an entry without facts".length);
    expect(await names()).toEqual([running, elsewhere, deadElsewhere, "notes.txt", "model.bin"].sort());
    await expect(listCache({ directory: cache } as never)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("count and remove what unfinished downloads left", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }));
    await expect(open(url, { retries: 0, onProgress: cutAt(server, 60_000) })).rejects.toThrow();
    expect(await listCache({ cache })).toEqual([]);
    expect(await clearCache({ cache })).toEqual({ entries: 0, unfinished: 1, bytes: expect.any(Number) });
    expect(await names()).toEqual([]);
  });

  it("sweep away what was left of files that nobody asks for any more, after a week", async () => {
    await mkdir(cache);
    const ago = (days: number) => Date.now() / 1000 - days * 86_400;
    const key = keyOf("https://example.com/another");
    const [mine, dead] = [ownName(key, "part"), ownName(key, "part").replace(/-\d+-/, "-999999999-")];
    // All but the first two are eight days old.
    const kept = [freeName(key), mine, "notes.txt", `${key}.bin`, `${key}.json`, `${key}.free-0-x.part`];
    const gone = [freeName(key), dead, dead.replace(/\.[0-9a-f]{8}-/, ".00000000-"), dead.replace(/part$/, "tmp")];
    for (const name of [...kept, ...gone]) await writeFile(join(cache, name), "0123456789");
    for (const name of [...kept, ...gone]) await utimes(join(cache, name), ago(8), ago(8));
    await utimes(join(cache, kept[0] ?? ""), ago(6), ago(6));
    await utimes(join(cache, mine), ago(0.5), ago(0.5));
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    expect(await names()).toEqual([...kept, ...entryOf(url)].sort());
  });

  it("leave alone an old part that another process has just taken over", async () => {
    const key = keyOf("https://example.com/another");
    await mkdir(cache);
    const left = { address: "https://example.com/another", validator: '"a"', etag: '"a"', total: 100_000 };
    const old = join(cache, freeName(key));
    await writeFile(old, `${JSON.stringify(left)}\n0123456789`);
    const uptime = vi.spyOn(process.getBuiltinModule("node:os"), "uptime").mockReturnValue(1e9);
    await utimes(old, Date.now() / 1000 - 8 * 86_400, Date.now() / 1000 - 8 * 86_400);
    const renamed = vi.spyOn(process.getBuiltinModule("node:fs/promises"), "rename");
    const ages: number[] = [];
    const { rename } = process.getBuiltinModule("node:fs");
    renamed.mockImplementation(async (from, to) => {
      ages.push(Date.now() - (await stat(from)).mtimeMs);
      await new Promise<void>((done, fail) => rename(from, to, (error) => (error ? fail(error) : done())));
    });
    const taken = await openPartial(cache, key);
    expect(taken.left?.size).toBe(10);
    // On another machine its name says no more than that it is somebody's: only its age does.
    expect(Math.max(...ages)).toBeLessThan(3_600_000);
    await taken.drop();
    renamed.mockRestore();
    uptime.mockRestore();
  });

  it("take a directory, true, or false for none, and nothing else for the default one", async () => {
    vi.stubEnv("DEPTHWISE_CACHE", cache);
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    for (const junk of [null, 5, "", {}, [], 0, Number.NaN, () => cache]) {
      for (const work of [clearCache, listCache]) {
        await expect(work({ cache: junk as never })).rejects.toMatchObject({
          code: "OPTION_INVALID",
          message: expect.stringMatching(/^(clear|list)Cache: cache: expected true, false or the name of a directory/),
        });
      }
    }
    for (const junk of [null, 5, "x", [], true]) {
      await expect(clearCache(junk as never)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    }
    expect(await clearCache({ cache: false })).toEqual({ entries: 0, unfinished: 0, bytes: 0 });
    expect(await listCache({ cache: false })).toEqual([]);
    expect(await names()).toEqual(entryOf(url));
    expect(await listCache({ cache: true })).toHaveLength(1);
    expect(await clearCache({ cache: true })).toMatchObject({ entries: 1 });
    expect(await names()).toEqual([]);
  });

  it("take a directory as a file: address, and no other address", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url, { cache: pathToFileURL(cache).href });
    expect(await names()).toEqual(entryOf(url));
    expect(await listCache({ cache: `file:${cache}` })).toHaveLength(1);
    for (const address of ["https://me:s3cret@localhost/x", "file://elsewhere/x", "s3://bucket/x"]) {
      const refused = { code: "OPTION_INVALID", message: expect.stringMatching(/^source: cache(?!.*s3cret)/) };
      for (const work of [clearCache, listCache]) {
        await expect(work({ cache: address })).rejects.toMatchObject(refused);
      }
      await expect(open(url, { cache: address })).rejects.toMatchObject(refused);
    }
  });

  it("show no signature of an address, and remove it all the same", async () => {
    const url = server.on("/m.bin?id=1&signature=s3cret", file(bytes));
    await open(url);
    expect(await listCache({ cache })).toMatchObject([{ url: `${server.url}/m.bin?id=1&signature=…` }]);
    expect(await clearCache({ cache })).toMatchObject({ entries: 1 });
    expect(await names()).toEqual([]);
  });

  it("are not held up by what is no file, and leave a directory alone", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    const [bin = "", json = ""] = entryOf(url).map((name) => join(cache, name));
    await rm(json);
    spawnSync("mkfifo", [json]);
    spawnSync("mkfifo", [join(cache, freeName(keyOf(url)))]);
    expect(await listCache({ cache })).toEqual([]);
    same((await open(url)).bytes, bytes);
    expect(await listCache({ cache })).toHaveLength(1);
    const key = keyOf("elsewhere");
    for (const name of [`${key}.json`, `${key}.bin`, freeName(key)]) await mkdir(join(cache, name));
    expect(await clearCache({ cache })).toMatchObject({ entries: 1 });
    await open(url);
    await rm(bin);
    await mkdir(bin);
    expect(await listCache({ cache })).toEqual([]);
    same((await open(url)).bytes, bytes);
    expect(await clearCache({ cache })).toEqual({ entries: 0, unfinished: 0, bytes: expect.any(Number) });
    expect((await names()).filter((name) => name.endsWith(".json"))).toEqual([`${key}.json`]);
  }, 10_000);

  it("do not believe what an entry says of its size: it is fetched again", async () => {
    for (const refresh of [false, true]) {
      const url = server.on(`/${refresh}`, file(bytes));
      await open(url);
      const facts = join(cache, `${keyOf(url)}.json`);
      await writeFile(facts, (await readFile(facts, "utf8")).replace("100000", "1000000000000000"));
      same((await open(url, { refresh })).bytes, bytes);
      expect(server.count(`/${refresh}`)).toBe(2);
      await writeFile(facts, " ".repeat(2 ** 20) + (await readFile(facts, "utf8")));
      expect(await listCache({ cache })).toHaveLength(refresh ? 1 : 0);
      same((await open(url, { refresh })).bytes, bytes);
    }
  });

  it("do not count what is half there", async () => {
    const url = server.on("/m.bin", file(bytes));
    await open(url);
    await writeFile(join(cache, `${keyOf(url)}.bin`), "half");
    expect(await listCache({ cache })).toEqual([]);
    expect(await clearCache({ cache })).toMatchObject({ entries: 0 });
    expect(await names()).toEqual([]);
  });

  it.each([
    [{ DEPTHWISE_CACHE: "/own", XDG_CACHE_HOME: "/xdg" }, "linux", "/own"],
    [{ XDG_CACHE_HOME: "/xdg" }, "linux", "/xdg/depthwise"],
    [{ XDG_CACHE_HOME: "xdg" }, "linux", "/home/me/.cache/depthwise"],
    [{ DEPTHWISE_CACHE: "" }, "linux", "/home/me/.cache/depthwise"],
    [{}, "darwin", "/home/me/Library/Caches/depthwise"],
    [{ LOCALAPPDATA: "/local" }, "win32", "/local/depthwise/Cache"],
    [{}, "win32", "/home/me/AppData/Local/depthwise/Cache"],
  ])("by default look in the system's place: %o on %s", (environment, platform, expected) => {
    expect(cacheDirectory(environment, platform, "/home/me")).toBe(expected);
  });
});
