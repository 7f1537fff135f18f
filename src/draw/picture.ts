/** A picture is plain data: shapes as SVG has them, and a table that says the same in words. No document, no markup. */

/** The elements that a picture is made of. */
export type PictureTag = "g" | "rect" | "line" | "path" | "circle" | "text" | "tspan" | "title";

/** An element of SVG: a page makes an element of it, `svgText` writes it out. */
export interface PictureShape {
  readonly tag: PictureTag;
  /** By the names of SVG, such as `text-anchor`. Colours are classes, which `PICTURE_STYLE` gives theirs. */
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly (PictureShape | string)[];
}

/** What a picture shows, for readers who do not see it. */
export interface PictureTable {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A picture: its size in pixels, what it is called, what is drawn, and the same in words. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What one sees, in sentences. */
  readonly description: string;
  readonly shapes: readonly PictureShape[];
  readonly table: PictureTable;
}

/** Sizes of letters, in pixels. */
export const TITLE_SIZE = 16;
export const TEXT_SIZE = 12;
export const SMALL_SIZE = 11;

/** A place or a length, of as many digits as can be seen. */
export function tenths(length: number): number {
  // Not -0, which is written with its sign.
  return Math.round(length * 10) / 10 + 0;
}

/** An element whose numbers have a tenth of a pixel. */
export function shape(
  tag: PictureTag,
  attributes: PictureShape["attributes"],
  ...children: readonly (PictureShape | string)[]
): PictureShape {
  const rounded = Object.entries(attributes).map(([name, value]) => [
    name,
    typeof value === "number" ? tenths(value) : value,
  ]);
  return { tag, attributes: Object.fromEntries(rounded), children };
}

export interface TextLook {
  /** Default `start`. */
  readonly anchor?: "start" | "middle" | "end";
  /** Default `TEXT_SIZE`. */
  readonly size?: number;
  /** Class of the style sheet. Default the plain colour of text. */
  readonly look?: string;
  /** Upwards, turned about its anchor. Default false. */
  readonly isUpright?: boolean;
}

/** A line of text; `y` is its base line. */
export function textAt(
  x: number,
  y: number,
  content: string | readonly (PictureShape | string)[],
  { anchor = "start", size = TEXT_SIZE, look, isUpright = false }: TextLook = {},
): PictureShape {
  const attributes = {
    ...(look === undefined ? {} : { class: look }),
    x,
    y,
    ...(anchor === "start" ? {} : { "text-anchor": anchor }),
    "font-size": size,
    ...(isUpright ? { transform: `rotate(-90 ${tenths(x)} ${tenths(y)})` } : {}),
  };
  return shape("text", attributes, ...(typeof content === "string" ? [content] : content));
}

/** A rectangle; what is said of it shows where a pointer rests. */
export function rectangle(
  look: string,
  [x, y, width, height]: readonly [x: number, y: number, width: number, height: number],
  { radius = 0, says }: { readonly radius?: number; readonly says?: string } = {},
): PictureShape {
  const attributes = { class: look, x, y, width, height, ...(radius === 0 ? {} : { rx: radius }) };
  return shape("rect", attributes, ...(says === undefined ? [] : [shape("title", {}, says)]));
}

/** A straight line. */
export function lineFrom(look: string, x1: number, y1: number, x2: number, y2: number): PictureShape {
  return shape("line", { class: look, x1, y1, x2, y2 });
}

/** A line through points, or an area if it is closed. */
export function pathThrough(
  look: string,
  points: readonly (readonly [x: number, y: number])[],
  isClosed = false,
): PictureShape {
  const steps = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${tenths(x)},${tenths(y)}`);
  return shape("path", { class: look, d: `${steps.join("")}${isClosed ? "Z" : ""}` });
}
