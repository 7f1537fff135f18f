/**
 * `report.html`: how a training run went, in one file that needs nothing else: curves, accuracy by class, what is taken for
 * what, all options, and the time it took. It has no script.
 */

import { grouped } from "../core/file-error.ts";
import { isObject } from "../core/json.ts";
import { element, type Markup, raw } from "../core/markup.ts";
import type { EpochRecord, Recipe } from "../train/index.ts";
import { chart } from "./report-charts.ts";
import { type Confusion, classTable, heading, matrix, pairTable, percent } from "./report-confusion.ts";
import { REPORT_STYLE } from "./report-style.ts";
import { version } from "./version.ts";

/** What a report is made of. */
export interface ReportParts {
  readonly title: string;
  /** Network, data, and other sentences for the head. */
  readonly sentences: readonly string[];
  readonly history: readonly EpochRecord[];
  /** Of the whole run. */
  readonly epochs: number;
  /** The epoch whose parameters count as the best. */
  readonly best?: number | undefined;
  /** The epoch whose parameters came out. */
  readonly taken?: EpochRecord | undefined;
  /** The learning rate over the run, x in epochs. */
  readonly rates: readonly { readonly x: number; readonly y: number }[];
  readonly confusion?: Confusion | undefined;
  readonly classes: readonly string[];
  /** As options.json has them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The page. */
export function reportOf(parts: ReportParts): string {
  const { title, sentences, confusion, classes } = parts;
  const body = element(
    "main",
    {},
    element("h1", {}, title),
    sentences.map((sentence) => element("p", {}, sentence)),
    facts(parts),
    element("div", { class: "charts" }, curves(parts)),
    element("p", {}, curveNote(parts.options)),
    confusion === undefined ? undefined : confusions(confusion, classes),
    element("h2", {}, "Epochs"),
    epochTable(parts.history),
    element("h2", {}, "Options"),
    optionTable(parts.options),
    element("footer", {}, `Made by depthwise ${version}. options.json holds the options, history.jsonl the numbers.`),
  );
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("title", {}, title),
    element("style", {}, raw(REPORT_STYLE)),
  );
  return `<!doctype html>\n${element("html", { lang: "en" }, head, element("body", {}, body)).markup}\n`;
}

function facts({ history, epochs, best, taken }: ReportParts): Markup {
  const of = history.find(({ epoch }) => epoch === best) ?? history.at(-1);
  const seconds = history.reduce((sum, { time }) => sum + time.seconds, 0);
  const rate = history.reduce((sum, { examples }) => sum + examples, 0) / trainingSeconds(history);
  const validation = taken?.validation;
  const all: readonly (readonly [string, string] | undefined)[] = [
    validation && [percent(validation.accuracy), `accuracy on ${validationWords(validation.examples)}`],
    validation && validation.top5 < 1 ? [percent(validation.top5), "among the first five"] : undefined,
    validation && [lossText(validation.loss, 3), "validation loss"],
    taken && [percent(taken.accuracy), "accuracy in training"],
    [`${history.length} of ${epochs}`, of === undefined ? "epochs" : `epochs, the best ${of.epoch}`],
    taken && taken.epoch !== history.length ? [`epoch ${taken.epoch}`, "whose weights were taken"] : undefined,
    [duration(seconds), "in all"],
    Number.isFinite(rate) ? [grouped(Math.round(rate)), "pictures a second"] : undefined,
  ];
  const shown = all.flatMap((fact) => (fact === undefined ? [] : [fact]));
  return element(
    "ul",
    { class: "facts" },
    shown.map(([value, name]) => element("li", {}, element("b", {}, value), name)),
  );
}

/** Without validation: what the rate of each epoch says. */
function trainingSeconds(history: readonly EpochRecord[]): number {
  return history.reduce((sum, { examples, time }) => sum + examples / (time.imagesPerSecond || Number.NaN), 0);
}

function curves({ history, epochs, best, rates }: ReportParts): readonly Markup[] {
  const points = (of: (record: EpochRecord) => number | undefined) =>
    history.map((record) => ({ x: record.epoch, y: of(record) ?? Number.NaN }));
  const hasValidation = history.some(({ validation }) => validation !== undefined);
  const both = (training: (record: EpochRecord) => number, of: (record: EpochRecord) => number | undefined) => [
    { name: "training", colour: 1, points: points(training) } as const,
    ...(hasValidation ? [{ name: "validation", colour: 2, points: points(of) } as const] : []),
  ];
  const shown: readonly [number, number] = [1, Math.max(1, history.length)];
  // Where no curve is: losses fall, accuracies rise.
  const markAt = (at: "top" | "bottom") =>
    best === undefined || history.length < 2 ? undefined : { x: best, name: "best", at };
  const shares = history.flatMap(({ accuracy, validation }) => [accuracy, validation?.accuracy ?? accuracy]);
  // From the next lower tenth, so that the last per cents can be told apart.
  const lowest = Math.floor(10 * shares.reduce((least, share) => Math.min(least, share), 1) - 1e-9) / 10;
  const top = rates.reduce((most, { y }) => Math.max(most, y), 0);
  return [
    chart({
      title: "Loss",
      series: both(
        ({ loss }) => loss,
        ({ validation }) => validation?.loss,
      ),
      epochs: shown,
      format: number,
      mark: markAt("top"),
    }),
    chart({
      title: "Accuracy",
      series: both(
        ({ accuracy }) => accuracy,
        ({ validation }) => validation?.accuracy,
      ),
      epochs: shown,
      format: (share) => `${Number((100 * share).toFixed(1))} %`,
      range: [Math.max(0, lowest), 1],
      mark: markAt("bottom"),
    }),
    chart({
      title: "Learning rate",
      series: [{ name: "rate", colour: 1, points: rates }],
      epochs: [0, epochs],
      format: number,
      ...(top > 0 ? {} : { range: [0, 1] as const }),
      hasPoints: false,
    }),
  ];
}

/** Why training may look worse than validation. */
function curveNote({ recipe }: Readonly<Record<string, unknown>>): string {
  const { labelSmoothing = 0, augment } = (isObject(recipe) ? recipe : {}) as Pick<
    Recipe,
    "labelSmoothing" | "augment"
  >;
  const changed = [
    ...(augment === undefined ? [] : ["of augmented pictures"]),
    ...(labelSmoothing > 0 ? ["with smoothed labels"] : []),
  ];
  return changed.length === 0
    ? "Training: the mean over an epoch, before each update."
    : `Training: the mean over an epoch, ${changed.join(", ")}; validation: of the pictures and labels as they are.`;
}

function confusions(confusion: Confusion, classes: readonly string[]): Markup {
  const drawn = matrix(confusion, classes);
  const count = confusion.flat().reduce((sum, examples) => sum + examples, 0);
  return element(
    "section",
    {},
    element("h2", {}, "What is taken for what"),
    element("p", {}, `On ${grouped(count)} pictures of the validation data. Colours are shares of a row.`),
    element(
      "div",
      { class: "beside" },
      drawn === undefined
        ? element("p", {}, `A matrix of ${grouped(classes.length)} classes could not be read; the pairs below can.`)
        : element("div", { class: "wide" }, drawn),
      element("div", {}, element("h3", {}, "Accuracy by class, the worst first"), classTable(confusion, classes)),
    ),
    element("h3", {}, "Confused most"),
    pairTable(confusion, classes),
  );
}

function epochTable(history: readonly EpochRecord[]): Markup {
  const hasValidation = history.some(({ validation }) => validation !== undefined);
  const head = [
    ...["epoch", "loss", "accuracy"],
    ...(hasValidation ? ["validation loss", "validation accuracy"] : []),
    ...["rate", "gradient norm", "pictures/s", "waited for data", "seconds"],
  ];
  const rows = history.map(({ epoch, loss, accuracy, validation, learningRate, gradientNorm, time, isBest }) => {
    const cells = [
      `${epoch}${isBest ? " *" : ""}`,
      lossText(loss),
      percent(accuracy),
      ...(hasValidation
        ? [validation === undefined ? "" : lossText(validation.loss), validation ? percent(validation.accuracy) : ""]
        : []),
      learningRate.toPrecision(3),
      gradientNorm.toPrecision(3),
      grouped(Math.round(time.imagesPerSecond)),
      percent(time.waitedForData),
      time.seconds.toFixed(1),
    ];
    return element(
      "tr",
      {},
      cells.map((cell) => element("td", { class: "number" }, cell)),
    );
  });
  const titles = heading(...head.map((title) => [title, "number"] as const));
  const table = element("table", {}, element("thead", {}, titles), element("tbody", {}, rows));
  const note = element("p", {}, "* better than all before it");
  return element("div", { class: "wide" }, table, history.some(({ isBest }) => isBest) ? note : undefined);
}

/** Nested options by their whole names: `recipe.schedule.peak`. */
function optionTable(options: Readonly<Record<string, unknown>>): Markup {
  const rows = flattened(options, "").map(([name, value]) =>
    // A long name breaks at its points.
    element(
      "tr",
      {},
      element(
        "td",
        {},
        name.split(".").flatMap((part, i) => (i === 0 ? [part] : [".", element("wbr", {}), part])),
      ),
      element("td", {}, value),
    ),
  );
  return element("table", { class: "options" }, element("tbody", {}, rows));
}

function flattened(value: unknown, name: string): readonly (readonly [name: string, value: string])[] {
  if (typeof value !== "object" || value === null) return [[name, String(value)]];
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) return [[name, value.join(", ")]];
  return Object.entries(value).flatMap(([key, inner]) => flattened(inner, name === "" ? key : `${name}.${key}`));
}

/** Few pictures say little: how many they are stands beside what they say. */
function validationWords(examples: number): string {
  return examples === 1 ? "one validation picture" : `${grouped(examples)} validation pictures`;
}

/** From here on numbers are written with an exponent. */
const LARGE = 1e6;

/** Short numbers for axes: 0.05, 2.5, 0.0001, 2.5e+16. */
function number(value: number): string {
  const short = Number(value.toPrecision(3));
  return Math.abs(short) < LARGE ? String(short) : short.toExponential();
}

/** A loss as it is read: 0.6931, and of a run that has come to nothing 5.9e+16. */
export function lossText(loss: number, digits = 4): string {
  return Math.abs(loss) < LARGE ? loss.toFixed(digits) : loss.toExponential(1);
}

/** Seconds as a person says them: 8.2 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
