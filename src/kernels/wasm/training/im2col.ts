/**
 * Windows as rows of a matrix, by which gradients of any convolution are products: im2col copies what each output pixel
 * sees to `[pixels][kh · kw · C]`, zeros outside of the image; col2im adds such rows up to the image again.
 *
 * Of the words of a window, `w`, `bias` and `outChannels` are not read.
 */

import { argumentBlock, type KernelScope, kernel } from "../arguments.ts";
import {
  type Expression,
  float,
  type Local,
  type ModuleBuilder,
  op,
  type Statement,
  when,
} from "../assembler/index.ts";
import {
  add,
  advance,
  atLeast,
  below,
  both,
  choose,
  countDown,
  divide,
  equal,
  floats,
  inside,
  type Lanes,
  least,
  loadLanes,
  locals,
  loop,
  most,
  mul,
  not,
  overChannels,
  put,
  remainder,
  storeLanes,
  sub,
} from "../emit.ts";
import { WINDOW_WORDS, type WindowWalk, windowWalk } from "../window.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";

export const IM2COL = /* @__PURE__ */ argumentBlock(WINDOW_WORDS, [
  /**
   * With x = 0 the input lies in scratch: input row r of the batch at offset + (r − first + before) rows, where `first` is
   * that of the chunk: of its images, and k · chunk / outWidth · strideY more for the k-th chunk of one. Chunks are whole
   * rows then.
   */
  "offset",
  "before",
  /** With y = 0 the matrix goes to scratch, from here on. */
  "yOffset",
  ...CHUNK_WORDS,
]);

/** The rows of a chunk of output pixels. In memory they lie by the pixels of the batch, in scratch by those of the chunk. */
export function im2col(module: ModuleBuilder) {
  return kernel(module, "im2col", IM2COL, (scope) => {
    const range = chunkRange(scope);
    const { image, first, row, end, to, at, last } = locals(
      scope.local,
      "i32",
      "image",
      "first",
      "row",
      "end",
      "to",
      "at",
      "last",
    );
    const walk = windowWalk({ ...scope, x: image, from: row, to: end });
    const rowFloats = mul(mul(scope.kernelHeight, scope.kernelWidth), scope.channels);
    const isCut = below(mul(walk.rows, walk.columns), mul(scope.kernelHeight, scope.kernelWidth));
    return [
      ...range.find,
      put(
        first,
        add(
          mul(mul(divide(scope.from, scope.perImage), divide(scope.pixels, scope.each)), scope.height),
          mul(mul(remainder(scope.from, scope.perImage), divide(scope.chunk, scope.outWidth)), scope.strideY),
        ),
      ),
      put(
        image,
        choose(
          scope.x,
          scope.x,
          add(
            add(scope.scratch, scope.offset),
            mul(sub(scope.before, first), floats(mul(scope.width, scope.channels))),
          ),
        ),
      ),
      put(to, choose(scope.y, add(scope.y, floats(mul(range.start, rowFloats))), add(scope.scratch, scope.yOffset))),
      put(last, choose(equal(scope.dilationX, 1), floats(sub(mul(scope.kernelWidth, scope.channels), 4)), -1)),
      put(row, divide(range.start, scope.outWidth)),
      put(end, divide(add(range.end, sub(scope.outWidth, 1)), scope.outWidth)),
      ...walk.over([
        put(walk.ox, most(sub(range.start, mul(walk.row, scope.outWidth)), 0)),
        loop(walk.ox, least(scope.outWidth, sub(range.end, mul(walk.row, scope.outWidth))), 1, [
          placeColumn(scope, walk),
          when(
            isCut,
            overChannels(at, rowFloats, (lanes) => [storeLanes(lanes, add(to, floats(at)), zeros())]),
          ),
          when(
            both(not(isCut), atLeast(last, 0)),
            copyWhole(scope, walk, to, last),
            overSegments(scope, walk, to, (lanes, inImage, inRow) => [
              storeLanes(lanes, inRow, loadLanes(lanes, inImage)),
            ]),
          ),
          advance(to, floats(rowFloats)),
        ]),
      ]),
    ];
  });
}

export const COL2IM = /* @__PURE__ */ argumentBlock(WINDOW_WORDS, [
  /** With x = 0 the matrix of the chunk lies in scratch, from here on. */
  "offset",
  ...CHUNK_WORDS,
]);

/**
 * y, the images of a chunk: of each number of them the sum over what has seen it, in order of output pixels, then u, v.
 * Chunks are whole images.
 */
export function col2im(module: ModuleBuilder) {
  return kernel(module, "col2im", COL2IM, (scope) => {
    const range = chunkRange(scope);
    const { row, end, at, from, image } = locals(scope.local, "i32", "row", "end", "at", "from", "image");
    const walk = windowWalk({ ...scope, x: scope.y, from: row, to: end });
    const rowFloats = mul(mul(scope.kernelHeight, scope.kernelWidth), scope.channels);
    const imageFloats = mul(mul(scope.height, scope.width), scope.channels);
    const images = divide(sub(range.end, range.start), scope.each);
    return [
      ...range.find,
      put(image, add(scope.y, floats(mul(divide(range.start, scope.each), imageFloats)))),
      ...overChannels(at, mul(images, imageFloats), (lanes) => [storeLanes(lanes, add(image, floats(at)), zeros())]),
      put(from, choose(scope.x, add(scope.x, floats(mul(range.start, rowFloats))), add(scope.scratch, scope.offset))),
      put(row, divide(range.start, scope.outWidth)),
      put(end, divide(range.end, scope.outWidth)),
      ...walk.over([
        loop(walk.ox, scope.outWidth, 1, [
          placeColumn(scope, walk),
          ...overSegments(scope, walk, from, (lanes, inImage, inRow) => [
            storeLanes(lanes, inImage, op("f32x4.add", loadLanes(lanes, inImage), loadLanes(lanes, inRow))),
          ]),
          advance(from, floats(rowFloats)),
        ]),
      ]),
    ];
  });
}

/** The taps of a column; of most they are all there, and are not looked for. */
function placeColumn(scope: WindowScope, walk: WindowWalk): Statement {
  return when(
    inside(sub(walk.ox, scope.innerFrom), sub(scope.innerTo, scope.innerFrom)),
    [put(walk.ix, sub(mul(walk.ox, scope.strideX), scope.left)), put(walk.v0, 0), put(walk.columns, scope.kernelWidth)],
    walk.placeColumn,
  );
}

/** All taps of an output pixel, undilated, in vectors: the last of a row of them is at `last` bytes. */
function copyWhole(
  scope: WindowScope,
  walk: WindowWalk,
  matrixRow: Local<"i32">,
  last: Expression<"i32">,
): readonly Statement[] {
  const { from, to, rows, at } = locals(scope.local, "i32", "from", "to", "rows", "at");
  const copy = (offset: Expression<"i32">) => storeLanes(4, add(to, offset), loadLanes(4, add(from, offset)));
  return [
    put(from, walk.firstTap),
    put(to, matrixRow),
    put(rows, scope.kernelHeight),
    countDown(rows, [
      put(at, 0),
      loop(at, last, 16, [copy(at)]),
      copy(last),
      advance(from, mul(scope.dilationY, walk.rowBytes)),
      advance(to, mul(scope.kernelWidth, walk.pixelBytes)),
    ]),
  ];
}

type WindowScope = KernelScope<(typeof WINDOW_WORDS)[number]>;

const zeros = () => op("f32x4.splat", float(0));

/**
 * The taps of an output pixel that lie inside the image: some lanes at a time, by their addresses in the image and in the
 * row of the matrix. Undilated, the taps of a row lie together.
 */
function overSegments(
  scope: WindowScope,
  walk: WindowWalk,
  matrixRow: Local<"i32">,
  body: (lanes: Lanes, inImage: Expression<"i32">, inRow: Expression<"i32">) => readonly Statement[],
): readonly Statement[] {
  const names = ["imageRow", "image", "tapRow", "tap", "rows", "segments", "length", "lane"] as const;
  const v = locals(scope.local, "i32", ...names);
  const isDense = equal(scope.dilationX, 1);
  return [
    put(v.imageRow, walk.firstTap),
    put(v.tapRow, add(matrixRow, mul(add(mul(walk.u0, scope.kernelWidth), walk.v0), walk.pixelBytes))),
    put(v.length, mul(scope.channels, choose(isDense, walk.columns, 1))),
    put(v.rows, walk.rows),
    countDown(v.rows, [
      put(v.image, v.imageRow),
      put(v.tap, v.tapRow),
      put(v.segments, choose(isDense, not(not(walk.columns)), walk.columns)),
      countDown(v.segments, [
        ...overChannels(v.lane, v.length, (lanes) =>
          body(lanes, add(v.image, floats(v.lane)), add(v.tap, floats(v.lane))),
        ),
        advance(v.image, mul(scope.dilationX, walk.pixelBytes)),
        advance(v.tap, walk.pixelBytes),
      ]),
      advance(v.imageRow, mul(scope.dilationY, walk.rowBytes)),
      advance(v.tapRow, mul(scope.kernelWidth, walk.pixelBytes)),
    ]),
  ];
}
