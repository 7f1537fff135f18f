/**
 * What a chunk of a depthwise layer has of its output rows and of its input rows, and where both lie: chunks are counted
 * in output rows, of image `from / perImage` (or as many images as count as one) the one `from % perImage`. Its share of
 * the input begins at its first output row times the stride; that of the last chunk goes on to the end of the image.
 *
 * Rows are counted through the batch. An address of row 0 gives that of all: of rows in scratch, row 0 need not be there.
 */

import type { KernelScope } from "../arguments.ts";
import type { Expression, Local, Statement } from "../assembler/index.ts";
import { add, choose, divide, equal, floats, least, locals, most, mul, put, remainder, sub } from "../emit.ts";
import { WINDOW_WORDS } from "../window.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";

/** Words of a depthwise layer over a chunk. `bias` of the window is not read: it lies in front of the taps. */
export const DEPTHWISE_WORDS = [
  ...WINDOW_WORDS,
  "multiplier",
  /** Address of at least as many zeros as one tile reads of a row. */
  "zeros",
  ...CHUNK_WORDS,
  /** Images that count as one. */
  "images",
] as const;

type Word = Expression<"i32">;

export interface DepthwiseShare {
  /** Output rows. */
  readonly start: Local<"i32">;
  readonly end: Local<"i32">;
  /** Input rows. */
  readonly firstRow: Local<"i32">;
  readonly endRow: Local<"i32">;
  /** Finds all four. */
  readonly find: readonly Statement[];
  /** Address of input row 0: `address` if it is not 0, else by where the chunk's first row is in scratch. */
  inputAt(address: Word, offset: Word, before: Word): Word;
  /** The same of output row 0. */
  outputAt(address: Word, offset: Word, before: Word): Word;
}

export function depthwiseShare(scope: KernelScope<(typeof DEPTHWISE_WORDS)[number]>): DepthwiseShare {
  const { start, end, find } = chunkRange(scope);
  const { firstRow, endRow, image, imageRow, rows } = locals(
    scope.local,
    "i32",
    "firstRow",
    "endRow",
    "image",
    "imageRow",
    "rows",
  );
  const rowZero = (address: Word, offset: Word, before: Word, first: Word, rowBytes: Word) =>
    choose(address, address, add(add(scope.scratch, offset), mul(sub(before, first), rowBytes)));
  return {
    start,
    end,
    firstRow,
    endRow,
    find: [
      ...find,
      put(rows, mul(scope.batch, scope.height)),
      put(image, divide(scope.from, scope.perImage)),
      put(imageRow, mul(mul(image, scope.images), scope.height)),
      put(endRow, least(add(imageRow, mul(scope.images, scope.height)), rows)),
      put(image, remainder(scope.from, scope.perImage)),
      put(rows, mul(scope.chunk, scope.strideY)),
      put(firstRow, least(add(imageRow, mul(image, rows)), endRow)),
      put(
        endRow,
        choose(equal(image, sub(scope.perImage, 1)), most(endRow, firstRow), least(add(firstRow, rows), endRow)),
      ),
    ],
    inputAt: (address, offset, before) =>
      rowZero(address, offset, before, firstRow, mul(scope.width, floats(scope.channels))),
    outputAt: (address, offset, before) =>
      rowZero(address, offset, before, start, mul(scope.outWidth, floats(scope.outChannels))),
  };
}
