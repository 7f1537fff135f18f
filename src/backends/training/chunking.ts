/**
 * How a batch is cut into chunks: from geometry and the batch that was laid out for, and from nothing else, so that the
 * bits of whatever is summed chunk by chunk are the same for any number of threads.
 */

import type { Window } from "../../core/window.ts";
import type { ChunkWords } from "../../kernels/wasm/training/chunks.ts";

/** Sums of weights are kept for so many groups of chunks. Threads are a divisor of it, so that each has whole groups. */
export const GROUPS = 8;

export interface Chunking {
  readonly words: ChunkWords;
  /** Chunks, with empty ones at the end, so that each group has as many. */
  readonly units: number;
  /** Chunks of a group. */
  readonly per: number;
  /** Images that count as one. */
  readonly images: number;
  /** Most pixels (or rows) of a chunk. */
  readonly most: number;
}

/**
 * @param each  pixels or rows of an image
 * @param batch images
 * @param most  pixels or rows that a chunk should have
 * @param whole whether a chunk is to be whole images
 */
export function chunked(each: number, batch: number, most: number, whole = false): Chunking {
  if (each > most && !whole) {
    const chunk = Math.ceil(each / Math.ceil(each / most));
    const perImage = Math.ceil(each / chunk);
    return grouped({ each, pixels: each, perImage, chunk }, batch * perImage, 1);
  }
  const images = evenly(batch, Math.max(1, Math.floor(most / each)));
  const pixels = images * each;
  return grouped({ each, pixels, perImage: 1, chunk: pixels }, Math.ceil(batch / images), images);
}

/**
 * Images of a chunk, at most `most`, and where there are enough at least half of that: as many as leave the fullest group,
 * for which the threads wait, the least to do. (Of 128 images 12 a chunk would be 11 chunks: two groups of threads with 8 and 3.)
 */
function evenly(batch: number, most: number): number {
  const fullest = (images: number) => images * Math.ceil(batch / images / GROUPS);
  let best = Math.min(most, Math.ceil(batch / GROUPS));
  for (let images = best - 1; 2 * images >= most; images--) if (fullest(images) < fullest(best)) best = images;
  return best;
}

function grouped(words: ChunkWords, chunks: number, images: number): Chunking {
  const per = Math.ceil(chunks / GROUPS);
  return { words, units: per * GROUPS, per, images, most: words.chunk };
}

/** The rows of an image and those of the output above them, cut together. */
export interface RowChunking {
  /** Of output rows. */
  readonly out: Chunking;
  /** The same chunks, in rows of the input. */
  readonly input: ChunkWords;
  /** Rows of the input that a window reads before and behind its chunk, and most rows of a chunk with them. */
  readonly before: number;
  readonly after: number;
  readonly most: number;
  /** Rows of the output that a row of the input goes into, before and behind its chunk, and most rows with them. */
  readonly outBefore: number;
  readonly outAfter: number;
  readonly outMost: number;
}

/**
 * @param most output rows that a chunk should have
 */
export function rowsChunked(window: Window, batch: number, most: number, whole = false): RowChunking {
  const [height, outHeight, stride, dilation, kernel] = [
    window.input[0],
    window.output[0],
    window.stride[0],
    window.dilation[0],
    window.kernel[0],
  ];
  const [[top]] = window.padding;
  let out = chunked(outHeight, batch, Math.max(1, most), whole);
  // Each chunk begins inside the image, or there is only one.
  if ((out.words.perImage - 1) * out.words.chunk * stride >= height) out = chunked(outHeight, batch, outHeight, true);
  const { perImage, chunk } = out.words;
  const share = chunk * stride;
  const input =
    perImage === 1
      ? { each: height, pixels: out.images * height, perImage, chunk: out.images * height }
      : { each: height, pixels: height, perImage, chunk: share };
  const reach = (kernel - 1) * dilation;
  const before = top;
  const after = Math.max(0, reach - top - stride + 1);
  const outBefore = Math.max(0, Math.ceil((reach - top) / stride));
  const outAfter = Math.max(0, Math.floor((share - 1 + top) / stride) - (chunk - 1));
  const rows = perImage === 1 ? input.pixels : Math.max(share, height - (perImage - 1) * share);
  return {
    out,
    input,
    before,
    after,
    most: rows + before + after,
    outBefore,
    outAfter,
    outMost: out.words.chunk + outBefore + outAfter,
  };
}

/** Rows as pixels. */
export function inPixels({ each, pixels, perImage, chunk }: ChunkWords, width: number): ChunkWords {
  return { each: each * width, pixels: pixels * width, perImage, chunk: chunk * width };
}
