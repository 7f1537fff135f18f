/** What is taken for what: the confusion matrix as SVG, accuracy by class and the pairs that are confused most as tables. */

import { scaleBand, scaleSqrt } from "d3-scale";
import { grouped } from "../core/file-error.ts";
import { element, type Markup } from "../core/markup.ts";
import { cut } from "./table.ts";

/** Rows are labels, columns what the network said, in examples. */
export type Confusion = readonly (readonly number[])[];

/** More classes than this have no matrix that could be read. */
const MOST_CLASSES = 120;
/** More than this have no numbers in its cells, and more than the second no names. */
const MOST_NUMBERS = 20;
const MOST_NAMES = 50;
/** Of those that are listed. */
const MOST_PAIRS = 12;
const MOST_ROWS = 20;
const LONGEST_NAME = 18;

/** Share of the examples of a class that it was told as; NaN where there are none. */
export function accuracyByClass(confusion: Confusion): readonly number[] {
  return confusion.map((row, label) => (row[label] ?? 0) / total(row));
}

export interface ConfusedPair {
  readonly label: number;
  readonly said: number;
  readonly count: number;
  /** Of the label's examples. */
  readonly share: number;
}

/** Pairs of different classes, the most frequent first; of equal ones the order of the classes. */
export function confusedPairs(confusion: Confusion): readonly ConfusedPair[] {
  const pairs = confusion.flatMap((row, label) =>
    row.flatMap((count, said) =>
      count > 0 && said !== label ? [{ label, said, count, share: count / total(row) }] : [],
    ),
  );
  return pairs.sort((a, b) => b.count - a.count || b.share - a.share);
}

/** The matrix; nothing for more classes than can be drawn. */
export function matrix(confusion: Confusion, classes: readonly string[]): Markup | undefined {
  const count = confusion.length;
  if (count > MOST_CLASSES) return undefined;
  const cell = count <= 4 ? 64 : count <= 12 ? 44 : count <= MOST_NUMBERS ? 34 : count <= MOST_NAMES ? 16 : 8;
  const names = count <= MOST_NAMES ? classes.map((name) => cut(name, LONGEST_NAME)) : [];
  const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
  // Letters are about 6.4 wide at 12 pixels; those above the columns are turned.
  const margin = Math.ceil(longest * 6.4) + 30;
  const side = cell * count;
  const bands = scaleBand(
    classes.map((_, index) => index),
    [margin, margin + side],
  );
  // By the root: a few mistakes are to be seen beside a hundred right ones.
  const strength = scaleSqrt([0, 1], [0, 1]);
  const place = (index: number) => bands(index) ?? 0;
  const cells = confusion.flatMap((row, label) =>
    row.flatMap((examples, said) => {
      if (examples === 0) return [];
      const share = examples / total(row);
      const opacity = Math.max(0.06, Number(strength(share).toFixed(3)));
      const words = `${classes[label]} taken for ${classes[said]}: ${grouped(examples)} of ${grouped(total(row))}`;
      return [
        element(
          "rect",
          {
            ...{ class: said === label ? "right" : "wrong", x: place(said), y: place(label) },
            ...{ width: cell - 1, height: cell - 1, "fill-opacity": opacity },
          },
          element("title", {}, words),
        ),
        count <= MOST_NUMBERS
          ? element(
              "text",
              {
                ...{ class: opacity > 0.6 ? "count strong" : "count", "text-anchor": "middle" },
                ...{ x: place(said) + cell / 2 - 0.5, y: place(label) + cell / 2 + 4 },
              },
              examples,
            )
          : undefined,
      ];
    }),
  );
  const rows = names.map((name, index) =>
    element("text", { class: "tick", x: margin - 6, y: place(index) + cell / 2 + 4, "text-anchor": "end" }, name),
  );
  const columns = names.map((name, index) =>
    element(
      "text",
      { class: "tick", transform: `translate(${place(index) + cell / 2 + 4} ${margin - 6}) rotate(-90)` },
      name,
    ),
  );
  const middle = margin + side / 2;
  const size = margin + side + 1;
  // Room for the words above few columns.
  const width = Math.max(size, middle + 60);
  return element(
    "svg",
    { viewBox: `0 0 ${width} ${size}`, style: `max-width:${width}px`, role: "img", "aria-label": "confusion matrix" },
    element("rect", { class: "frame", x: margin - 0.5, y: margin - 0.5, width: side, height: side }),
    element("text", { class: "axis", x: middle, y: 12, "text-anchor": "middle" }, "the network says"),
    element(
      "text",
      { class: "axis", transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" },
      "it is",
    ),
    rows,
    columns,
    cells,
  );
}

/** Accuracy by class, the worst first. */
export function classTable(confusion: Confusion, classes: readonly string[]): Markup {
  const shares = accuracyByClass(confusion);
  const order = [...shares.keys()].sort((a, b) => (shares[a] ?? 2) - (shares[b] ?? 2) || a - b);
  const known = order.filter((index) => Number.isFinite(shares[index]));
  const rows = known.map((index) => {
    const share = shares[index] ?? 0;
    return element(
      "tr",
      {},
      element("td", {}, cut(classes[index] ?? "", 2 * LONGEST_NAME)),
      element("td", { class: "number" }, percent(share)),
      element(
        "td",
        { class: "bar" },
        element(
          "svg",
          { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
          element("rect", { class: "track", width: 100, height: 8 }),
          element("rect", { class: "right", width: Number((100 * share).toFixed(1)), height: 8 }),
        ),
      ),
      element("td", { class: "number" }, grouped(total(confusion[index] ?? []))),
    );
  });
  const head = element("thead", {}, heading(["class", ""], ["accuracy", "number"], ["", ""], ["pictures", "number"]));
  const table = (some: readonly Markup[]) => element("table", {}, head, element("tbody", {}, some));
  if (rows.length <= MOST_ROWS) return table(rows);
  const rest = rows.slice(MOST_ROWS);
  return element(
    "div",
    {},
    table(rows.slice(0, MOST_ROWS)),
    element("details", {}, element("summary", {}, `${grouped(rest.length)} more`), table(rest)),
  );
}

/** The pairs that are confused most. */
export function pairTable(confusion: Confusion, classes: readonly string[]): Markup {
  const pairs = confusedPairs(confusion);
  if (pairs.length === 0) return element("p", {}, "Nothing was confused.");
  const rows = pairs
    .slice(0, MOST_PAIRS)
    .map(({ label, said, count, share }) =>
      element(
        "tr",
        {},
        element("td", {}, cut(classes[label] ?? "", 2 * LONGEST_NAME)),
        element("td", {}, cut(classes[said] ?? "", 2 * LONGEST_NAME)),
        element("td", { class: "number" }, grouped(count)),
        element("td", { class: "number" }, percent(share)),
      ),
    );
  const head = heading(["it is", ""], ["taken for", ""], ["pictures", "number"], ["of the class", "number"]);
  return element("table", {}, element("thead", {}, head), element("tbody", {}, rows));
}

/** A row of headings: text and class of each. */
export function heading(...cells: readonly (readonly [text: string, kind: string])[]): Markup {
  return element(
    "tr",
    {},
    cells.map(([text, kind]) => element("th", kind === "" ? {} : { class: kind }, text)),
  );
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function total(row: readonly number[]): number {
  return row.reduce((sum, count) => sum + count, 0);
}
