/** @slow: it takes 2 seconds. */

import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBytes } from "../../src/core/bytes.ts";
import { openSource } from "../../src/sources/index.ts";
import type { Clock } from "../../src/sources/open-file.ts";
import type { Progress } from "../../src/sources/options.ts";
import {
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
import { opener, STALL_MS, testClock } from "../fixtures/source-tools.ts";

const bytes = someBytes(100_000);
const other = someBytes(100_000, 2);

let server: MisbehavingServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server[Symbol.asyncDispose]());

/** What the client asked for beyond the first request. */
const ranges = () => server.asked.slice(1).map(({ headers }) => [headers.range, headers["if-range"]]);

describe("a download", () => {
  it("is the file, and is told of as it comes", async () => {
    const url = server.on("/m.bin", file(bytes));
    const seen: Progress[] = [];
    const opened = await opener().open(url, { onProgress: (progress) => seen.push(progress) });
    expect(opened.name).toBe(url);
    same(opened.bytes, bytes);
    expect(seen.at(-1)).toEqual({ file: url, received: bytes.length, total: bytes.length, fromCache: false });
    expect(server.asked[0]?.headers["accept-encoding"]).toBe("identity");
  });

  it("may be given as a URL, and sends the headers it is given", async () => {
    const url = new URL(server.on("/m.bin", file(bytes)));
    await opener().open(url, { headers: { authorization: "Bearer abc" } });
    expect(server.asked[0]?.headers.authorization).toBe("Bearer abc");
  });

  it("is read at an aligned place, whole and small or not", async () => {
    for (const length of [1, 9, 100_000]) {
      const { bytes: read } = await opener().open(server.on("/m.bin", file(someBytes(length))));
      expect(read.byteOffset % 8).toBe(0);
      expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype);
    }
  });

  it.each([401, 403, 404, 410, 400])("that is answered %i is not asked for again", async (code) => {
    const url = server.on("/m.bin", status(code));
    const isAbsent = code === 404 || code === 410;
    await expect(opener().open(url)).rejects.toMatchObject({
      code: isAbsent ? "FILE_NOT_FOUND" : "FILE_UNREADABLE",
      message: expect.stringContaining(`${url}: the server answered ${code}`),
      fields: { failures: [{ url, status: code, tries: 1 }] },
    });
    expect(server.count("/m.bin")).toBe(1);
  });

  it.each([408, 429, 500, 502, 503, 504])(
    "that is answered %i, then well, is asked for again after a pause",
    async (code) => {
      const { open, pauses } = opener();
      const opened = await open(server.on("/m.bin", status(code), status(code), file(bytes)));
      same(opened.bytes, bytes);
      expect(pauses).toEqual([500, 1000]);
    },
  );

  it("that is answered 500 forever fails after the retries", async () => {
    const { open, pauses } = opener();
    const url = server.on("/m.bin", status(500));
    await expect(open(url)).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: `${url}: the server answered 500 Internal Server Error, 4 times. Check the address and the network, or download the file and pass its path.`,
    });
    expect(server.count("/m.bin")).toBe(4);
    expect(pauses).toEqual([500, 1000, 2000]);
    await expect(open(url, { retries: 0 })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    expect(server.count("/m.bin")).toBe(5);
  });

  it.each([
    ["7", 7000],
    ["0", 0],
    [new Date(1_000_000_004_000).toUTCString(), 4000],
    [new Date(0).toUTCString(), 0],
    ["86400", 60_000],
    ["soon", 500],
  ])("waits as long as Retry-After: %s says, up to a minute", async (retryAfter, expected) => {
    const { open, pauses } = opener();
    await open(server.on("/m.bin", status(429, { "retry-after": retryAfter }), file(bytes)));
    expect(pauses).toEqual([expected]);
  });

  it("of a server that is not there says so", async () => {
    const url = server.on("/m.bin");
    await server[Symbol.asyncDispose]();
    await expect(opener().open(url)).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining(`${url}: it cannot be reached (ECONNREFUSED), 4 times`),
    });
    server = await startServer();
  });

  it("follows a redirect, and not a circle of them", async () => {
    server.on("/m.bin", file(bytes));
    same((await opener().open(server.on("/moved", redirect("/m.bin")))).bytes, bytes);
    server.on("/a", redirect("/b"));
    const { open, pauses } = opener();
    await expect(open(server.on("/b", redirect("/a")))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("redirects in a circle"),
    });
    expect(pauses).toEqual([]);
  });

  it("hands over a page in place of a model: what it is, the recogniser says", async () => {
    const page = new TextEncoder().encode("<!doctype html><html></html>");
    same((await opener().open(server.on("/m.bin", file(page)))).bytes, page);
  });

  it("keeps nothing of a request behind", async () => {
    const { open, watches } = opener();
    await open(server.on("/m.bin", file(bytes)));
    await expect(open(server.on("/n.bin", status(500)))).rejects.toThrow();
    expect(watches.size).toBe(0);
  });
});

describe("a connection that is cut", () => {
  it("goes on where it ended", async () => {
    const url = server.on(
      "/m.bin",
      file(bytes, { stallAfter: 40_000 }),
      file(bytes, { stallAfter: 20_000 }),
      file(bytes),
    );
    const seen: number[] = [];
    const opened = await opener().open(url, {
      onProgress: (progress) => {
        seen.push(progress.received);
        cutAt(server, 40_000, 60_000)(progress);
      },
    });
    same(opened.bytes, bytes);
    const resumed = server.asked.slice(1).map(({ headers }) => headers);
    expect(resumed.map((headers) => headers["if-range"])).toEqual([tagOf(bytes), tagOf(bytes)]);
    expect(resumed.map(({ range }) => range)).toEqual(["bytes=40000-", "bytes=60000-"]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("goes on by the date where there is no tag, or a weak one", async () => {
    const lastModified = "Wed, 21 Oct 2015 07:28:00 GMT";
    for (const etag of [null, 'W/"weak"']) {
      const facts = { etag, lastModified };
      const url = server.on(`/${etag === null}`, file(bytes, { ...facts, stallAfter: 40_000 }), file(bytes, facts));
      same((await opener().open(url, { onProgress: cutAt(server, 40_000) })).bytes, bytes);
      expect(server.asked.at(-1)?.headers["if-range"]).toBe(lastModified);
    }
  });

  it("starts again where nothing tells whether the file is still the same", async () => {
    const url = server.on("/m.bin", file(bytes, { etag: null, stallAfter: 40_000 }), file(bytes, { etag: null }));
    same((await opener().open(url, { onProgress: cutAt(server, 40_000) })).bytes, bytes);
    expect(ranges()).toEqual([[undefined, undefined]]);
  });

  it("starts again with a server that knows no ranges", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 40_000 }), file(bytes, { ranges: false }));
    same((await opener().open(url, { onProgress: cutAt(server, 40_000) })).bytes, bytes);
    expect(ranges()[0]?.[0]).toBeDefined();
  });

  it("starts again when the file changed meanwhile, though If-Range is ignored", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 40_000 }), file(other));
    same((await opener().open(url, { onProgress: cutAt(server, 40_000) })).bytes, other);

    const careless = (_request: unknown, response: import("node:http").ServerResponse) => {
      const part = other.subarray(40_000);
      response.writeHead(206, { etag: '"new"', "content-range": `bytes 40000-99999/100000` }).end(part);
    };
    const second = server.on("/n.bin", file(bytes, { stallAfter: 40_000 }), careless, file(other));
    same((await opener().open(second, { onProgress: cutAt(server, 40_000) })).bytes, other);
  });

  it.each([
    "bytes 0-99999/100000",
    "bytes 29999-99999/100000",
    "bytes 30000-99999/*",
    "bytes 30000-50000/100000",
    "bytes 30000-199999/200000",
    "nonsense",
    "",
  ])("never takes a range it did not ask for (%s)", async (contentRange) => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 30_000 }), file(bytes, { contentRange }), file(bytes));
    const { open, pauses } = opener();
    same((await open(url, { onProgress: cutAt(server, 30_000) })).bytes, bytes);
    // Once the cut; the wrong range is answered by asking for the whole file, at once.
    expect(pauses).toEqual([500]);
    expect(server.asked.map(({ headers }) => headers.range === undefined)).toEqual([true, false, true]);
  });

  it("is not asked for ranges again by one that got them wrong", async () => {
    const half = file(bytes, { stallAfter: 30_000 });
    const url = server.on("/m.bin", half, file(bytes, { contentRange: "bytes 1-2/3" }), half, file(bytes));
    same((await opener().open(url, { onProgress: cutAt(server, 30_000) })).bytes, bytes);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=30000-", undefined, undefined]);
  });

  it("starts again when the rest cannot be had (416)", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 40_000 }), status(416), file(bytes));
    same((await opener().open(url, { onProgress: cutAt(server, 40_000) })).bytes, bytes);
  });

  it("refuses a part that nobody asked for", async () => {
    const act = (_q: unknown, response: import("node:http").ServerResponse) =>
      response.writeHead(206, { "content-range": "bytes 0-9/100" }).end("0123456789");
    await expect(opener().open(server.on("/m.bin", act))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });

  it("fails when it is cut every time", async () => {
    const url = server.on("/m.bin", file(bytes, { cutAfter: 10_000, ranges: false }));
    await expect(opener().open(url, { onProgress: cutAt(server, 40_000) })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/the connection ended after [\d,]+ of 100,000 bytes, 4 times/),
    });
    expect(server.count("/m.bin")).toBe(4);
  });

  it("fetches a file anew whose halves do not fit, if its digest is known", async () => {
    // The tag claims that both are the same file.
    const tag = { etag: '"same"' };
    const url = server.on("/m.bin", file(other, { ...tag, stallAfter: 40_000 }), file(bytes, tag));
    same((await opener().open(url, { sha256: sha256(bytes), onProgress: cutAt(server, 40_000) })).bytes, bytes);
    expect(server.count("/m.bin")).toBe(3);
  });
});

describe("a server that stalls", () => {
  it("in the middle is left, and asked for the rest", async () => {
    const url = server.on("/m.bin", file(bytes, { stallAfter: 40_000 }), file(bytes));
    const { open, stall } = opener();
    const opened = await open(url, {
      onProgress: ({ received }) => {
        if (received === 40_000) setImmediate(stall);
      },
    });
    same(opened.bytes, bytes);
    expect(ranges()[0]?.[0]).toBe("bytes=40000-");
  });

  it("and then drips is left, however often something comes", async () => {
    const { open, stall, watches } = opener();
    const timers = new Set<() => void>();
    let drips = 0;
    const url = server.on("/m.bin", (_request, response) => void response.writeHead(200).write("x"), file(bytes));
    const onProgress = ({ received }: Progress) => {
      if (received > 9) return;
      drips += 1;
      for (const watch of watches) timers.add(watch);
      if (drips === 3) setImmediate(stall);
      else setImmediate(() => server.drip("x"));
    };
    same((await open(url, { onProgress })).bytes, bytes);
    // The time runs on, and does not begin anew with each byte.
    expect([drips, timers.size]).toEqual([3, 1]);
  });

  it("before it answers is left, too; the error says how long it was waited", async () => {
    const { open, stall } = opener();
    const url = server.on("/m.bin", () => setImmediate(stall));
    await expect(open(url, { retries: 1 })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("no answer for 123.456 s, 2 times"),
    });
  });
});

describe("a caller that is busy", () => {
  it("for longer than the server may be silent is not the server's fault", async () => {
    const url = server.on("/m.bin", (_request, response) => {
      response.writeHead(200, { etag: tagOf(bytes), "content-length": bytes.length });
      let at = 0;
      const timer = setInterval(() => {
        response.write(bytes.subarray(at, at + 25_000));
        at += 25_000;
        if (at < bytes.length) return;
        clearInterval(timer);
        response.end();
      }, 20);
    });
    const onProgress = () => {
      for (const end = performance.now() + 300; performance.now() < end; );
    };
    const options = { cache: false, retries: 0, stallTimeout: 200, onProgress };
    same((await openSource(url, options)).bytes, bytes);
    const opened = readBytes(url, { maxBytes: 1e6, stallTimeout: 200 });
    setTimeout(onProgress, 5);
    same(await opened, bytes);
  });
});

describe("packed answers", () => {
  it("are unpacked, and bounded by what they unpack to", async () => {
    const zeros = new Uint8Array(1_000_000);
    const url = server.on("/m.bin", file(zeros, { gzip: true }));
    const totals = new Set<number | undefined>();
    same((await opener().open(url, { onProgress: ({ total }) => totals.add(total) })).bytes, zeros);
    expect([...totals]).toEqual([undefined]);
    await expect(opener().open(url, { maxBytes: 500_000 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  });

  it("that are cut are asked for from the start", async () => {
    const url = server.on("/m.bin", file(bytes, { gzip: true, cutAfter: 30_000 }), file(bytes, { gzip: true }));
    same((await opener().open(url)).bytes, bytes);
    expect(ranges()).toEqual([[undefined, undefined]]);
  });
});

describe("limits and checks", () => {
  it("refuses what is announced too large before it comes", async () => {
    const act = (_q: unknown, response: import("node:http").ServerResponse) => {
      response.writeHead(200, { "content-length": "3000000000" });
      response.flushHeaders();
    };
    const url = server.on("/m.bin", act);
    await expect(opener().open(url)).rejects.toMatchObject({
      code: "FILE_TOO_LARGE",
      fields: { bytes: 3_000_000_000 },
    });
    expect(server.count("/m.bin")).toBe(1);
  });

  it("refuses what turns out too large while it comes", async () => {
    const url = server.on("/m.bin", file(bytes, { chunked: true }));
    await expect(opener().open(url, { maxBytes: 99_999 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    same((await opener().open(url, { maxBytes: 100_000 })).bytes, bytes);
  });

  it("counts the files beside it, and not what was sent twice", async () => {
    server.on("/shard.bin", file(bytes, { cutAfter: 60_000, etag: null }), file(bytes));
    const url = server.on("/model.json", file(bytes));
    const opened = await opener().open(url, { maxBytes: 200_000 });
    same(await opened.sibling("shard.bin"), bytes);
    await expect(opened.sibling("shard.bin")).rejects.toMatchObject({
      code: "FILE_TOO_LARGE",
      message: expect.stringContaining("together with what was read before it"),
    });
  });

  it("checks size and sha256", async () => {
    const url = server.on("/m.bin", file(bytes));
    const digest = sha256(bytes);
    const { open } = opener();
    same((await open(url, { size: 100_000, sha256: digest.toUpperCase() })).bytes, bytes);
    const wrong = [
      [{ size: 99_999 }, "expected 99,999 bytes, found 100,000"],
      [{ sha256: sha256(other) }, `expected sha256 ${sha256(other)}, found ${digest}`],
    ] as const;
    for (const [options, found] of wrong) {
      const before = server.count("/m.bin");
      await expect(open(url, options)).rejects.toMatchObject({
        code: "FILE_CORRUPT",
        message: expect.stringContaining(found),
      });
      expect(server.count("/m.bin")).toBe(before + 1);
    }
    const chunked = server.on("/c.bin", file(bytes, { chunked: true }));
    await expect(open(chunked, { size: 99_999 })).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });
});

describe("mirrors", () => {
  it("are tried in order", async () => {
    const url = server.on("/m.bin", status(503));
    const mirrors = [server.on("/mirror1", status(404)), server.on("/mirror2", file(bytes)), server.on("/never")];
    same((await opener().open(url, { mirrors, retries: 1 })).bytes, bytes);
    expect(server.asked.map(({ path }) => path)).toEqual(["/m.bin", "/m.bin", "/mirror1", "/mirror2"]);
  });

  it("begin anew: halves of two servers are never put together", async () => {
    const url = server.on("/m.bin", file(other, { stallAfter: 40_000, etag: '"x"' }), status(404));
    const mirrors = [server.on("/mirror", file(bytes, { etag: '"x"' }))];
    same((await opener().open(url, { mirrors, onProgress: cutAt(server, 40_000) })).bytes, bytes);
    expect(server.asked.map(({ path }) => path)).toEqual(["/m.bin", "/m.bin", "/mirror"]);
    expect(server.asked.at(-1)?.headers.range).toBeUndefined();
  });

  it("have the files beside the model as well", async () => {
    const url = server.on("/a/model.json?key=1", file(bytes));
    server.on("/b/x/shard%201.bin?key=2", file(other));
    const opened = await opener().open(url, { mirrors: [`${server.url}/b/model.json?key=2`] });
    same(await opened.sibling("x/shard 1.bin"), other);
    expect(server.asked.map(({ path }) => path)).toEqual([
      "/a/model.json?key=1",
      "/a/x/shard%201.bin?key=1",
      "/b/x/shard%201.bin?key=2",
    ]);
  });

  it("stand in the error, each with its answer", async () => {
    const url = server.on("/m.bin", status(500));
    const mirrors = [server.on("/mirror", status(403))];
    await expect(opener().open(url, { mirrors })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining(
        `${url}: the server answered 500 Internal Server Error, 4 times; ${mirrors[0]}: the server answered 403 Forbidden.`,
      ),
      fields: {
        failures: [
          { status: 500, tries: 4 },
          { status: 403, tries: 1 },
        ],
      },
    });
  });

  it("may have the file that the first one has broken", async () => {
    const url = server.on("/m.bin", file(other));
    const options = { sha256: sha256(bytes), mirrors: [server.on("/mirror", file(bytes))] };
    same((await opener().open(url, options)).bytes, bytes);
    server.on("/mirror", status(404));
    await expect(opener().open(url, options)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });
});

describe("aborting a download", () => {
  const reason = new Error("enough");

  it("before it begins", async () => {
    const url = server.on("/m.bin", file(bytes));
    await expect(opener().open(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.asked).toEqual([]);
  });

  it("before the answer and in the middle", async () => {
    for (const moment of ["answer", "middle"]) {
      const control = new AbortController();
      const { open, watches } = opener();
      const abort = () => control.abort(reason);
      const url = server.on(`/${moment}`, moment === "answer" ? abort : file(bytes, { stallAfter: 40_000 }));
      await expect(open(url, { signal: control.signal, onProgress: abort })).rejects.toBe(reason);
      expect(watches.size, moment).toBe(0);
      expect(getEventListeners(control.signal, "abort"), moment).toEqual([]);
      expect(server.count(`/${moment}`), moment).toBe(1);
    }
  });

  it("in a pause", async () => {
    const control = new AbortController();
    const { clock } = testClock();
    const after: Clock["after"] = (ms, callback) => {
      if (ms !== STALL_MS) setImmediate(() => control.abort(reason));
      return ms === STALL_MS ? clock.after(ms, callback) : () => {};
    };
    const { open } = opener({ clock: { ...clock, after } });
    await expect(open(server.on("/m.bin", status(500)), { signal: control.signal })).rejects.toBe(reason);
    expect(getEventListeners(control.signal, "abort")).toEqual([]);
  });

  it("is possible with a signal that never comes, which is let go", async () => {
    const { signal } = new AbortController();
    const opened = await opener().open(server.on("/m.bin", status(500), file(bytes)), { signal });
    expect(opened.bytes).toHaveLength(bytes.length);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("by what the caller's own function throws, which is not mistaken for a broken connection", async () => {
    const url = server.on("/m.bin", file(bytes));
    const onProgress = () => {
      throw reason;
    };
    await expect(opener().open(url, { onProgress })).rejects.toBe(reason);
    expect(server.count("/m.bin")).toBe(1);
  });
});
