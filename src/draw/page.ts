/** What all pictures have: a ground, a title, lines under it. */

import {
  lineFrom,
  type Picture,
  type PictureShape,
  rectangle,
  shape,
  TEXT_SIZE,
  TITLE_SIZE,
  tenths,
  textAt,
} from "./picture.ts";
import { shortened, textWidth, wrapped } from "./text-width.ts";

/** A picture on its ground. */
export function page(width: number, height: number, picture: Omit<Picture, "width" | "height">): Picture {
  const [right, bottom] = [tenths(width), tenths(height)];
  return {
    width: right,
    height: bottom,
    ...picture,
    shapes: [rectangle("page", [0, 0, right, bottom]), ...picture.shapes],
  };
}

/** Shapes, and how far down they reach. */
export interface Piece {
  readonly shapes: readonly PictureShape[];
  readonly bottom: number;
}

/** A title and what stands under it, in as many lines as it takes; `bottom` is the last base line. */
export function pictureHead(width: number, margin: number, title: string, notes: readonly string[]): Piece {
  const room = width - 2 * margin;
  const titles = wrapped(title, room, TITLE_SIZE);
  const lines = notes.flatMap((note) => wrapped(note, room, TEXT_SIZE));
  const below = 30 + 22 * (titles.length - 1);
  return {
    shapes: [
      ...titles.map((line, index) => textAt(margin, 30 + 22 * index, line, { size: TITLE_SIZE, look: "title" })),
      ...lines.map((line, index) => textAt(margin, below + 22 + 18 * index, line, { look: "soft" })),
    ],
    bottom: lines.length === 0 ? below : below + 22 + 18 * (lines.length - 1),
  };
}

/** A square of a colour, and what it stands for; `y` is the base line. */
export function legendEntry(look: string, text: string, x: number, y: number): readonly PictureShape[] {
  return [squareMark(look)(x, y), textAt(x + MARK, y, text)];
}

/** How much room a mark has in front of its text. */
const MARK = 18;

/** Draws a mark whose text begins `MARK` behind `x`, on the base line `y`. */
export type LegendMark = (x: number, y: number) => PictureShape;

/** A mark and what it stands for; a text may need none. */
export interface LegendLine {
  readonly text: string;
  readonly mark?: LegendMark;
}

export const squareMark =
  (look: string): LegendMark =>
  (x, y) =>
    rectangle(look, [x, y - 10, 11, 11], { radius: 2 });

export const dotMark =
  (look: string): LegendMark =>
  (x, y) =>
    shape("circle", { class: look, cx: x + 5.5, cy: y - 4.5, r: 4.5 });

export const lineMark =
  (look: string): LegendMark =>
  (x, y) =>
    lineFrom(look, x, y - 4, x + 14, y - 4);

/** Entries one behind the other, in as many lines as they take; the first base line is `top`, the last `bottom`. */
export function drawnLegend(entries: readonly LegendLine[], width: number, margin: number, top: number): Piece {
  let [x, y] = [margin, top];
  const shapes = entries.flatMap(({ text, mark }) => {
    const before = mark === undefined ? 0 : MARK;
    const length = before + textWidth(text, TEXT_SIZE);
    if (x > margin && x + length > width - margin) [x, y] = [margin, y + 20];
    const room = width - margin - x - before;
    const entry = textAt(x + before, y, shortened(text, room, TEXT_SIZE), mark === undefined ? { look: "soft" } : {});
    const drawn = mark === undefined ? [entry] : [mark(x, y), entry];
    x += length + 22;
    return drawn;
  });
  return { shapes, bottom: y };
}

/** Parts of a description, each with its full stop. */
export function sentences(parts: readonly string[]): string {
  return parts.map((part) => (part.endsWith(".") ? part : `${part}.`)).join(" ");
}
