/**
 * The paper's tables, recounted: each printed figure beside the count of the network it means, and the erratum where
 * the two differ. Only printed figures are stored; every count comes from building the network anew.
 */

import { checkKnownOptions } from "../core/options.ts";
import type { Network } from "../layers/network.ts";
import { type Block, type MobileNetV1Options, mobileNetV1 } from "../models/index.ts";
import { type Cost, cost } from "./cost.ts";
import { ERRATA, type Erratum } from "./errata.ts";
import {
  PRINTED_BODY,
  PRINTED_CHECKPOINTS,
  PRINTED_LAYER,
  PRINTED_NETWORKS,
  PRINTED_SHARES,
  type PrintedRow,
} from "./printed.ts";

/** One printed figure beside the count of it. */
export interface PaperCell {
  readonly column: string;
  /** Exactly as printed. */
  readonly printed: string;
  /** The exact count: a number, a share of 0 to 1 (table 2), or a label (table 1). Absent where nothing is counted. */
  readonly counted?: number | string;
  /** The count as it would be printed, rounded half up to the printed decimals. */
  readonly rounded?: string;
  readonly agrees?: boolean;
  /** Number of the erratum that explains the difference. */
  readonly erratum?: number;
  /** The reason of a difference that is no erratum of the paper. */
  readonly note?: string;
}

/** A row of a table: one network. */
export interface PaperRow {
  readonly label: string;
  readonly accuracy?: string;
  readonly cells: readonly PaperCell[];
}

/** A table of the paper, counted anew. */
export interface PaperTable {
  /** `Table 6`, or `TF-slim checkpoints`. */
  readonly name: string;
  readonly title: string;
  readonly note?: string;
  readonly accuracy?: string;
  readonly rows: readonly PaperRow[];
}

/** The paper's tables, and how many of their figures the counts confirm. */
export interface PaperReport {
  readonly tables: readonly PaperTable[];
  /** Of the figures in the paper that can be recounted; labels and TF-slim's apart. */
  readonly summary: { readonly recounted: number; readonly agree: number; readonly differ: number };
  readonly errata: readonly Erratum[];
}

/** Another network than the paper's, counted in its place. */
export interface PaperOptions {
  /** Other blocks than the paper's: every count moves with them. */
  readonly blocks?: readonly Block[];
  /** The convolution in front. Default the paper's. */
  readonly stem?: Block;
}

/**
 * Regenerates the cost columns of tables 1 to 10, 12 and 14, and TF-slim's sixteen checkpoints.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for blocks that are none
 */
export function paper(options: PaperOptions = {}): PaperReport {
  checkKnownOptions("paper", options, ["blocks", "stem"]);
  const build = (network: MobileNetV1Options): Network => mobileNetV1<MobileNetV1Options>({ ...options, ...network });
  const tables = [
    bodyTable(build({})),
    sharesTable(cost(build({}))),
    layerTable(build),
    ...PRINTED_NETWORKS.map(
      ({ number, rows, ...rest }): PaperTable => ({
        ...rest,
        name: `Table ${number}`,
        rows: rows.map((row) =>
          networkRow(row, row.network === undefined ? undefined : cost(build(row.network)).totals),
        ),
      }),
    ),
  ];
  const figures = tables
    .slice(1)
    .flatMap(({ rows }) => rows.flatMap(({ cells }) => cells.filter(({ agrees }) => agrees !== undefined)));
  const agree = figures.filter(({ agrees }) => agrees === true).length;
  return {
    tables: [...tables, checkpointTable(build)],
    summary: { recounted: figures.length, agree, differ: figures.length - agree },
    errata: ERRATA,
  };
}

/** The row of table 1 that erratum 1 is about, counted from 0. */
const STRIDE_ERRATUM = { row: 17, column: 0 };

/** Table 1, label by label; rows that an edited network has more are listed with nothing printed. */
function bodyTable(network: Network): PaperTable {
  const counted = bodyLabels(cost(network));
  const columns = ["Type / Stride", "Filter Shape", "Input Size"];
  return {
    name: "Table 1",
    title: "MobileNet Body Architecture",
    rows: Array.from({ length: Math.max(PRINTED_BODY.length, counted.length) }, (_, row) => ({
      label: String(row + 1),
      cells: columns.map((column, place): PaperCell => {
        const label = counted[row]?.[place] ?? "";
        const printed = PRINTED_BODY[row]?.[place] ?? "";
        const cell = { column, printed, counted: label, rounded: label, agrees: label === printed };
        const isErratum = !cell.agrees && row === STRIDE_ERRATUM.row && place === STRIDE_ERRATUM.column;
        return isErratum ? { ...cell, erratum: 1 } : cell;
      }),
    })),
  };
}

type BodyLabel = readonly [string, string, string];

/** The rows of a network as table 1 writes them; a depthwise and pointwise pair that repeats is written once. */
function bodyLabels({ layers }: Cost): readonly BodyLabel[] {
  const by = (...sides: readonly number[]) => sides.join(" x ");
  const labels = layers.map(({ type, kind, kernel = [1, 1], stride = [1, 1], inputShape, outputShape }): BodyLabel => {
    const inputs = inputShape.at(-1) ?? 0;
    const outputs = outputShape.at(-1) ?? 0;
    const size = by(...inputShape);
    if (kind === "Fully Connected") return ["FC / s1", by(inputs, outputs), by(1, 1, inputs)];
    if (kind === "Pool") return ["Avg Pool / s1", `Pool ${by(...inputShape.slice(0, 2))}`, size];
    if (kind === "Softmax") return ["Softmax / s1", "Classifier", by(1, 1, inputs)];
    if (type === "depthwiseConv2d") return [`Conv dw / s${stride[0]}`, `${by(...kernel, inputs)} dw`, size];
    return [`Conv / s${stride[0]}`, by(...kernel, inputs, outputs), size];
  });
  const rows: BodyLabel[] = [];
  for (let i = 0; i < labels.length; ) {
    let repeats = 1;
    while (samePair(labels, i, i + 2 * repeats)) repeats++;
    const [first, second] = [labels[i], labels[i + 1]];
    if (repeats > 1 && first !== undefined && second !== undefined) {
      for (const [type, ...rest] of [first, second]) rows.push([`${repeats}x ${type}`, ...rest]);
      i += 2 * repeats;
    } else {
      if (first !== undefined) rows.push(first);
      i++;
    }
  }
  return rows;
}

function samePair(labels: readonly BodyLabel[], a: number, b: number): boolean {
  const text = (i: number) => labels.slice(i, i + 2).join("|");
  return b + 1 < labels.length && text(a) === text(b);
}

/** Table 2: shares of the whole by type of layer. */
function sharesTable({ byType }: Cost): PaperTable {
  return {
    name: "Table 2",
    title: "Resource Per Layer Type",
    rows: PRINTED_SHARES.map(({ label, multAdds, parameters, erratum }) => ({
      label,
      cells: [
        shareCell("Mult-Adds", multAdds, byType[label]?.multAddsShare ?? 0, erratum),
        shareCell("Parameters", parameters, byType[label]?.parametersShare ?? 0, erratum),
      ],
    })),
  };
}

/** Table 3: block 7 alone. */
function layerTable(build: (options: MobileNetV1Options) => Network): PaperTable {
  const ofBlock = /^conv(_dw|_pw)?_7$/;
  return {
    name: "Table 3",
    title: "Resource usage for modifications to standard convolution",
    note: "each row adds to the one above; D_K = 3, M = 512, N = 512, D_F = 14: block 7",
    rows: PRINTED_LAYER.map((row) => {
      const layers = cost(build(row.network)).layers.filter(({ name }) => ofBlock.test(name));
      const multAdds = layers.reduce((sum, layer) => sum + (layer.multAdds ?? 0), 0);
      const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
      return networkRow(row, { multAdds, parameters });
    }),
  };
}

function networkRow(
  row: PrintedRow,
  totals: { readonly multAdds: number | null; readonly parameters: number } | undefined,
): PaperRow {
  const { label, accuracy, multAdds, parameters, countsParameters = true, erratum } = row;
  const quoted = totals === undefined;
  return {
    label,
    ...(accuracy === undefined ? {} : { accuracy }),
    cells: [
      millionsCell("Million Mult-Adds", multAdds, totals?.multAdds ?? undefined, erratum, quoted),
      millionsCell(
        "Million Parameters",
        parameters,
        countsParameters ? totals?.parameters : undefined,
        erratum,
        quoted,
      ),
    ],
  };
}

function checkpointTable(build: (options: MobileNetV1Options) => Network): PaperTable {
  return {
    name: "TF-slim checkpoints",
    title: "MobileNet_v1 as released, 1001 classes, convention slim",
    accuracy: "Top-1 / Top-5",
    rows: PRINTED_CHECKPOINTS.map(({ alpha, resolution, macs, parameters, top1, top5, note }) => {
      const { totals } = cost(build({ alpha, resolution, classes: 1001 }), { convention: "slim" });
      const noted = (cell: PaperCell) => (cell.agrees === false && note !== undefined ? { ...cell, note } : cell);
      return {
        label: `MobileNet_v1_${alpha === 1 ? "1.0" : alpha.toFixed(2)}_${resolution}`,
        accuracy: `${top1} / ${top5}`,
        cells: [
          noted(millionsCell("Million MACs", macs, totals.multAdds ?? undefined, undefined, false)),
          millionsCell("Million Parameters", parameters, totals.parameters, undefined, false),
        ],
      };
    }),
  };
}

function millionsCell(
  column: string,
  printed: string,
  counted: number | undefined,
  erratum: number | undefined,
  isQuoted: boolean,
): PaperCell {
  if (counted === undefined)
    return isQuoted && erratum !== undefined ? { column, printed, erratum } : { column, printed };
  return compared(column, printed, counted, roundHalfUp(counted, 6, decimalsOf(printed)), erratum);
}

function shareCell(column: string, printed: string, counted: number, erratum: number | undefined): PaperCell {
  const decimals = decimalsOf(printed.slice(0, -1));
  return compared(
    column,
    printed,
    counted,
    `${(Math.floor(counted * 100 * 10 ** decimals + 0.5) / 10 ** decimals).toFixed(decimals)}%`,
    erratum,
  );
}

function compared(
  column: string,
  printed: string,
  counted: number,
  rounded: string,
  erratum: number | undefined,
): PaperCell {
  const agrees = printed === rounded;
  return { column, printed, counted, rounded, agrees, ...(agrees || erratum === undefined ? {} : { erratum }) };
}

function decimalsOf(figure: string): number {
  return figure.split(".")[1]?.length ?? 0;
}

/** A whole number over 10^exponent with so many decimals, half up; in integers, so that no half is lost. */
function roundHalfUp(count: number, exponent: number, decimals: number): string {
  const unit = 10 ** (exponent - decimals);
  return (Math.floor((count + unit / 2) / unit) / 10 ** decimals).toFixed(decimals);
}
