/** What each layer of a network costs, as bars. */

import { shorten } from "../core/errors.ts";
import { checkKnownOptions } from "../core/options.ts";
import { visible } from "../core/visible.ts";
import { type Convention, type ConventionName, type Cost, type CostLayer, cost } from "../cost/index.ts";
import { checkNetwork, type Network } from "../layers/network.ts";
import { LAYER_KINDS, type LayerKind, layerKind } from "./kinds.ts";
import type { PictureOptions } from "./languages.ts";
import { commonPrefix, shownName, withoutPrefix } from "./layer-names.ts";
import { legendEntry, page, pictureHead } from "./page.ts";
import { lineFrom, type Picture, type PictureShape, rectangle, SMALL_SIZE, TEXT_SIZE, textAt } from "./picture.ts";
import { shortened, textWidth } from "./text-width.ts";
import { type Voice, voiceOf } from "./voice.ts";

/** How a picture of costs is drawn. */
export interface CostPictureOptions extends PictureOptions {
  /** How to count: a name of `CONVENTIONS`, or a convention of one's own. Default `"paper"`. */
  readonly convention?: ConventionName | Convention;
}

const WIDTH = 860;
const MARGIN = 20;
const NAMES = { least: 150, most: 262 };
/** Where the bars of a quantity may end; behind a bar stands its number, the longest of which is `9.99e+30 · 67.2 %`. */
const OPERATIONS_END = 504;
const PARAMETERS = { left: 640, width: 130 };
/** Of a convention that counts no operations. */
const PARAMETERS_ALONE_END = 700;
const BAR = 12;
/** As many rows as a reader looks through; the rest of a longer network is one row. */
const MOST_ROWS = 200;

interface Row {
  readonly name: string;
  /** The name without what all begin with. */
  readonly label: string;
  readonly kind: LayerKind;
  readonly says: string;
  readonly multAdds: number | null;
  readonly multAddsShare: number | null;
  readonly parameters: number;
  readonly parametersShare: number;
}

/**
 * A picture of what each layer costs: bars of mult-adds, and of parameters beside them, coloured by kind; totals above.
 * Layers that cost nothing are left out, and their number is said. Of a network of more than 200 layers those that cost
 * most are drawn.
 *
 *     svgText(drawCost(mobileNetV1()))
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network, `OPTION_INVALID` for a convention or a language that
 *         does not exist
 */
export function drawCost(network: Network, options: CostPictureOptions = {}): Picture {
  checkNetwork("drawCost", network);
  checkKnownOptions("drawCost", options, ["convention", "language"]);
  const voice = voiceOf("drawCost", options.language);
  const { convention } = options;
  const counted = cost(network, convention === undefined ? {} : { convention });
  const name = shownName(network.name);
  const hasOperations = counted.totals.multAdds !== null;
  const [all, free] = rowsOf(counted, voice);
  const rows = drawnRows(all, voice);
  const kinds = kindsOf(counted);
  const { words } = voice;
  const notes = [
    ...(all.length === 0 ? [words.cost.nothing] : []),
    ...(free === 0 ? [] : [words.cost.free(layersIn(free, voice))]),
  ];
  const title = words.cost.title(name);
  const head = pictureHead(WIDTH, MARGIN, title, [
    totalLine(counted, voice),
    words.cost.convention(visible(shorten(counted.convention, 60))),
  ]);
  const columns = columnsOf(rows, kinds, hasOperations, voice);
  const headerY = head.bottom + 30;
  const kindsTop = headerY + 10;
  const top = kindsTop + 20 * kinds.length + 12;
  const step = rows.length > 60 ? 17 : 20;
  const bottom = top + step * rows.length;
  const scales = scalesOf(rows);
  return page(WIDTH, bottom + (notes.length === 0 ? MARGIN : 14 + 18 * notes.length), {
    title,
    description: descriptionOf(counted, rows.length, voice),
    table: tableOf(all, counted, voice),
    shapes: [
      ...head.shapes,
      textAt(MARGIN, headerY, words.noun.layer, { look: "soft" }),
      ...(columns.operations === undefined
        ? []
        : [textAt(columns.operations.left, headerY, wordOf(counted, voice), { look: "soft" })]),
      textAt(columns.parameters.left, headerY, words.noun.parameters, { look: "soft" }),
      lineFrom("rule", MARGIN, headerY + 6, WIDTH - MARGIN, headerY + 6),
      ...kinds.flatMap((row, index) => drawnKind(row, kindsTop + 20 * index + 10, columns, voice)),
      ...(kinds.length === 0 ? [] : [lineFrom("rule", MARGIN, top - 6, WIDTH - MARGIN, top - 6)]),
      ...rows.flatMap((row, index) => drawnRow(row, top + step * index + step / 2, columns, scales, voice)),
      ...notes.map((note, index) => textAt(MARGIN, bottom + 20 + 18 * index, note, { look: "soft" })),
    ],
  });
}

/** Layers that cost something, in order; and how many do not. */
function rowsOf({ layers }: Cost, voice: Voice): readonly [rows: readonly Row[], free: number] {
  const rows = layers.filter(({ multAdds, parameters }) => (multAdds ?? 0) !== 0 || parameters !== 0);
  const prefix = commonPrefix(rows.map(({ name }) => shownName(name)));
  const toRow = (layer: CostLayer): Row => {
    const { multAdds, multAddsShare, parameters, parametersShare } = layer;
    const name = shownName(layer.name);
    const shapes = `${layer.inputShape.join(" × ")} → ${layer.outputShape.join(" × ")}`;
    const says = `${name}: ${voice.words.kind[layerKind(layer)]}, ${shapes}`;
    const label = withoutPrefix(name, prefix);
    return { name, label, kind: layerKind(layer), says, multAdds, multAddsShare, parameters, parametersShare };
  };
  return [rows.map(toRow), layers.length - rows.length];
}

/** All rows of a network of some size; of a larger one the largest, and one for the rest. */
function drawnRows(rows: readonly Row[], voice: Voice): readonly Row[] {
  if (rows.length <= MOST_ROWS) return rows;
  const size = ({ multAddsShare, parametersShare }: Row) => Math.max(multAddsShare ?? 0, parametersShare);
  const order = [...rows.keys()].sort((a, b) => size(rows[b] as Row) - size(rows[a] as Row) || a - b);
  const kept = new Set(order.slice(0, MOST_ROWS - 1));
  const rest = rows.filter((_, index) => !kept.has(index));
  const name = voice.words.cost.rest(layersIn(rest.length, voice));
  return [
    ...rows.filter((_, index) => kept.has(index)),
    { name, label: name, says: name, kind: "other", ...together(rest) },
  ];
}

interface Scales {
  readonly operations: number;
  readonly parameters: number;
}

/** The largest of each. */
function scalesOf(rows: readonly Row[]): Scales {
  const most = (values: readonly number[]) => values.reduce((largest, value) => Math.max(largest, value), 0) || 1;
  return {
    operations: most(rows.map(({ multAdds }) => multAdds ?? 0)),
    parameters: most(rows.map(({ parameters }) => parameters)),
  };
}

interface Column {
  readonly left: number;
  readonly width: number;
}

interface Columns {
  readonly operations?: Column;
  readonly parameters: Column;
}

/** Names have the room that they need, bars the rest. */
function columnsOf(
  rows: readonly Row[],
  kinds: readonly { readonly kind: LayerKind }[],
  hasOperations: boolean,
  voice: Voice,
): Columns {
  const labels = rows.map(({ label }) => textWidth(label, TEXT_SIZE));
  const legends = kinds.map(({ kind }) => 18 + textWidth(voice.words.kind[kind], TEXT_SIZE));
  const widest = [...labels, ...legends].reduce((most, width) => Math.max(most, width), NAMES.least);
  const left = MARGIN + Math.min(NAMES.most, widest) + 12;
  if (!hasOperations) return { parameters: { left, width: PARAMETERS_ALONE_END - left } };
  return { operations: { left, width: OPERATIONS_END - left }, parameters: PARAMETERS };
}

function drawnRow(
  row: Row,
  middle: number,
  { operations, parameters }: Columns,
  scales: Scales,
  voice: Voice,
): readonly PictureShape[] {
  const base = middle + 4;
  const bar = ({ left, width }: Column, value: number, most: number, share: number | null) => {
    // What is not nothing is seen. Conventions of one's own may count below 0.
    const length = value <= 0 ? 0 : Math.max(1, (width * value) / most);
    return [
      ...(length === 0
        ? []
        : [rectangle(row.kind, [left, middle - BAR / 2, length, BAR], { radius: 1.5, says: row.says })]),
      textAt(left + length + 6, base, numberText(value, share, voice), { size: SMALL_SIZE, look: "soft" }),
    ];
  };
  return [
    textAt(MARGIN, base, shortened(row.label, NAMES.most, TEXT_SIZE)),
    ...(operations === undefined ? [] : bar(operations, row.multAdds ?? 0, scales.operations, row.multAddsShare)),
    ...bar(parameters, row.parameters, scales.parameters, operations === undefined ? row.parametersShare : null),
  ];
}

/** A kind's colour, and what its layers cost together: the legend of the bars. */
function drawnKind(
  row: Omit<Row, "name" | "label" | "says">,
  middle: number,
  { operations, parameters }: Columns,
  voice: Voice,
): readonly PictureShape[] {
  const number = (value: number, share: number | null) => numberText(value, share, voice);
  return [
    ...legendEntry(row.kind, voice.words.kind[row.kind], MARGIN, middle + 4),
    ...(operations === undefined
      ? []
      : [textAt(operations.left, middle + 4, number(row.multAdds ?? 0, row.multAddsShare))]),
    textAt(parameters.left, middle + 4, number(row.parameters, row.parametersShare)),
  ];
}

/** The layers of each kind together, of kinds that cost something. */
function kindsOf({ layers }: Cost): readonly Omit<Row, "name" | "label" | "says">[] {
  return LAYER_KINDS.map((kind) => {
    const of = layers.filter((layer) => layerKind(layer) === kind);
    return { kind, ...together(of) };
  }).filter(({ multAdds, parameters }) => (multAdds ?? 0) !== 0 || parameters !== 0);
}

type Counted = Pick<Row, "multAdds" | "multAddsShare" | "parameters" | "parametersShare">;

function together(rows: readonly Counted[]): Counted {
  const sum = (of: (row: Counted) => number | null) => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const hasOperations = rows[0]?.multAdds !== null;
  return {
    multAdds: hasOperations ? sum(({ multAdds }) => multAdds) : null,
    multAddsShare: hasOperations ? sum(({ multAddsShare }) => multAddsShare) : null,
    parameters: sum(({ parameters }) => parameters),
    parametersShare: sum(({ parametersShare }) => parametersShare),
  };
}

function numberText(value: number, share: number | null, voice: Voice): string {
  return share === null ? voice.short(value) : `${voice.short(value)} · ${voice.share(share)}`;
}

function totalLine({ totals, word }: Cost, voice: Voice): string {
  const { words, count } = voice;
  if (totals.multAdds === null) return words.cost.totalParameters(count(totals.parameters));
  return words.cost.total(count(totals.multAdds), operationsWord(word ?? "", voice), count(totals.parameters));
}

function wordOf({ word }: Cost, voice: Voice): string {
  return operationsWord(word ?? "", voice);
}

/** What a convention calls its operations; one of somebody's own calls them as it likes. */
function operationsWord(word: string, { words }: Voice): string {
  const known: Readonly<Record<string, string>> = words.operations;
  return (Object.hasOwn(known, word) ? known[word] : undefined) ?? visible(shorten(word, 40));
}

function layersIn(count: number, voice: Voice): string {
  return voice.words.cost.layers(count, voice.count(count));
}

function descriptionOf(counted: Cost, rows: number, voice: Voice): string {
  const { words, share } = voice;
  const size = ({ multAddsShare, parametersShare }: CostLayer) => multAddsShare ?? parametersShare;
  const largest = counted.layers.reduce<CostLayer | undefined>(
    (best, layer) => (best === undefined || size(layer) > size(best) ? layer : best),
    undefined,
  );
  const total = totalLine(counted, voice);
  if (largest === undefined || rows === 0) return `${total}. ${words.cost.nothing}`;
  const name = shownName(largest.name);
  return `${total}. ${words.cost.description(layersIn(rows, voice), name, share(size(largest)))}`;
}

function tableOf(rows: readonly Row[], counted: Cost, voice: Voice) {
  const { words, count, share } = voice;
  const hasOperations = counted.totals.multAdds !== null;
  const operations = hasOperations ? [wordOf(counted, voice), words.noun.share] : [];
  return {
    titles: [words.noun.layer, words.noun.kind, ...operations, words.noun.parameters, words.noun.share],
    rows: rows.map((row) => [
      row.name,
      words.kind[row.kind],
      ...(hasOperations ? [count(row.multAdds ?? 0), share(row.multAddsShare ?? 0)] : []),
      count(row.parameters),
      share(row.parametersShare),
    ]),
  };
}
