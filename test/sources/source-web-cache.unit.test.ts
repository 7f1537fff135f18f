/** The caches of browsers, with stand-ins for what browsers have. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Progress } from "../../src/sources/options.ts";
import { openWebCache } from "../../src/sources/web-cache.ts";
import { file, type MisbehavingServer, same, sha256, someBytes, startServer } from "../fixtures/misbehaving-server.ts";
import { opener } from "../fixtures/source-tools.ts";

const bytes = someBytes(10_000);
const damaged = bytes.with(5000, (bytes[5000] ?? 0) ^ 1);

/** As much of the Cache API as is used. */
function fakeCaches() {
  const stores = new Map<string, Map<string, { body: Uint8Array<ArrayBuffer>; headers: Headers }>>();
  const urlOf = (key: string | Request) => (typeof key === "string" ? key : key.url);
  const open = async (name: string) => {
    const store = stores.get(name) ?? new Map();
    stores.set(name, store);
    return {
      async match(key: string | Request) {
        const found = store.get(urlOf(key));
        return found && new Response(found.body, { headers: found.headers });
      },
      async put(key: string, response: Response) {
        store.set(key, { body: new Uint8Array(await response.arrayBuffer()), headers: response.headers });
      },
      delete: async (key: string | Request) => store.delete(urlOf(key)),
      keys: async () => [...store.keys()].map((url) => new Request(url)),
    };
  };
  return { open, stores };
}

/** As much of IndexedDB as is used; stores copies, as the real one does, and answers later. */
function fakeIndexedDb() {
  const stores = new Map<string, Map<string, unknown>>();
  const answering = <Value>(work: () => Value) => {
    const request: { result?: Value } = {};
    queueMicrotask(() => {
      request.result = work();
    });
    return request;
  };
  const database = {
    createObjectStore: (name: string) => stores.set(name, new Map()),
    close() {},
    transaction() {
      const transaction: { oncomplete?: () => void } = {};
      setImmediate(() => transaction.oncomplete?.());
      const objectStore = (name: string) => {
        const store = stores.get(name) ?? new Map<string, unknown>();
        return {
          get: (key: string) => answering(() => structuredClone(store.get(key))),
          put: (value: unknown, key: string) => answering(() => void store.set(key, structuredClone(value))),
          delete: (key: string) => answering(() => void store.delete(key)),
          getAll: () => answering(() => [...store.values()]),
        };
      };
      return Object.assign(transaction, { objectStore });
    },
  };
  const open = () => {
    const request: { result: typeof database; onupgradeneeded?: () => void; onsuccess?: () => void } = {
      result: database,
    };
    setImmediate(() => {
      if (stores.size === 0) request.onupgradeneeded?.();
      request.onsuccess?.();
    });
    return request;
  };
  return { open, stores };
}

let server: MisbehavingServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server[Symbol.asyncDispose]();
});

const inBrowser = () => opener({ openCache: (cache) => openWebCache(typeof cache === "string" ? cache : undefined) });

/** Puts one kind of storage in place; `damage` changes the bytes that are stored. */
const KINDS = {
  "the Cache API": () => {
    const { open, stores } = fakeCaches();
    vi.stubGlobal("caches", { open });
    return {
      damage(data = damaged) {
        for (const store of stores.values()) for (const entry of store.values()) entry.body = data;
      },
      poison(change: (facts: string) => string) {
        for (const store of stores.values()) {
          for (const { headers } of store.values()) {
            const facts = change(decodeURIComponent(headers.get("x-depthwise-facts") ?? ""));
            headers.set("x-depthwise-facts", facts === "%" ? facts : encodeURIComponent(facts));
          }
        }
      },
      count: () => [...stores.values()].reduce((sum, store) => sum + store.size, 0),
    };
  },
  IndexedDB: () => {
    const { open, stores } = fakeIndexedDb();
    vi.stubGlobal("caches", undefined);
    vi.stubGlobal("indexedDB", { open });
    return {
      damage(data = damaged) {
        const store = stores.get("bytes");
        for (const url of store?.keys() ?? []) store?.set(url, data);
      },
      poison(change: (facts: string) => string) {
        const store = stores.get("facts");
        for (const [url, facts] of store ?? []) store?.set(url, change(String(facts)));
      },
      count: () => [...stores.values()].reduce((sum, store) => sum + store.size, 0),
    };
  },
  "IndexedDB, since the Cache API is forbidden": () => {
    const kind = KINDS.IndexedDB();
    const open = () => Promise.reject(new DOMException("insecure", "SecurityError"));
    vi.stubGlobal("caches", { open });
    return kind;
  },
} as const;

describe.each(Object.entries(KINDS))("a browser with %s", (_name, setUp) => {
  it("keeps what it fetched, lists and removes it", async () => {
    const { count } = setUp();
    const url = server.on("/m.bin", file(bytes));
    const { open } = inBrowser();
    await open(url, { cache: true });
    const seen: Progress[] = [];
    same((await open(url, { cache: true, offline: true, onProgress: (progress) => seen.push(progress) })).bytes, bytes);
    expect(seen).toEqual([{ file: url, received: 10_000, total: 10_000, fromCache: true }]);
    expect(server.asked).toHaveLength(1);
    await open(url, { cache: true, refresh: true });
    expect(server.asked[1]?.headers["if-none-match"]).toBeDefined();

    const cache = await openWebCache();
    expect(await cache?.list()).toEqual([
      { url, bytes: 10_000, sha256: sha256(bytes), path: undefined, savedAt: expect.stringMatching(/^\d{4}-/) },
    ]);
    expect(await cache?.clear()).toEqual({ entries: 1, unfinished: 0, bytes: 10_000 });
    expect(count()).toBe(0);
    await expect(open(url, { cache: true, offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("believes no facts of another file, and is not upset by what is none", async () => {
    const { poison } = setUp();
    const url = server.on("/m.bin", file(bytes));
    const { open } = inBrowser();
    await open(url, { cache: true });
    poison((facts) => facts.replace("/m.bin", "/n.bin"));
    await expect(open(url, { cache: true, offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    for (const junk of ["null", "[]", "{}", "", "%"]) {
      poison(() => junk);
      expect(await (await openWebCache())?.list()).toEqual([]);
      await expect(open(url, { cache: true, offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    }
    same((await open(url, { cache: true })).bytes, bytes);
    poison((facts) => JSON.stringify({ ...JSON.parse(facts), etag: '"🎈\n"' }));
    same((await open(url, { cache: true })).bytes, bytes);
    expect(server.asked.at(-1)?.headers["if-none-match"]).toBeUndefined();
  });

  it("drops what is damaged", async () => {
    const { damage } = setUp();
    const url = server.on("/m.bin", file(bytes));
    const { open } = inBrowser();
    await open(url, { cache: true });
    damage();
    await expect(open(url, { cache: true, offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    same((await open(url, { cache: true })).bytes, bytes);
    same((await open(url, { cache: true, offline: true })).bytes, bytes);
  });
});

describe("a browser that keeps nothing", () => {
  it("loads all the same", async () => {
    vi.stubGlobal("caches", undefined);
    vi.stubGlobal("indexedDB", undefined);
    const url = server.on("/m.bin", file(bytes));
    same((await inBrowser().open(url, { cache: true })).bytes, bytes);
    expect(await openWebCache()).toBeUndefined();
  });

  it("because it is full loads, and says why", async () => {
    const { open } = fakeCaches();
    const full = async (name: string) => ({
      ...(await open(name)),
      put: () => Promise.reject(new DOMException("no room", "QuotaExceededError")),
    });
    vi.stubGlobal("caches", { open: full });
    const url = server.on("/m.bin", file(bytes));
    const notes: (string | undefined)[] = [];
    same((await inBrowser().open(url, { cache: true, onProgress: ({ note }) => notes.push(note) })).bytes, bytes);
    expect(notes.filter((note) => note !== undefined)).toEqual(["it could not be kept in the cache: no room"]);
  });

  it("of a page that is not secure keeps the size alone, and checks that", async () => {
    const { damage } = KINDS.IndexedDB();
    vi.stubGlobal("crypto", {});
    const url = server.on("/m.bin", file(bytes));
    const { open } = inBrowser();
    await open(url, { cache: true });
    expect((await (await openWebCache())?.list())?.[0]?.sha256).toBeUndefined();
    same((await open(url, { cache: true, offline: true })).bytes, bytes);
    damage(bytes.slice(0, 9999));
    await expect(open(url, { cache: true, offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("in one place, which opens but answers nothing, keeps it in the other", async () => {
    KINDS.IndexedDB();
    const { open } = fakeCaches();
    const keys = () => Promise.reject(new DOMException("forbidden", "SecurityError"));
    vi.stubGlobal("caches", { open: async (name: string) => ({ ...(await open(name)), keys }) });
    expect((await openWebCache())?.place).toBe('IndexedDB, "depthwise"');
  });
});
