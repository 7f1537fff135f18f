/** HTML and SVG as text: what is written into them, names out of files among it, stays text. */

import { harmless, visible } from "./visible.ts";

/** What is markup already: made here alone. */
export interface Markup {
  readonly markup: string;
}

type Content = Markup | string | number | undefined | readonly Content[];
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Elements that have no end. */
const EMPTY: ReadonlySet<string> = /* @__PURE__ */ new Set(["meta", "wbr", "rect", "line", "circle", "path"]);

/** An element; texts in it and its attributes are escaped, and characters that nobody sees are written out. */
export function element(name: string, attributes: Attributes, ...content: readonly Content[]): Markup {
  const pairs = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const written = pairs.map(([key, value]) => ` ${key}="${escaped(String(value))}"`).join("");
  if (EMPTY.has(name) && content.length === 0) return { markup: `<${name}${written}/>` };
  return { markup: `<${name}${written}>${text(content)}</${name}>` };
}

/** Text that has been through `visible` once; what it wrote out stays as it is. */
export function seen(value: string): Markup {
  return { markup: withEntities(harmless(value)) };
}

/** Text that is trusted: a style sheet of ours. */
export function raw(markup: string): Markup {
  return { markup };
}

function text(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "string" || typeof content === "number") return escaped(String(content));
  return isList(content) ? content.map(text).join("") : content.markup;
}

function isList(content: Markup | readonly Content[]): content is readonly Content[] {
  return Array.isArray(content);
}

function escaped(value: string): string {
  return withEntities(visible(value));
}

function withEntities(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
