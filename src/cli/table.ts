/**
 * Tables and lines as wide as there is room. A pipe has any room; on a terminal long names are cut, headings and prose
 * take several lines, and then columns of least interest are left out.
 */

import { Help } from "commander";
import stringWidth from "string-width";
import { columnWidth } from "../core/visible.ts";

/** What tables are printed on. */
export interface Page {
  /** Columns of the terminal; Infinity where there is none. */
  readonly width: number;
  /** Headings of the columns that found no room. */
  readonly leftOut: Set<string>;
}

/** A page as wide as what is on it. */
export const ENDLESS: Page = { width: Number.POSITIVE_INFINITY, leftOut: new Set() };

/** Of a table whose first column are names. */
export interface Style {
  /** What the columns are called where no row says it. Default: the first row. */
  readonly titles?: readonly string[];
  readonly isRight?: (column: number) => boolean;
  /** Columns that go together where there is no room, those of least interest first. */
  readonly least?: readonly (readonly number[])[];
  /** Titles of columns that belong to the one before them, and are not named when they are left out. */
  readonly seconds?: readonly string[];
  /** Columns whose cells are broken at words and not cut. */
  readonly prose?: readonly number[];
}

type Rows = readonly (readonly string[])[];

/** Less than this tells no name from another. */
const LEAST_NAME = 16;
/** In less than this, prose is all line breaks. A longer word of it may be cut. */
const LEAST_PROSE = 20;
const LONGEST_WORD = 26;
/** Where all else has gone. */
const LEAST_REMARK = 8;
const GAP = "  ";

/** The columns of a table that are called so, one after the other. */
export function called(header: readonly string[], titles: readonly string[]): readonly (readonly number[])[] {
  return titles.map((title) => [...header.keys()].filter((column) => header[column] === title));
}

/** A table as lines. What it leaves out it adds to the page. */
export function layTable({ width, leftOut }: Page, rows: Rows, style: Style = {}): readonly string[] {
  const { isRight = () => false, least = [] } = style;
  const header = style.titles ?? rows[0] ?? [];
  const whole = header.map((_, column) => columnWidth(rows.map((row) => row[column] ?? "")));
  const lines = rows.map((row) => rowOf(row, whole, isRight, ({ length }) => length));
  if (lines.every((line) => fits(line, width))) return lines;

  const natural = header.map((_, column) => widest(rows.map((row) => row[column] ?? "")));
  const smallest = header.map((_, column) => smallestWidth(rows, column, natural[column] ?? 0, style));
  const dropped = withoutRoom(smallest, least, width);
  for (const column of dropped) {
    const title = header[column] ?? "";
    // A pair goes under the name of its first column.
    if (title !== "" && !style.seconds?.includes(title)) leftOut.add(title);
  }
  const kept = [...header.keys()].filter((column) => !dropped.has(column));
  const widthsIn = (all: readonly number[]) => kept.map((column) => all[column] ?? 0);
  const atLeast = smallest.map((most, column) =>
    column > 0 && style.prose?.includes(column) ? Math.min(most, LEAST_REMARK) : most,
  );
  const roomy = shrunk(widthsIn(natural), widthsIn(smallest), width);
  const widths = shrunk(roomy, widthsIn(atLeast), width);
  return rows.flatMap((row, index) => {
    const cells = kept.map((column, i) => {
      const mayBreak = (index === 0 && style.titles === undefined) || style.prose?.includes(column);
      const room = widths[i] ?? 0;
      const parts = mayBreak ? brokenLines(row[column] ?? "", room) : [row[column] ?? ""];
      return parts.map((part) => cut(part, room, mayBreak ? 0 : 1 / 3));
    });
    const height = Math.max(...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, line) => {
      const texts = cells.map((parts) => parts[line] ?? "");
      return cut(
        rowOf(texts, widths, (i) => isRight(kept[i] ?? 0), stringWidth),
        width,
      );
    });
  });
}

/** Says what a page leaves out, if it does. */
export function leftOutNote({ width, leftOut }: Page): readonly string[] {
  if (leftOut.size === 0) return [];
  const titles = [...leftOut].join(", ");
  return ["", `Left out to fit ${width} columns: ${titles}. A wider terminal, a pipe or --json has all.`];
}

/** What fits a width, with an ellipsis in place of the rest; `tail` is the share of it that the end has. */
export function cut(text: string, width: number, tail = 0): string {
  if (fits(text, width)) return text;
  const room = Math.max(0, width - 1);
  const end = taken([...text].reverse(), Math.floor(room * tail)).reverse();
  return `${taken([...text], room - stringWidth(end.join(""))).join("")}…${end.join("")}`;
}

/** Nothing is measured for a pipe. */
export function fits(text: string, width: number): boolean {
  return width === Number.POSITIVE_INFINITY || stringWidth(text) <= width;
}

/** As many characters as fit. */
function taken(characters: readonly string[], width: number): string[] {
  let used = 0;
  const end = characters.findIndex((character) => {
    used += stringWidth(character);
    return used > width;
  });
  return characters.slice(0, end === -1 ? undefined : end);
}

/** A line of prose, broken at words; what follows stands under its text, behind a mark or an indentation. */
export function wrapLine(line: string, width: number): readonly string[] {
  if (fits(line, width)) return [line];
  const [lead = ""] = /^\s*(?:(?:on|off|-)\s+)?/.exec(line) ?? [];
  const indent = lead.length * 2 > width ? 0 : lead.length;
  return brokenLines(line.slice(indent), width - indent).map(
    (part, i) => (i === 0 ? lead.slice(0, indent) : " ".repeat(indent)) + part,
  );
}

/** The parser breaks its help at words; what is known of characters twice as wide is ours. */
let wrapper: Help | undefined;

function brokenLines(text: string, width: number): readonly string[] {
  wrapper ??= Object.assign(new Help(), { minWidthToWrap: 1, displayWidth: stringWidth });
  return wrapper.boxWrap(text, width).split("\n");
}

function rowOf(
  cells: readonly string[],
  widths: readonly number[],
  isRight: (column: number) => boolean,
  widthOf: (cell: string) => number,
): string {
  const padded = cells.map((cell, column) => {
    const room = " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)));
    return isRight(column) ? room + cell : cell + room;
  });
  return padded.join(GAP).trimEnd();
}

/** How far a column can be narrowed: names by cutting them, prose and headings by breaking them at words. */
function smallestWidth(rows: Rows, column: number, natural: number, { titles, prose }: Style): number {
  const longestWord = (texts: readonly string[]) => widest(texts.flatMap((text) => text.split(/\s+/)));
  const [title = "", ...cells] = rows.map((row) => row[column] ?? "");
  if (prose?.includes(column)) {
    return Math.min(natural, Math.max(LEAST_PROSE, Math.min(LONGEST_WORD, longestWord([title, ...cells]))));
  }
  if (column === 0) return Math.min(natural, LEAST_NAME);
  if (titles !== undefined) return natural;
  return Math.max(longestWord([title]), widest(cells));
}

/** The columns that go; one that went in vain, since a later one was wider, comes back. */
function withoutRoom(
  smallest: readonly number[],
  least: readonly (readonly number[])[],
  width: number,
): ReadonlySet<number> {
  const dropped = new Set<number>();
  const isTooWide = () => sumOf(smallest.filter((_, column) => !dropped.has(column))) > width;
  for (const group of least) if (isTooWide()) for (const column of group) dropped.add(column);
  for (const group of [...least].reverse()) {
    if (!group.every((column) => dropped.has(column))) continue;
    for (const column of group) dropped.delete(column);
    if (isTooWide()) for (const column of group) dropped.add(column);
  }
  return dropped;
}

/** The widest column that can be narrowed is, until all fit. */
function shrunk(natural: readonly number[], smallest: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  for (let excess = sumOf(widths) - width; excess > 0; excess--) {
    const able = [...widths.keys()].filter((column) => (widths[column] ?? 0) > (smallest[column] ?? 0));
    const widest = able.reduce(
      (best, column) => ((widths[column] ?? 0) > (widths[best] ?? 0) ? column : best),
      able[0] ?? -1,
    );
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Not by spreading them: a file may list more tensors than a call has room for. */
function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, stringWidth(text)), 0);
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}
