/** Costs and the paper's tables as text, Markdown or JSON. */

import { shorten } from "../core/errors.ts";
import { oneOf, textOf } from "../core/options.ts";
import { columnWidth, visible } from "../core/visible.ts";
import type { Cost } from "./cost.ts";
import type { PaperCell, PaperReport, PaperTable } from "./paper.ts";

/** How counts are printed. */
export type Format = "text" | "markdown" | "json";
const FORMATS = ["text", "markdown", "json"] as const;

/** Sets a table, whose first row is its header, as lines; the command line has one that knows how wide a terminal is. */
type Lay = (rows: readonly (readonly string[])[], isRight: (column: number) => boolean) => string;

/**
 * A cost as an aligned table, a Markdown table, or the object itself as JSON. What a terminal would obey in names (a
 * network may come from a file) is written out in the tables, as `\u{1b}`.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for another format, or what is no cost, such as the network itself
 */
export function formatCost(result: Cost, format: Format = "text"): string {
  oneOf("formatCost", "format", format, FORMATS);
  return textOf("formatCost", "result", "what cost(model) gives", result, () => costText(result, format));
}

/** `formatCost` of what is a cost, with tables set by `lay`. */
export function costText(result: Cost, format: Format, lay: Lay = aligned): string {
  const word = result.word ?? "mult-adds";
  const rows = result.layers.map((layer) => [
    visible(shorten(layer.name, 200)),
    layer.kind,
    layer.inputShape.join(" × "),
    layer.outputShape.join(" × "),
    count(layer.multAdds),
    percent(layer.multAddsShare),
    count(layer.parameters),
    count(layer.activationBytes),
    layer.standardRatio === undefined ? "" : `1/${(1 / layer.standardRatio).toFixed(2)}`,
  ]);
  const header = ["layer", "kind", "input", "output", word, "share", "parameters", "output bytes", "of standard"];
  const kinds = Object.entries(result.byType)
    .filter(([, kind]) => (kind.multAdds ?? 0) > 0 || kind.parameters > 0)
    .map(([kind, { multAdds, multAddsShare, parameters, parametersShare }]) => [
      kind,
      count(multAdds),
      percent(multAddsShare),
      count(parameters),
      percent(parametersShare),
    ]);
  const { totals } = result;
  // Not before the rows, which only a whole result can make: JSON would write anything.
  if (format === "json") return JSON.stringify(result, null, 2);
  return [
    `${visible(shorten(result.network, 200))}, convention ${result.convention}`,
    "",
    table([header, ...rows], format, 4, lay),
    "",
    table([["kind", word, "share", "parameters", "share"], ...kinds], format, 1, lay),
    "",
    `total ${totals.multAdds === null ? "(no count of operations)" : `${count(totals.multAdds)} ${word}`}, ${count(totals.parameters)} parameters (${count(totals.trainableParameters)} trainable), peak activations ${count(totals.peakActivationBytes)} bytes`,
  ].join("\n");
}

/**
 * The paper's tables, recounted, as aligned tables, Markdown, or JSON.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for another format, or what is no report
 */
export function formatPaper(report: PaperReport, format: Format = "text"): string {
  oneOf("formatPaper", "format", format, FORMATS);
  return textOf("formatPaper", "report", "what paper() gives", report, () => reportText(report, format));
}

/** `formatPaper` of what is a report, with tables set by `lay`. */
export function reportText(report: PaperReport, format: Format, lay: Lay = aligned): string {
  const { recounted, agree, differ } = report.summary;
  if (format === "json") return JSON.stringify(report, null, 2);
  const heading = format === "markdown" ? "### " : "";
  return [
    ...report.tables.flatMap((one) => [
      `${heading}${one.name}. ${one.title}${one.note === undefined ? "" : ` (${one.note})`}`,
      "",
      paperTable(one, format, lay),
      "",
    ]),
    `${recounted} figures of the paper recounted: ${agree} agree, ${differ} differ.`,
    "",
    `${heading}Errata`,
    "",
    table(
      [
        ["no.", "where", "confidence", "reason"],
        ...report.errata.map(({ number, where, confidence, reason }) => [String(number), where, confidence, reason]),
      ],
      format,
      9,
      lay,
    ),
  ].join("\n");
}

function paperTable({ rows, accuracy }: PaperTable, format: Format, lay: Lay): string {
  const columns = rows[0]?.cells.map(({ column }) => column) ?? [];
  const header = [
    "",
    ...(accuracy === undefined ? [] : [accuracy]),
    ...columns.flatMap((column) => [column, "counted"]),
    "remark",
  ];
  const body = rows.map((row) => [
    row.label,
    ...(accuracy === undefined ? [] : [row.accuracy ?? ""]),
    ...row.cells.flatMap((cell) => [cell.printed, counted(cell)]),
    row.cells
      .map(remark)
      .filter((text) => text !== "")
      .filter((text, i, all) => all.indexOf(text) === i)
      .join("; "),
  ]);
  return table([header, ...body], format, 1, lay);
}

function counted({ counted: value }: PaperCell): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  return value < 1 ? `${(100 * value).toFixed(4)}%` : count(value);
}

function remark({ erratum, note, agrees, rounded }: PaperCell): string {
  const reason = erratum === undefined ? (note ?? "") : `erratum ${erratum}`;
  return agrees === false ? `${rounded}: ${reason}` : reason;
}

function count(value: number | null): string {
  return value === null ? "none" : value.toLocaleString("en-US");
}

function percent(share: number | null): string {
  return share === null ? "" : `${(100 * share).toFixed(2)}%`;
}

/** Columns from `firstNumber` on are set flush right, but the last of a table of remarks. */
function table(rows: readonly (readonly string[])[], format: Format, firstNumber: number, lay: Lay): string {
  const [header = []] = rows;
  const isRight = (column: number) => column >= firstNumber && header[column] !== "remark";
  if (format !== "markdown") return lay(rows, isRight);
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(header),
    line(header.map((_, column) => (isRight(column) ? "---:" : "---"))),
    ...rows.slice(1).map(line),
  ].join("\n");
}

function aligned(rows: readonly (readonly string[])[], isRight: (column: number) => boolean): string {
  const widths = (rows[0] ?? []).map((_, column) => columnWidth(rows.map((row) => row[column] ?? "")));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isRight(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
