/** What a classifier takes: images, and how they are read. */

import type { ByteSource } from "../core/bytes.ts";
import type { PlatformResponse } from "../core/platform-types.ts";
import type { Pace } from "../core/stall-watch.ts";
import type { PageSource } from "../images/page-source.ts";
import type { ImageDataLike } from "../images/pixels.ts";

/**
 * A file (path, URL, Blob, Response, bytes), pixels (`ImageData` or alike), or what a page shows, read at the call. Of a
 * Response the body is taken there: it is read in its turn, and cancelled if that does not come.
 */
export type ImageSource = ByteSource | PlatformResponse | ImageDataLike | PageSource;

/** Of images at an address or in a Response, how slow a server may be is asked as in `decodeImage`. */
export interface ImageOptions extends Partial<Pace> {
  /** Most pixels an image may have. Default 16383². */
  readonly maxPixels?: number;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

export interface ClassifyOptions extends ImageOptions {
  /** How many predictions, best first. Default 5. */
  readonly topK?: number;
}
