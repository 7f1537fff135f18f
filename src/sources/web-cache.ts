/** The cache of a browser: the Cache API, or IndexedDB where that is missing or forbidden. */

import type { SourceCache } from "./cache.ts";
import { checkedCache, type EntryFacts, type EntryStore, parseFacts } from "./checked-cache.ts";
import { indexedDbStore } from "./indexed-db.ts";

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
