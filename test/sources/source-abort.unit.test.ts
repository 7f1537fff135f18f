/** @slow: it takes 2 seconds. */

/** An abort is heard wherever a source waits, and what arrived by then is there the next time. */

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PartialFile, SourceCache } from "../../src/sources/cache.ts";
import { openDiskCache } from "../../src/sources/disk-cache.ts";
import { freeName, keyOf, openPartial } from "../../src/sources/disk-files.ts";
import { clearCache } from "../../src/sources/index.ts";
import type { SourceOptions } from "../../src/sources/options.ts";
import {
  type Act,
  type FileFacts,
  file,
  type MisbehavingServer,
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
const reason = new Error("enough");

let server: MisbehavingServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cache: string;
beforeEach(async () => {
  server = await startServer();
  folder = await temporaryFolder();
  cache = join(folder.path, "cache");
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const open = (url: string, options: SourceOptions = {}) => opener().open(url, { cache, ...options });
const names = () => readdir(cache).then((found) => found.sort());
const entryOf = (url: string) => [`${keyOf(url)}.bin`, `${keyOf(url)}.json`];

/** Options that abort once so many bytes have arrived. */
function abortAt(amount: number) {
  const control = new AbortController();
  const onProgress = ({ received }: { readonly received: number }) => received >= amount && control.abort(reason);
  return { signal: control.signal, onProgress: onProgress as (progress: unknown) => void };
}

/** Sends what is asked for in pieces of so many bytes, each when the one before is gone, and counts them. */
function inPieces(data: Uint8Array, size: number, sent: number[]): Act {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: tagOf(data), "content-length": data.length - start };
    const range = { "content-range": `bytes ${start}-${data.length - 1}/${data.length}` };
    response.writeHead(start === 0 ? 200 : 206, start === 0 ? headers : { ...headers, ...range });
    let at = start;
    const next = () => {
      if (response.destroyed || at >= data.length) return void response.end();
      const piece = data.subarray(at, at + size);
      at += piece.length;
      sent.push(piece.length);
      response.write(piece, () => setTimeout(next, 5));
    };
    next();
  };
}

describe("a download that is given up", () => {
  it("goes on the next time where it ended", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), file(bytes));
    await expect(open(url, abortAt(60_000))).rejects.toBe(reason);
    expect(await names()).toEqual([expect.stringMatching(/\.free-0-.+\.part$/)]);
    same((await open(url)).bytes, bytes);
    expect(server.asked[1]?.headers).toMatchObject({ range: "bytes=60000-", "if-range": tagOf(bytes) });
    expect(await names()).toEqual(entryOf(url));
  });

  it("again and again is sent hardly more than once", async () => {
    const large = someBytes(1_000_000);
    const sent: number[] = [];
    const url = server.on("/m.bin", inPieces(large, 10_000, sent));
    let tries = 0;
    for (let amount = 70_000; amount < large.length; amount += 70_000) {
      await expect(open(url, abortAt(amount))).rejects.toBe(reason);
      tries += 1;
    }
    same((await open(url)).bytes, large);
    expect(tries).toBe(14);
    // It was 8.4 × the file; what is on its way when the connection ends is lost.
    expect(sent.reduce((a, b) => a + b, 0)).toBeLessThan(2 * large.length);
    expect(await names()).toEqual(entryOf(url));
  });

  it("in the pause after a failure, or by what the caller's own function throws, is kept as well", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), status(500), file(bytes));
    const failing = ({ received }: { readonly received: number }) => {
      if (received === 60_000) throw reason;
    };
    await expect(open(url, { onProgress: failing })).rejects.toBe(reason);
    const control = new AbortController();
    const { clock } = opener();
    const waiting = opener({
      clock: {
        ...clock,
        after(ms, callback) {
          if (ms !== 500) return clock.after(ms, callback);
          setImmediate(() => control.abort(reason));
          return () => {};
        },
      },
    });
    await expect(waiting.open(url, { cache, signal: control.signal })).rejects.toBe(reason);
    same((await open(url)).bytes, bytes);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=60000-", "bytes=60000-"]);
  });

  it.each<[string, FileFacts]>([
    ["a tag", {}],
    ["a date", { etag: null, lastModified: "Sat, 29 Nov 2025 10:00:00 GMT" }],
  ])(
    "after its last byte is asked about the next time, by %s, and sent no more than that byte",
    async (_how, facts) => {
      const url = server.on("/m.bin", file(bytes, facts));
      await expect(open(url, abortAt(100_000))).rejects.toBe(reason);
      same((await open(url)).bytes, bytes);
      expect(server.asked[1]?.headers).toMatchObject({
        range: "bytes=99999-",
        "if-range": facts.lastModified ?? tagOf(bytes),
      });
      expect(server.asked).toHaveLength(2);
      expect(await names()).toEqual(entryOf(url));
    },
  );

  it.each<[string, FileFacts, SourceOptions]>([
    ["", {}, {}],
    [", where the server is to be asked", {}, { refresh: true }],
    [", where the server knows no ranges", { ranges: false }, {}],
    [", where it is known by its date", { etag: null, lastModified: "Sat, 29 Nov 2025 10:00:00 GMT" }, {}],
  ])("after its last byte, and has changed since, is the new file the next time%s", async (_how, facts, options) => {
    const later = facts.lastModified === undefined ? {} : { lastModified: "Sat, 29 Nov 2025 10:00:01 GMT" };
    const url = server.on("/m.bin", file(bytes, facts), file(other, { ...facts, ...later }));
    await expect(open(url, abortAt(100_000))).rejects.toBe(reason);
    same((await open(url, options)).bytes, other);
    same((await open(url, { offline: true })).bytes, other);
    expect(await names()).toEqual(entryOf(url));
  });

  it("after its last byte, again and again, and by a cache that leaves it whole, is never taken unasked", async () => {
    const url = server.on("/m.bin", file(bytes), file(bytes), file(bytes), file(other));
    for (let tries = 0; tries < 3; tries++) await expect(open(url, abortAt(100_000))).rejects.toBe(reason);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=99999-", "bytes=99999-"]);
    const openCache = async (name: boolean | string): Promise<SourceCache> => ({
      ...openDiskCache(String(name)),
      async partial() {
        const real = await openPartial(cache, keyOf(url));
        return { ...real, left: real.left && { ...real.left, size: bytes.length, load: async () => bytes } };
      },
    });
    same((await opener({ openCache }).open(url, { cache })).bytes, other);
    expect(server.asked[3]?.headers.range).toBeUndefined();
  });

  it("and has changed since is fetched whole", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), file(other));
    await expect(open(url, abortAt(60_000))).rejects.toBe(reason);
    same((await open(url)).bytes, other);
    expect(await names()).toEqual(entryOf(url));
  });

  it("whose cached copy is older goes on with the new one", async () => {
    const url = server.on("/m.bin", file(other), file(bytes, { stallAfter: 60_000 }), file(bytes), file(bytes));
    await open(url);
    await expect(open(url, abortAt(60_000))).rejects.toBe(reason);
    same((await open(url)).bytes, bytes);
    expect(server.asked[2]?.headers).toMatchObject({ range: "bytes=60000-" });
    same((await open(url)).bytes, bytes);
    expect(server.asked[3]?.headers).toMatchObject({ "if-none-match": tagOf(bytes) });
  });

  it("while another goes on harms neither", async () => {
    const sent: number[] = [];
    const url = server.on("/m.bin", inPieces(bytes, 10_000, sent));
    const going = open(url);
    await expect(open(url, abortAt(30_000))).rejects.toBe(reason);
    same((await going).bytes, bytes);
    same((await open(url, { offline: true })).bytes, bytes);
    await clearCache({ cache });
    expect(await names()).toEqual([]);
  });

  it("and was left with wrong bytes is fetched anew, where its digest is known", async () => {
    const url = server.on("/m.bin", file(bytes));
    await mkdir(cache);
    const left = { address: url, validator: tagOf(bytes), etag: tagOf(bytes), total: 100_000 };
    for (const part of [other, other.subarray(0, 50_000)]) {
      const content = Buffer.concat([Buffer.from(`${JSON.stringify(left)}\n`), part]);
      await writeFile(join(cache, freeName(keyOf(url))), content);
      same((await open(url, { sha256: sha256(bytes) })).bytes, bytes);
      await clearCache({ cache });
    }
  });
});

describe("a signal that a library made", () => {
  const whole = ({ signal }: AbortController) => ({
    get aborted() {
      return signal.aborted;
    },
    get reason() {
      return signal.reason;
    },
    throwIfAborted: () => signal.throwIfAborted(),
    addEventListener: signal.addEventListener.bind(signal),
    removeEventListener: signal.removeEventListener.bind(signal),
  });

  it.each(["aborted", "throwIfAborted", "addEventListener", "removeEventListener"])(
    "is refused at the door without %s",
    async (missing) => {
      const { [missing as "aborted"]: _gone, ...rest } = whole(new AbortController());
      for (const signal of [rest, { ...rest, [missing]: "x" }]) {
        const refused = { code: "OPTION_INVALID", message: expect.stringMatching(/signal: expected an AbortSignal/) };
        await expect(open(server.on("/m.bin", file(bytes)), { signal: signal as never })).rejects.toMatchObject(
          refused,
        );
      }
      expect(server.asked).toEqual([]);
    },
  );

  it("is heard if it is whole", async () => {
    const control = new AbortController();
    const url = server.on("/m.bin", file(bytes));
    same((await open(url, { signal: whole(control) as never })).bytes, bytes);
    control.abort(reason);
    await expect(open(url, { signal: whole(control) as never })).rejects.toBe(reason);
  });
});

/** A promise that never ends, and when it was asked for. */
const never = <Value>() => new Promise<Value>(() => {});

/** A cache on disk with something in it that hangs: one that does calls `asked`. */
function hanging(where: string, asked: () => void): (name: boolean | string) => Promise<SourceCache | undefined> {
  const hang = () => {
    setImmediate(asked);
    return never<never>();
  };
  return async (name) => {
    if (where === "open") return hang();
    const disk = openDiskCache(String(name));
    const part = async (url: string): Promise<PartialFile> => {
      if (where === "partial") return hang();
      const real = await openPartial(cache, keyOf(url));
      const left = real.left && (where === "left" ? { ...real.left, load: hang } : real.left);
      const { [where as "append"]: _own, ...rest } = real;
      const all = { ...real, ...rest, left };
      return where === "begin" || where === "append" ? { ...all, [where]: hang } : all;
    };
    const found = async (url: string) => {
      const entry = await disk.find(url);
      return entry && (where === "load" ? { ...entry, load: hang } : entry);
    };
    return {
      ...disk,
      find: where === "find" ? hang : found,
      save: where === "save" ? hang : disk.save,
      partial: part,
    };
  };
}

describe("an abort is heard at once", () => {
  it.each(["open", "find", "load", "partial", "left", "begin", "append", "save"])(
    "while the cache hangs (%s)",
    async (where) => {
      const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }), file(bytes));
      if (where === "load") {
        server.on("/m.bin", file(bytes));
        await open(url);
      }
      if (where === "left") await expect(open(url, abortAt(60_000))).rejects.toBe(reason);
      if (where === "save") server.on("/m.bin", file(bytes));
      const control = new AbortController();
      const { open: openSlowly } = opener({ openCache: hanging(where, () => control.abort(reason)) });
      // It was never: the test hung.
      await expect(openSlowly(url, { cache, signal: control.signal })).rejects.toBe(reason);
    },
  );

  it("though what arrived cannot be put by", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 60_000 }));
    const openCache = async (name: boolean | string): Promise<SourceCache> => ({
      ...openDiskCache(String(name)),
      async partial() {
        const real = await openPartial(cache, keyOf(url));
        return { ...real, leave: () => real.leave().then(never<void>), drop: never };
      },
    });
    await expect(opener({ openCache }).open(url, { cache, ...abortAt(60_000) })).rejects.toBe(reason);
  });
});

describe("a disk that is full", () => {
  it("ends no download; what it took by then is a beginning, and is told of once", async () => {
    const sent: number[] = [];
    const url = server.on("/m.bin", inPieces(bytes, 10_000, sent));
    // In bytes: how many parts there are is the network's to say.
    let room = 30_000;
    const openCache = async (name: boolean | string): Promise<SourceCache> => ({
      ...openDiskCache(String(name)),
      async partial() {
        const real = await openPartial(cache, keyOf(url));
        return {
          ...real,
          async append(part) {
            const fitting = part.subarray(0, room);
            room -= fitting.length;
            await real.append(fitting);
            if (fitting.length < part.length) throw new Error("ENOSPC: no space left on device, write");
          },
        };
      },
    });
    const notes: string[] = [];
    const onProgress = ({ received, note }: { readonly received: number; readonly note?: string }) => {
      if (note !== undefined) notes.push(note);
      if (received === bytes.length) throw reason;
    };
    await expect(opener({ openCache }).open(url, { cache, onProgress })).rejects.toBe(reason);
    expect(notes).toEqual(["what arrives is not kept on disk: ENOSPC: no space left on device, write"]);
    same((await open(url)).bytes, bytes);
    expect(server.asked[1]?.headers.range).toBe("bytes=30000-");
  });
});
