/**
 * Chunks: the pieces in which training goes over the pixels of a batch. Where they lie depends on geometry alone, not on
 * threads, so that whatever is summed chunk by chunk has the same bits for any number of them; and all kernels of a
 * stage pass over one chunk before the next, so that what one hands to another stays in the second cache.
 *
 * An image is cut into `perImage` chunks of `chunk` pixels each; the last takes what is left. Where images are small, so
 * many of them count as one: `pixels` is then that of all of them, and `perImage` 1. Rows are counted like pixels, by
 * kernels that want rows.
 */

import type { Expression, Local, MakeLocal, Statement } from "../assembler/index.ts";
import { add, choose, divide, equal, least, locals, most, mul, put, remainder, sub } from "../emit.ts";

export const CHUNK_WORDS = [
  /** Pixels (or rows) of one example: a run has batch · each of them. */
  "each",
  /** Of an image, or of as many as count as one: a multiple of `each`. */
  "pixels",
  "perImage",
  "chunk",
] as const;

type ChunkWord = (typeof CHUNK_WORDS)[number];
type Word = Expression<"i32"> | number;

/** The same in numbers. */
export type ChunkWords = Readonly<Record<ChunkWord, number>>;

/** What a kernel's code sees of its chunk. All of it counts pixels through the whole batch. */
export interface ChunkRange {
  readonly start: Local<"i32">;
  /** Equal to `start` for chunks behind the end of a batch that is not full. */
  readonly end: Local<"i32">;
  /** Of the image. */
  readonly imageStart: Local<"i32">;
  readonly imageEnd: Local<"i32">;
  /** Finds all four. */
  readonly find: readonly Statement[];
  /** The first pixel that is there of `before` more, and the end of `after` more: a halo within the image. */
  first(before: Word): Expression<"i32">;
  last(after: Word): Expression<"i32">;
}

/** The chunk that `scope.from` counts. */
export function chunkRange(
  scope: { readonly [W in ChunkWord | "from" | "batch"]: Expression<"i32"> } & { readonly local: MakeLocal },
): ChunkRange {
  const { start, end, imageStart, imageEnd, at } = locals(
    scope.local,
    "i32",
    "start",
    "end",
    "imageStart",
    "imageEnd",
    "at",
  );
  return {
    start,
    end,
    imageStart,
    imageEnd,
    find: [
      put(imageStart, mul(divide(scope.from, scope.perImage), scope.pixels)),
      put(imageEnd, least(add(imageStart, scope.pixels), mul(scope.batch, scope.each))),
      put(at, remainder(scope.from, scope.perImage)),
      put(start, least(add(imageStart, mul(at, scope.chunk)), imageEnd)),
      put(
        end,
        choose(equal(at, sub(scope.perImage, 1)), most(imageEnd, start), least(add(start, scope.chunk), imageEnd)),
      ),
    ],
    first: (before) => most(sub(start, before), imageStart),
    last: (after) => least(add(end, after), imageEnd),
  };
}

/** What lies in a thread's own memory: pixel p of a chunk at `offset + (p − start + before) · channels` floats. */
export const SCRATCH_WORDS = ["offset", "before", "after"] as const;

/** The chunks of the images that have begun: there are no others in this batch. */
export function chunksOf(scope: { readonly [W in ChunkWord | "batch"]: Expression<"i32"> }): Expression<"i32"> {
  const images = divide(sub(add(mul(scope.batch, scope.each), scope.pixels), 1), scope.pixels);
  return mul(images, scope.perImage);
}
