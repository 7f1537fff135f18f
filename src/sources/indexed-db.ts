/** Entries of the cache in IndexedDB: two stores, so that looking at the facts does not read the bytes. */

import { type EntryFacts, type EntryStore, parseFacts } from "./checked-cache.ts";

export async function indexedDbStore(name: string): Promise<EntryStore | undefined> {
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
