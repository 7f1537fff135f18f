/** Checkpoints in IndexedDB, with a stand-in for it: the browser's own is tried in Chromium. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { untilAborted } from "../../../src/core/until-aborted.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import { indexedDbStore } from "../../../src/train/fit/indexed-db-store.ts";
import { tinyData, tinyModel } from "./tiny.ts";

/** As much of IndexedDB as is used: requests that succeed later, and transactions that end after them. */
function fakeIndexedDb(fault: { full: boolean; open: boolean }) {
  const databases = new Map<string, Map<string, unknown>>();
  const later = (work: () => void) => setTimeout(work, 0);
  function request<Value>(value: () => Value, after: () => void) {
    const made: { result: Value | undefined; error: unknown; onsuccess?: () => void; onerror?: () => void } = {
      result: undefined,
      error: null,
    };
    later(() => {
      made.result = value();
      made.onsuccess?.();
      later(after);
    });
    return made;
  }
  function transactionOn(files: Map<string, unknown>, mode: string) {
    const before = new Map(files);
    const made: { error: unknown; oncomplete?: () => void; onabort?: () => void; objectStore: () => object } = {
      error: null,
      objectStore: () => ({
        get: (key: string) => request(() => structuredClone(files.get(key)), end),
        getAllKeys: () => request(() => [...files.keys()], end),
        put: (value: unknown, key: string) => request(() => void files.set(key, structuredClone(value)), end),
        delete: (key: string) => request(() => void files.delete(key), end),
      }),
    };
    const end = () => {
      if (!fault.full || mode === "readonly") return made.oncomplete?.();
      for (const key of files.keys()) files.delete(key);
      for (const [key, value] of before) files.set(key, value);
      made.error = new DOMException("no room", "QuotaExceededError");
      return made.onabort?.();
    };
    return made;
  }
  return {
    databases,
    open(name: string) {
      const isNew = !databases.has(name);
      const files = databases.get(name) ?? new Map<string, unknown>();
      databases.set(name, files);
      const database = {
        createObjectStore: () => ({}),
        transaction: (_store: string, mode: string) => transactionOn(files, mode),
        close: () => undefined,
      };
      const made: Record<string, unknown> = { result: database, error: new Error("a private window") };
      later(() => {
        if (fault.open) return (made["onerror"] as () => void)();
        if (isNew) (made["onupgradeneeded"] as () => void)();
        return (made["onsuccess"] as () => void)();
      });
      return made;
    },
  };
}

describe("a store in IndexedDB", () => {
  const fault = { full: false, open: false };
  let fake: ReturnType<typeof fakeIndexedDb>;
  beforeEach(() => {
    Object.assign(fault, { full: false, open: false });
    fake = fakeIndexedDb(fault);
    vi.stubGlobal("indexedDB", fake);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("writes, reads, lists and removes files", async () => {
    const store = indexedDbStore("a");
    expect(await store.read("one")).toBeUndefined();
    // A view of something larger: only what it shows is stored.
    await store.write("one", new Uint8Array(1000).fill(7).subarray(3, 5));
    await store.write("two", Uint8Array.of(1));
    expect(await store.read("one")).toEqual(Uint8Array.of(7, 7));
    expect(await store.list?.()).toEqual(["one", "two"]);
    await store.remove("one");
    expect(await store.read("one")).toBeUndefined();
    expect([...fake.databases.keys()]).toEqual(["depthwise:a"]);
    expect(await indexedDbStore("b").list?.()).toEqual([]);
  });

  it("holds a run that is stopped and resumed", async () => {
    const controller = new AbortController();
    const options = { epochs: 3, batch: 16, checkpoint: indexedDbStore("run"), resume: true };
    for await (const event of fit(tinyModel(), tinyData(40), { ...options, signal: controller.signal })) {
      if (event.type === "epoch") controller.abort();
    }
    const { checkpoint: _, resume: __, ...whole } = options;
    const resumed = await fit(tinyModel(), tinyData(40), options).done;
    const never = await fit(tinyModel(), tinyData(40), whole).done;
    expect(resumed.model.parameters).toEqual(never.model.parameters);
  });

  it("that is full says so, and keeps what it had", async () => {
    const store = indexedDbStore("a");
    await store.write("one", Uint8Array.of(1));
    fault.full = true;
    await expect(store.write("one", Uint8Array.of(2))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("Make room for it. What was there before is untouched"),
    });
    expect(await store.read("one")).toEqual(Uint8Array.of(1));
  });

  it("that the browser does not allow says so", async () => {
    fault.open = true;
    await expect(indexedDbStore("a").read("one")).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      cause: { message: "a private window" },
    });
  });

  it.each(["with", "without"])("is one run's at a time, %s Web Locks", async (which) => {
    const held = new Map<string, Promise<void>>();
    const locks = {
      async request(name: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>) {
        while (held.has(name)) await untilAborted(held.get(name) as Promise<void>, signal);
        const holding = work().finally(() => held.delete(name));
        held.set(name, holding);
        return holding;
      },
    };
    vi.stubGlobal("navigator", which === "with" ? { locks } : {});
    const unlock = await indexedDbStore("a").lock?.();
    await expect(indexedDbStore("a").lock?.()).rejects.toMatchObject({ code: "CHECKPOINT_IN_USE" });
    const other = await indexedDbStore("b").lock?.();
    await other?.();
    await unlock?.();
    await (await indexedDbStore("a").lock?.())?.();
    // Of a worker that was ended the locks are held for a moment.
    const ended = await indexedDbStore("a").lock?.();
    if (which === "with") {
      setTimeout(() => ended?.(), 500);
      await (await indexedDbStore("a").lock?.())?.();
    }
  });

  it("is refused without a name", () => {
    expect(() => indexedDbStore("")).toThrow(/name: expected the name of a run/);
  });
});

it("without IndexedDB says what to do", () => {
  expect(() => indexedDbStore("a")).toThrow(/there is no IndexedDB here. In Node pass the path of a directory/);
});
