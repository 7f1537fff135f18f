/** Where models come from: paths, addresses, Blobs, streams, directories, names of collections; and the cache. */

export { type CacheEntry, type CacheOptions, type Cleared, clearCache, listCache } from "./cache.ts";
export { type ModelSource, openSource } from "./open-source.ts";
export type { Progress, SourceOptions } from "./options.ts";
export { SOURCE_OPTIONS } from "./options.ts";
export { held } from "./own-bytes.ts";
