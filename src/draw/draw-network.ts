/** A network from left to right: a box a layer, as wide as it has channels, as high as its feature map. */

import { checkKnownOptions } from "../core/options.ts";
import { checkNetwork, type Network } from "../layers/network.ts";
import { LAYER_KINDS } from "./kinds.ts";
import type { PictureOptions } from "./languages.ts";
import { commonPrefix, shownName, withoutPrefix } from "./layer-names.ts";
import { type Box, type NetworkPart, type NetworkParts, partsOf } from "./network-parts.ts";
import { drawnLegend, type LegendLine, type Piece, page, pictureHead, squareMark } from "./page.ts";
import {
  lineFrom,
  type Picture,
  type PictureShape,
  rectangle,
  SMALL_SIZE,
  shape,
  TEXT_SIZE,
  textAt,
} from "./picture.ts";
import { shortened, textWidth, wrapped } from "./text-width.ts";
import { type Voice, voiceOf } from "./voice.ts";

const MARGIN = 20;
/** Where a line of boxes ends at the latest. */
const LINE = 1120;
const LEAST_WIDTH = 640;
/** Of the largest box. */
const WIDEST = 64;
const HIGHEST = 150;
/** Of a classifier, whose outputs are no channels of a map. */
const DENSE = { width: 16, height: 60 };
/** What is smaller would not be seen. */
const LEAST_BOX = { width: 3, height: 4 };
const LABEL = 232;
const LABEL_STEP = 13;
const GAP = 8;
const SIGN = 9;
/** As many as a reader looks through. */
const MOST_PARTS = 200;

/** Pixels of a channel, and of a row of a feature map. */
interface Measures {
  readonly channel: number;
  readonly row: number;
}

/**
 * A picture of a network: its layers from left to right in the order in which they run, in several lines where there are
 * many. A box is as wide as the layer's output has channels and as high as its feature map; strides, and the pairs of a
 * depthwise and a pointwise layer, are marked. Branches are not drawn as such: a sign stands where they meet.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network, `OPTION_INVALID` for a language that does not exist
 */
export function drawNetwork(network: Network, options: PictureOptions = {}): Picture {
  checkNetwork("drawNetwork", network);
  checkKnownOptions("drawNetwork", options, ["language"]);
  const voice = voiceOf("drawNetwork", options.language);
  const { words, count } = voice;
  const found = partsOf(network);
  const parts = found.parts.slice(0, MOST_PARTS);
  const measures = measuresOf(parts);
  const lines = linesOf(parts, measures);
  const width = Math.max(LEAST_WIDTH, ...lines.map((line) => 2 * MARGIN + lengthOf(line, measures)));
  const title = words.network.title(shownName(network.name));
  const head = pictureHead(width, MARGIN, title, [words.network.measures]);
  const legend = drawnLegend(legendOf(parts, voice), width, MARGIN, head.bottom + 24);
  const boxes = parts.flatMap((part) => part.boxes);
  const prefix = commonPrefix(boxes.filter(({ kind }) => kind !== "input").map(({ name }) => name));
  const drawn: PictureShape[] = [];
  let bottom = legend.bottom + 8;
  for (const line of lines) {
    const placed = drawnLine(line, bottom, measures, prefix, voice);
    drawn.push(...placed.shapes);
    bottom = placed.bottom;
  }
  const notes = notesOf(found, parts, voice).flatMap((note) => wrapped(note, width - 2 * MARGIN, TEXT_SIZE));
  const layers = (number: number) => words.cost.layers(number, count(number));
  return page(width, bottom + MARGIN + 18 * notes.length, {
    title,
    description: words.network.description(layers(found.drawn), words.network.pairs(found.pairs, count(found.pairs))),
    table: tableOf(found, voice),
    shapes: [
      ...head.shapes,
      ...legend.shapes,
      ...drawn,
      ...notes.map((note, index) => textAt(MARGIN, bottom + 18 + 18 * index, note, { look: "soft" })),
    ],
  });
}

function isDense({ kind }: Box): boolean {
  return kind === "dense";
}

/** The largest map and the most channels fill their room; what is tiny is not blown up beyond sense. */
function measuresOf(parts: readonly NetworkPart[]): Measures {
  const boxes = parts.flatMap((part) => part.boxes).filter((box) => !isDense(box));
  const most = (values: readonly number[]) => values.reduce((largest, value) => Math.max(largest, value), 1);
  return {
    channel: Math.min(4, WIDEST / most(boxes.map(({ channels }) => channels))),
    row: Math.min(12, HIGHEST / most(boxes.map(({ side }) => side))),
  };
}

function sizeOf(box: Box, { channel, row }: Measures): { readonly width: number; readonly height: number } {
  if (isDense(box)) return DENSE;
  return {
    width: Math.max(LEAST_BOX.width, channel * box.channels),
    height: Math.max(LEAST_BOX.height, row * box.side),
  };
}

/** Of boxes that touch. */
function boxesWidth(boxes: readonly Box[], measures: Measures): number {
  return boxes.reduce((sum, box) => sum + sizeOf(box, measures).width, 0) + Math.max(0, boxes.length - 1);
}

/** Boxes have as much room as the lines of text below them. */
function partWidth({ boxes }: NetworkPart, measures: Measures): number {
  if (boxes.length === 0) return 2 * SIGN;
  return Math.max(boxesWidth(boxes, measures), LABEL_STEP * (boxes.length + 1));
}

function lengthOf(parts: readonly NetworkPart[], measures: Measures): number {
  return parts.reduce((sum, part) => sum + partWidth(part, measures), 0) + GAP * (parts.length - 1);
}

/** Parts in as few lines as there may be, all of about one length. */
function linesOf(parts: readonly NetworkPart[], measures: Measures): readonly (readonly NetworkPart[])[] {
  const length = lengthOf(parts, measures);
  const room = LINE - 2 * MARGIN;
  const limit = length / Math.ceil(length / room);
  const lines: NetworkPart[][] = [];
  for (const part of parts) {
    const last = lines[lines.length - 1];
    const longer = last === undefined ? 0 : lengthOf([...last, part], measures);
    // The part that crosses the limit still stands in the line, where there is room.
    const isFull = last === undefined || longer > room || (longer > limit && lengthOf(last, measures) >= limit);
    if (isFull) lines.push([part]);
    else last.push(part);
  }
  return lines;
}

function drawnLine(
  parts: readonly NetworkPart[],
  top: number,
  measures: Measures,
  prefix: string,
  voice: Voice,
): Piece {
  const heights = parts.flatMap(({ boxes }) => boxes.map((box) => sizeOf(box, measures).height));
  const height = Math.max(2 * SIGN, ...heights);
  const middle = top + 24 + height / 2;
  const labelTop = middle + height / 2 + 12;
  const shapes: PictureShape[] = [lineFrom("rule", MARGIN, middle, MARGIN + lengthOf(parts, measures), middle)];
  let x = MARGIN;
  let longest = 0;
  for (const part of parts) {
    const room = partWidth(part, measures);
    if (part.sign !== undefined) shapes.push(...drawnSign(part.sign, x + SIGN, middle));
    else {
      const labels = labelsOf(part, prefix, voice);
      longest = Math.max(longest, ...labels.map(({ text }) => textWidth(text, SMALL_SIZE)));
      shapes.push(...drawnBoxes(part.boxes, x + (room - boxesWidth(part.boxes, measures)) / 2, middle, measures));
      const first = x + room / 2 - (LABEL_STEP * (labels.length - 1)) / 2 + 4;
      if (part.boxes.length > 1) shapes.push(lineFrom("flow", x, labelTop - 6, x + room, labelTop - 6));
      for (const [index, { text, look }] of labels.entries()) {
        const at = first + LABEL_STEP * index;
        shapes.push(textAt(at, labelTop, text, { anchor: "end", size: SMALL_SIZE, isUpright: true, look }));
      }
    }
    x += room + GAP;
  }
  return { shapes, bottom: labelTop + longest + 8 };
}

/** Names, and the shape of what comes out. */
function labelsOf(
  { boxes }: NetworkPart,
  prefix: string,
  voice: Voice,
): readonly { readonly text: string; readonly look: string }[] {
  const last = boxes[boxes.length - 1];
  const nameOf = ({ name, kind }: Box) => (kind === "input" ? voice.words.noun.input : withoutPrefix(name, prefix));
  return [
    ...boxes.map((box) => ({ text: shortened(nameOf(box), LABEL, SMALL_SIZE), look: "text" })),
    { text: (last?.output ?? []).join(" × "), look: "soft" },
  ];
}

function drawnBoxes(boxes: readonly Box[], left: number, middle: number, measures: Measures): readonly PictureShape[] {
  let x = left;
  return boxes.flatMap((box) => {
    const { width, height } = sizeOf(box, measures);
    const look = box.kind === "input" ? "other" : box.kind;
    const says = `${box.name}: ${box.output.join(" × ")}`;
    const mark = strideMark(box.stride);
    const drawn = [
      rectangle(look, [x, middle - height / 2, width, height], { says, radius: 1 }),
      ...(mark === ""
        ? []
        : [textAt(x + width / 2, middle - height / 2 - 6, mark, { anchor: "middle", size: SMALL_SIZE })]),
    ];
    x += width + 1;
    return drawn;
  });
}

function strideMark([vertical, horizontal]: readonly [number, number]): string {
  if (vertical === horizontal) return vertical === 1 ? "" : `↓${vertical}`;
  return `↓${vertical}×${horizontal}`;
}

function drawnSign(sign: string, x: number, y: number): readonly PictureShape[] {
  return [shape("circle", { class: "joint", cx: x, cy: y, r: SIGN - 1 }), textAt(x, y + 4, sign, { anchor: "middle" })];
}

/** What stands in the picture, and nothing else. */
function legendOf(parts: readonly NetworkPart[], { words }: Voice): readonly LegendLine[] {
  const boxes = parts.flatMap((part) => part.boxes);
  const says = { ...words.kind, dense: words.network.dense, other: words.network.pool };
  const kinds = LAYER_KINDS.filter((kind) => boxes.some((box) => box.kind === kind));
  return [
    ...kinds.map((kind) => ({ mark: squareMark(kind), text: says[kind] })),
    ...(boxes.some(({ stride }) => strideMark(stride) !== "") ? [{ text: words.network.stride }] : []),
    ...(parts.some((part) => part.boxes.length > 1) ? [{ text: words.network.pair }] : []),
  ];
}

function notesOf(
  { parts, hidden }: NetworkParts,
  shown: readonly NetworkPart[],
  { words, count }: Voice,
): readonly string[] {
  const layers = (number: number) => words.cost.layers(number, count(number));
  const hiddenKinds = hidden.map(([type, number]) => words.network.unseen[type](count(number))).join(", ");
  const left = parts.slice(shown.length).reduce((sum, { boxes }) => sum + Math.max(1, boxes.length), 0);
  return [
    ...(shown.some(({ sign }) => sign !== undefined) ? [words.network.sum] : []),
    ...(hidden.length === 0 ? [] : [words.network.hidden(hiddenKinds)]),
    ...(left === 0 ? [] : [words.network.more(layers(left))]),
  ];
}

function tableOf({ parts }: NetworkParts, { words }: Voice) {
  const boxes = parts.flatMap((part) => part.boxes);
  return {
    titles: [words.noun.layer, words.noun.kind, words.noun.output, words.noun.stride],
    rows: boxes.map(({ name, kind, output, stride }) => [
      kind === "input" ? words.noun.input : name,
      kind === "input" ? "" : words.kind[kind],
      output.join(" × "),
      stride[0] === stride[1] ? `${stride[0]}` : stride.join(" × "),
    ]),
  };
}
