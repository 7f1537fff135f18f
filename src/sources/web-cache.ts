/** The cache of a browser: the Cache API, or IndexedDB where that is missing or forbidden. */

import { checkedCache, type EntryFacts, type EntryStore, parseFacts, type SourceCache } from "./cache.ts";

const NAME = "depthwise";

/** Undefined where a browser keeps nothing, as in some private windows. */
export async function openWebCache(name: string = NAME): Promise<SourceCache | undefined> {
  for (const open of [cacheApiStore, indexedDbStore]) {
    // Looked at once: some browsers let the cache be opened and refuse the first question.
    const store = await open(name).catch(() => undefined);
    const isUsable = await store?.all().then(
      () => true,
      () => false,
    );
    if (store !== undefined && isUsable) return checkedCache(store);
  }
  return undefined;
}

/** The facts travel as a header of the answer that is stored. */
const FACTS = "x-depthwise-facts";

async function cacheApiStore(name: string): Promise<EntryStore | undefined> {
  if (typeof caches === "undefined") return undefined;
  const cache = await caches.open(name);
  const factsOf = (response: Response | undefined) => {
    const text = response?.headers.get(FACTS);
    try {
      return typeof text === "string" ? parseFacts(decodeURIComponent(text)) : undefined;
    } catch {
      // Not ours: one such entry does not make the others useless.
      return undefined;
    }
  };
  return {
    place: `Cache API, "${name}"`,
    facts: async (url) => factsOf(await cache.match(url, { ignoreVary: true })),
    async bytes({ url }) {
      const response = await cache.match(url, { ignoreVary: true });
      return response && new Uint8Array(await response.arrayBuffer());
    },
    put: (facts, bytes) =>
      cache.put(
        facts.url,
        new Response(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
          headers: { [FACTS]: encodeURIComponent(JSON.stringify(facts)) },
        }),
      ),
    async remove(url) {
      await cache.delete(url, { ignoreVary: true });
    },
    async all() {
      const answers = await Promise.all((await cache.keys()).map((key) => cache.match(key, { ignoreVary: true })));
      return answers.map(factsOf).filter((facts): facts is EntryFacts => facts !== undefined);
    },
  };
}

/** Two stores, so that looking at the facts does not read the bytes. */
async function indexedDbStore(name: string): Promise<EntryStore | undefined> {
  if (typeof indexedDB === "undefined") return undefined;
  const database = await openDatabase(name);
  /** Both stores in one transaction: an entry has its facts and its bytes, or neither. */
  const within = async <Value>(
    mode: IDBTransactionMode,
    work: (facts: IDBObjectStore, bytes: IDBObjectStore) => IDBRequest<Value>,
  ) => {
    const transaction = database.transaction(["facts", "bytes"], mode);
    const request = work(transaction.objectStore("facts"), transaction.objectStore("bytes"));
    await finished(transaction);
    return request.result;
  };
  return {
    place: `IndexedDB, "${name}"`,
    facts: async (url) => {
      const text: unknown = await within("readonly", (facts) => facts.get(url));
      return typeof text === "string" ? parseFacts(text) : undefined;
    },
    bytes: async ({ url }) => {
      const found: unknown = await within("readonly", (_, bytes) => bytes.get(url));
      return found instanceof Uint8Array ? found : undefined;
    },
    async put(entry, data) {
      await within("readwrite", (facts, bytes) => {
        bytes.put(data, entry.url);
        return facts.put(JSON.stringify(entry), entry.url);
      });
    },
    async remove(url) {
      await within("readwrite", (facts, bytes) => {
        bytes.delete(url);
        return facts.delete(url);
      });
    },
    async all() {
      const texts: unknown[] = await within("readonly", (facts) => facts.getAll());
      return texts
        .map((text) => (typeof text === "string" ? parseFacts(text) : undefined))
        .filter((facts): facts is EntryFacts => facts !== undefined);
    },
  };
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const store of ["facts", "bytes"]) request.result.createObjectStore(store);
    };
    request.onsuccess = () => {
      // Another tab may want to remove the database.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new DOMException("the database is in use", "InvalidStateError"));
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
