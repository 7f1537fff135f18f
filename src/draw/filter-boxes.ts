/** Filters as boxes, as the paper's figure 2 draws them: a side of the kernel to the right and downwards, channels to the back. */

import { lowered } from "./formula.ts";
import { type PictureShape, pathThrough, SMALL_SIZE, textAt } from "./picture.ts";

/** Filters of one kind. */
export interface FilterKind {
  /** Class of their colour. */
  readonly look: string;
  /** Elements of a side. */
  readonly side: number;
  /** Channels that each looks at. */
  readonly depth: number;
  readonly count: number;
  /** Letters beside the sides and behind the last filter. */
  readonly letters: { readonly side: string; readonly depth: string; readonly count: string };
}

/** An element has so many pixels, and a side has at most so many. */
const ELEMENT = 12;
const MOST_SIDE = 46;
/** How far back many channels go, right and up alike. */
const DEEP = 44;
const SHALLOW = 6;
const APART = 30;
/** Beside the first filter. */
const LETTERS = 30;

/** The height that a row of filters takes. */
export const FILTERS_HEIGHT = MOST_SIDE + DEEP / 2 + 18;
/** How far to the right they reach. */
export const FILTERS_WIDTH = LETTERS + 3 * (MOST_SIDE + DEEP / 2 + APART) + 62;

/** The first filters, three at most, and dots where there are more; `bottom` is where their sides end. */
export function drawnFilters(
  { look, side, depth, count, letters }: FilterKind,
  left: number,
  bottom: number,
): readonly PictureShape[] {
  const front = Math.min(MOST_SIDE, ELEMENT * side);
  const back = depth === 1 ? SHALLOW : DEEP;
  const shown = Math.min(3, count);
  const step = front + back / 2 + APART;
  const boxes = Array.from({ length: shown }, (_, index) => {
    const x = left + LETTERS + step * index;
    return box(look, x, bottom - front, front, back, side);
  });
  const end = left + LETTERS + step * (shown - 1) + front + back / 2;
  const middle = bottom - front / 2 + 4;
  const first = left + LETTERS;
  const dots = count > shown ? 22 : 0;
  const size = { size: SMALL_SIZE, look: "soft" } as const;
  return [
    ...boxes.flat(),
    textAt(first + front / 2, bottom + 14, lowered(letters.side, SMALL_SIZE), { ...size, anchor: "middle" }),
    textAt(first - 5, middle, lowered(letters.side, SMALL_SIZE), { ...size, anchor: "end" }),
    textAt(first + back / 2 - 6, bottom - front - back / 2 - 2, letters.depth, { ...size, anchor: "end" }),
    ...(count > shown ? [textAt(end + 6, middle, "⋯", { size: 16 })] : []),
    textAt(end + 6 + dots, middle, `× ${letters.count}`),
  ];
}

/** Three faces and, where they can be seen, the elements of the front one. */
function box(look: string, x: number, y: number, front: number, back: number, side: number): readonly PictureShape[] {
  const [right, low, far] = [x + front, y + front, back / 2];
  const element = front / side;
  const lines = element < 6 ? [] : Array.from({ length: side - 1 }, (_, index) => (index + 1) * element);
  return [
    pathThrough(
      `${look} edge top`,
      [
        [x, y],
        [x + far, y - far],
        [right + far, y - far],
        [right, y],
      ],
      true,
    ),
    pathThrough(
      `${look} edge side`,
      [
        [right, y],
        [right + far, y - far],
        [right + far, low - far],
        [right, low],
      ],
      true,
    ),
    pathThrough(
      `${look} edge`,
      [
        [x, y],
        [right, y],
        [right, low],
        [x, low],
      ],
      true,
    ),
    ...lines.flatMap((at) => [
      pathThrough("edge", [
        [x + at, y],
        [x + at, low],
      ]),
      pathThrough("edge", [
        [x, y + at],
        [right, y + at],
      ]),
    ]),
  ];
}
