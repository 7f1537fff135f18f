/** What producer and workers agree on, from the environment. */

const {
  PHOTOS = "photos",
  LABELS = "labels",
  SHARDS = "20",
  REDIS_PORT = "6379",
  REDIS_HOST = "127.0.0.1",
} = process.env;

/** The name of the queue: one a directory of parts, or the shards of two runs would be taken for each other. Without colons. */
export const QUEUE = `depthwise-${encodeURIComponent(LABELS)}`;

/** Whatever is asked while Redis is away waits until it is back. */
export const connection = { host: REDIS_HOST, port: Number(REDIS_PORT), maxRetriesPerRequest: null };

/** Of `openBatch`: a folder or a list of pictures, where the parts go, and how many there are. */
export const run = { source: PHOTOS, out: LABELS, shards: Number(SHARDS) };
