/** A picture as the text of an SVG file. */

import { element, type Markup, raw, seen } from "../core/markup.ts";
import { oneOf, optionError, textOf } from "../core/options.ts";
import type { Picture, PictureShape, PictureTag } from "./picture.ts";
import { PICTURE_CLASS, pictureStyle } from "./style.ts";

/**
 * The text of an SVG file: a picture with its title, its description and its style sheet, which has light and dark
 * colours by the reader's system. It holds no script, asks for nothing, and what stands in names stays text.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for what is no picture
 */
export function svgText(picture: Picture): string {
  const isPicture = typeof picture === "object" && picture !== null && Array.isArray(picture.shapes);
  if (!isPicture) throw optionError("svgText", "picture", "what drawCost and its kin give", picture);
  return textOf("svgText", "picture", "what drawCost and its kin give", picture, () => written(picture));
}

function written({ width, height, title, description, shapes }: Picture): string {
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: PICTURE_CLASS,
      role: "img",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
    },
    line(element("title", {}, seen(title))),
    line(element("desc", {}, seen(description))),
    line(element("style", {}, raw(`\n${pictureStyle()}\n`))),
    shapes.map((shape) => line(markupOf(shape))),
    raw("\n"),
  );
  return `${svg.markup}\n`;
}

function line(markup: Markup): readonly Markup[] {
  return [raw("\n"), markup];
}

const TAGS: readonly PictureTag[] = ["g", "rect", "line", "path", "circle", "text", "tspan", "title"];

/** How SVG spells what a picture says; what a page would run begins with `on`, and links have a colon or `href`. */
const ATTRIBUTE = /^(?!on|href)[a-z][a-z\d-]*$/i;

/** A picture is plain data, which may have come from elsewhere: names are written out as they stand, so others are refused. */
function markupOf({ tag, attributes, children }: PictureShape): Markup {
  for (const name of Object.keys(attributes)) {
    if (!ATTRIBUTE.test(name)) throw optionError("svgText", "picture", "attributes that pictures have", name);
  }
  return element(
    oneOf("svgText", "picture", tag, TAGS),
    attributes,
    ...children.map((child) => (typeof child === "string" ? seen(child) : markupOf(child))),
  );
}
