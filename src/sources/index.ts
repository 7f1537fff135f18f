/** Where models come from: paths, addresses, Blobs, streams, directories, names of collections; and the cache. */

export { type CacheEntry, type CacheOptions, type Cleared, clearCache, listCache } from "./cache.ts";
export { held } from "./in-memory.ts";
export { type ModelSource, openSource } from "./open-source.ts";
export { type Progress, SOURCE_OPTIONS, type SourceOptions } from "./options.ts";
