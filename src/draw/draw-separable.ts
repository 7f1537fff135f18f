/** The paper's figure 2: filters of a standard convolution, and those of the separable pair in its place. */

import { checkKnownOptions, positiveInteger } from "../core/options.ts";
import { type SeparableCounts, type SeparableSizes, separableCounts } from "../cost/index.ts";
import { drawnFilters, FILTERS_HEIGHT, FILTERS_WIDTH, type FilterKind } from "./filter-boxes.ts";
import { lowered } from "./formula.ts";
import type { PictureOptions } from "./languages.ts";
import { page, pictureHead } from "./page.ts";
import { lineFrom, type Picture, type PictureShape, rectangle, TEXT_SIZE, textAt } from "./picture.ts";
import { shortened, textWidth } from "./text-width.ts";
import { type Voice, voiceOf } from "./voice.ts";

/** What a picture of a separable convolution shows: sizes, and a language. */
export interface SeparablePictureOptions extends SeparableSizes, PictureOptions {}

const LENGTHS = [
  ...(["kernelSize", "inputChannels", "filters", "size", "stride", "multiplier"] as const),
] satisfies readonly (keyof SeparableSizes)[];

const WIDTH = 860;
const MARGIN = 20;
const TEXT_LEFT = MARGIN + FILTERS_WIDTH;
const LINE = 19;
const SECTION = FILTERS_HEIGHT + 26;
const BAR = { height: 16, left: MARGIN, width: 640 };

/** Filters of one kind, and what is said of them. */
interface Section {
  readonly filters: FilterKind;
  readonly says: string;
  readonly formula: string;
  readonly factors: readonly number[];
  readonly multAdds: number;
}

/**
 * A picture of a standard convolution and of the depthwise and the pointwise one in its place (Howard et al. 2017, figure
 * 2): filters as boxes with their sizes D_K, M and N, the mult-adds of each, their sum, and what of the standard one that
 * is. Numbers are those of `separableCounts`; the formulas of section 3.1 stand beside them, D_F the side of the output.
 *
 *     svgText(drawSeparable({ inputChannels: 512, filters: 512, size: 14 }))
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a size that is no positive integer, a padding or a language that does not
 *         exist; `NETWORK_VANISHES` where no window fits
 */
export function drawSeparable(options: SeparablePictureOptions = {}): Picture {
  checkKnownOptions("drawSeparable", options, [...LENGTHS, "padding", "language"]);
  // Here too, so that a refusal names who was asked.
  for (const name of LENGTHS) positiveInteger("drawSeparable", name, options[name] ?? 1);
  const { language, ...sizes } = options;
  const voice = voiceOf("drawSeparable", language);
  const counts = separableCounts(sizes);
  const { words, count } = voice;
  const sections = sectionsOf(counts, voice);
  const head = pictureHead(WIDTH, MARGIN, words.separable.title, []);
  const notes = sizeNotes(counts, voice);
  const notesTop = head.bottom + 24;
  const top = notesTop + LINE * (notes.length - 1) + 14;
  const barsTop = top + SECTION * sections.length + 24;
  const bars = drawnBars(counts, barsTop, voice);
  const sayTop = barsTop + 2 * (BAR.height + 8) + 22;
  return page(WIDTH, sayTop + 2 * LINE + MARGIN - 4, {
    title: words.separable.title,
    description: `${words.separable.description(count(counts.standard), count(counts.pair))} ${ratioText(counts, voice)}.`,
    table: tableOf(sections, counts, voice),
    shapes: [
      ...head.shapes,
      ...notes.map((note, index) =>
        textAt(MARGIN, notesTop + LINE * index, lowered(note, TEXT_SIZE), { look: "soft" }),
      ),
      ...sections.flatMap((section, index) => drawnSection(section, top + SECTION * index, voice)),
      lineFrom("rule", MARGIN, barsTop - 14, WIDTH - MARGIN, barsTop - 14),
      ...bars,
      textAt(MARGIN, sayTop, words.separable.sum(count(counts.pair)), { look: "strong" }),
      textAt(MARGIN, sayTop + LINE, ratioText(counts, voice)),
      textAt(MARGIN, sayTop + 2 * LINE, lowered(ratioFormula(counts, voice), TEXT_SIZE), { look: "soft" }),
    ],
  });
}

function sectionsOf(counts: SeparableCounts, { words, count }: Voice): readonly Section[] {
  const { kernelSize, inputChannels, filters, outputSize, multiplier } = counts;
  const [m, between] = multiplier === 1 ? ["M", "M"] : ["M · μ", "μM"];
  const channels = inputChannels * multiplier;
  const area = [outputSize, outputSize];
  const perChannel = multiplier === 1 ? [inputChannels] : [inputChannels, multiplier];
  return [
    {
      filters: {
        look: "standard",
        ...{ side: kernelSize, depth: inputChannels, count: filters },
        letters: { side: "D_K", depth: "M", count: "N" },
      },
      says: words.separable.standard(count(filters), count(kernelSize), count(inputChannels)),
      formula: `D_K · D_K · M · N · D_F · D_F`,
      factors: [kernelSize, kernelSize, inputChannels, filters, ...area],
      multAdds: counts.standard,
    },
    {
      filters: {
        look: "depthwise",
        ...{ side: kernelSize, depth: 1, count: channels },
        letters: { side: "D_K", depth: "1", count: between },
      },
      says: words.separable.depthwise(count(channels), count(kernelSize)),
      formula: `D_K · D_K · ${m} · D_F · D_F`,
      factors: [kernelSize, kernelSize, ...perChannel, ...area],
      multAdds: counts.depthwise,
    },
    {
      filters: {
        look: "pointwise",
        ...{ side: 1, depth: channels, count: filters },
        letters: { side: "1", depth: between, count: "N" },
      },
      says: words.separable.pointwise(count(filters), count(channels)),
      formula: `${m} · N · D_F · D_F`,
      factors: [...perChannel, filters, ...area],
      multAdds: counts.pointwise,
    },
  ];
}

function drawnSection({ filters, says, formula, factors, multAdds }: Section, top: number, voice: Voice) {
  const { words, count } = voice;
  const room = WIDTH - MARGIN - TEXT_LEFT;
  const bottom = top + FILTERS_HEIGHT;
  const first = bottom - 3 * LINE - 4;
  const numbers = shortened(`= ${factors.map(count).join(" · ")}`, room, TEXT_SIZE);
  return [
    ...drawnFilters(filters, MARGIN, bottom),
    textAt(TEXT_LEFT, first, shortened(says, room, TEXT_SIZE), { look: "strong" }),
    textAt(TEXT_LEFT, first + LINE, lowered(formula, TEXT_SIZE), { look: "soft" }),
    textAt(TEXT_LEFT, first + 2 * LINE, numbers, { look: "soft" }),
    textAt(TEXT_LEFT, first + 3 * LINE, `= ${words.separable.count(count(multAdds))}`),
  ];
}

/** Both to one scale, the pair's parts in their colours. */
function drawnBars(counts: SeparableCounts, top: number, voice: Voice): readonly PictureShape[] {
  const most = Math.max(counts.standard, counts.pair);
  const length = (value: number) => (BAR.width * value) / most;
  const below = top + BAR.height + 8;
  const number = (value: number, y: number) => {
    const x = BAR.left + length(value) + 8;
    const whole = voice.count(value);
    const text = x + textWidth(whole, TEXT_SIZE) <= WIDTH - MARGIN ? whole : voice.short(value);
    return textAt(x, y + 12, text, { look: "soft" });
  };
  return [
    rectangle("standard", [BAR.left, top, length(counts.standard), BAR.height]),
    number(counts.standard, top),
    rectangle("depthwise", [BAR.left, below, length(counts.depthwise), BAR.height]),
    rectangle("pointwise", [BAR.left + length(counts.depthwise), below, length(counts.pointwise), BAR.height]),
    number(counts.pair, below),
  ];
}

function sizeNotes(counts: SeparableCounts, { words, count }: Voice): readonly string[] {
  const { size, outputSize, multiplier } = counts;
  const sides =
    size === outputSize ? words.separable.side(count(size)) : words.separable.sizes(count(outputSize), count(size));
  return [sides, ...(multiplier === 1 ? [] : [words.separable.multiplier(count(multiplier))])];
}

function ratioText({ ratio }: SeparableCounts, { words, share, fixed }: Voice): string {
  return ratio < 1 ? words.separable.ratio(share(ratio), fixed(1 / ratio, 2)) : words.separable.ratioMore(share(ratio));
}

/** Equation (6) of section 3.1, and the same by count. */
function ratioFormula(
  { kernelSize, filters, multiplier, ratio }: SeparableCounts,
  { words, count, fixed }: Voice,
): string {
  const [letter, number] = multiplier === 1 ? ["1", "1"] : ["μ", count(multiplier)];
  const numbers = `${number}/${count(filters)} + ${number}/${count(kernelSize * kernelSize)}`;
  return words.separable.formula(`${letter}/N + ${letter}/D_K²`, numbers, fixed(ratio, 4));
}

function tableOf(sections: readonly Section[], counts: SeparableCounts, voice: Voice) {
  const { words, count } = voice;
  const { noun } = words;
  return {
    titles: [noun.what, noun.formula, noun.multAdds],
    rows: [
      ...sections.map(({ says, formula, factors, multAdds }) => [
        says,
        `${formula} = ${factors.map(count).join(" · ")}`,
        count(multAdds),
      ]),
      [words.separable.sum(count(counts.pair)), "", count(counts.pair)],
      [ratioText(counts, voice), ratioFormula(counts, voice), ""],
    ],
  };
}
