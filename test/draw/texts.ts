/** Texts of a picture and the room that they take, by the estimate by which they were placed. */

import type { Picture, PictureShape } from "../../src/draw/index.ts";
import { textWidth } from "../../src/draw/text-width.ts";

export interface DrawnText {
  readonly text: string;
  readonly isUpright: boolean;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** All shapes, those within others too. */
export function shapesOf(picture: Picture): readonly PictureShape[] {
  const flat = (shape: PictureShape): readonly PictureShape[] => [
    shape,
    ...shape.children.flatMap((child) => (typeof child === "string" ? [] : flat(child))),
  ];
  return picture.shapes.flatMap(flat);
}

export function textsOf(picture: Picture): readonly DrawnText[] {
  return shapesOf(picture)
    .filter(({ tag }) => tag === "text")
    .map((shape) => {
      const { x = 0, y = 0, "font-size": size = 0, "text-anchor": anchor, transform } = shape.attributes;
      const text = contentOf(shape);
      const width = textWidth(text, Number(size));
      const start = anchor === "end" ? -width : anchor === "middle" ? -width / 2 : 0;
      // Of letters without what hangs below the base line.
      const height = 0.75 * Number(size);
      const [left, base] = [Number(x), Number(y)];
      return transform === undefined
        ? { text, isUpright: false, left: left + start, right: left + start + width, top: base - height, bottom: base }
        : { text, isUpright: true, left: left - height, right: left, top: base - start - width, bottom: base - start };
    });
}

/** What is written in it, small letters too. */
export function contentOf({ children }: PictureShape): string {
  return children.map((child) => (typeof child === "string" ? child : contentOf(child))).join("");
}

/** Pairs of texts that cover each other. */
export function overlapping(texts: readonly DrawnText[]): readonly string[] {
  const found: string[] = [];
  for (const [index, a] of texts.entries()) {
    for (const b of texts.slice(index + 1)) {
      const covers = a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
      if (covers) found.push(`"${a.text}" and "${b.text}"`);
    }
  }
  return found;
}

/** Texts that leave the picture. */
export function outside({ width, height }: Picture, texts: readonly DrawnText[]): readonly string[] {
  return texts
    .filter(({ left, right, top, bottom }) => left < 0 || right > width || top < 0 || bottom > height)
    .map(({ text }) => text);
}
