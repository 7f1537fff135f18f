/** What kernels with a window share: the words that place it, the walk over output rows, the taps inside the image. */

import type { Window } from "../../core/window.ts";
import type { KernelScope } from "./arguments.ts";
import type { Expression, Local, Statement } from "./assembler/index.ts";
import { add, divide, floats, least, locals, loop, most, mul, put, remainder, sub } from "./emit.ts";

/** Where a window lies over an image. Pads after the image are not needed: its size is. */
export const WINDOW_WORDS = [
  "x",
  "w",
  "bias",
  "y",
  "channels",
  "outChannels",
  "height",
  "width",
  "outHeight",
  "outWidth",
  "kernelHeight",
  "kernelWidth",
  "strideY",
  "strideX",
  "dilationY",
  "dilationX",
  "top",
  "left",
  /** Output columns whose window lies inside the image from left to right. */
  "innerFrom",
  "innerTo",
] as const;

type WindowWord = (typeof WINDOW_WORDS)[number];
type Word = Expression<"i32">;

/** A walk over a range of output rows, counted through the batch, and over the columns of each. */
export interface WindowWalk {
  readonly row: Local<"i32">;
  readonly ox: Local<"i32">;
  /** The tap of row 0 and column 0 of the window, in pixels of the image; negative in the padding. */
  readonly iy: Local<"i32">;
  readonly ix: Local<"i32">;
  /** The taps inside the image: from u0 and v0, so many of them. */
  readonly u0: Local<"i32">;
  readonly v0: Local<"i32">;
  readonly rows: Local<"i32">;
  readonly columns: Local<"i32">;
  /** Address of the image, and bytes of a pixel and of a row of it. */
  readonly image: Local<"i32">;
  readonly pixelBytes: Local<"i32">;
  readonly rowBytes: Local<"i32">;
  /** Address of the first tap inside the image. */
  readonly firstTap: Word;
  /** `ox` set: finds ix, v0 and columns. */
  readonly placeColumn: readonly Statement[];
  /** All rows of the range: finds what depends on the row, then runs the body. */
  over(body: readonly Statement[]): readonly Statement[];
}

export function windowWalk(scope: KernelScope<WindowWord>): WindowWalk {
  const names = ["row", "ox", "iy", "ix", "u0", "v0", "rows", "columns", "image", "pixelBytes", "rowBytes"] as const;
  const v = locals(scope.local, "i32", ...names);
  const { row, ox, iy, ix, u0, v0, rows, columns, image, pixelBytes, rowBytes } = v;
  const dilated = (at: Word, tap: Word, axis: "Y" | "X") => add(at, mul(tap, scope[`dilation${axis}`]));
  return {
    ...v,
    firstTap: add(image, add(mul(dilated(iy, u0, "Y"), rowBytes), mul(dilated(ix, v0, "X"), pixelBytes))),
    placeColumn: [
      put(ix, sub(mul(ox, scope.strideX), scope.left)),
      ...tapsInside(v0, columns, ix, scope.width, scope.kernelWidth, scope.dilationX),
    ],
    over: (body) => [
      put(pixelBytes, floats(scope.channels)),
      put(rowBytes, mul(scope.width, pixelBytes)),
      put(row, scope.from),
      loop(row, scope.to, 1, [
        put(iy, sub(mul(remainder(row, scope.outHeight), scope.strideY), scope.top)),
        ...tapsInside(u0, rows, iy, scope.height, scope.kernelHeight, scope.dilationY),
        put(image, add(scope.x, mul(mul(divide(row, scope.outHeight), scope.height), rowBytes))),
        put(ox, 0),
        ...body,
      ]),
    ],
  };
}

/** On one axis: the first tap t with at + t · dilation ≥ 0, and how many from there have it below `size`. */
function tapsInside(
  first: Local<"i32">,
  count: Local<"i32">,
  at: Word,
  size: Word,
  taps: Word,
  dilation: Word,
): readonly Statement[] {
  const upTo = (distance: Word) => least(divide(sub(add(most(distance, 0), dilation), 1), dilation), taps);
  return [put(first, upTo(sub(0, at))), put(count, most(sub(upTo(sub(size, at)), first), 0))];
}

/** The words of a window, but for its addresses. */
export function windowWords(window: Window, channels: number, outChannels: number) {
  const [[top], [left]] = window.padding;
  const [height, width] = window.input;
  const [outHeight, outWidth] = window.output;
  const [strideY, strideX] = window.stride;
  const [dilationY, dilationX] = window.dilation;
  const [kernelHeight, kernelWidth] = window.kernel;
  const innerFrom = Math.min(outWidth, Math.ceil(left / strideX));
  const last = width - 1 - (kernelWidth - 1) * dilationX + left;
  const innerTo = Math.max(innerFrom, Math.min(outWidth, last < 0 ? 0 : Math.floor(last / strideX) + 1));
  return {
    channels,
    outChannels,
    height,
    width,
    outHeight,
    outWidth,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY,
    dilationX,
    top,
    left,
    innerFrom,
    innerTo,
  };
}
