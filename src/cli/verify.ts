/**
 * `depthwise verify`: whether a model answers as it should. Pictures are classified as the model says they should be
 * fed, and with the ranges that other networks want: a wrong range makes no error, only worse answers.
 */

import { basename, dirname } from "node:path";
import { Command } from "commander";
import { type Classifier, createClassifier, type Prediction } from "../classify/index.ts";
import { shownAddress } from "../core/address.ts";
import { DepthwiseError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import type { Preprocessing } from "../images/index.ts";
import { describe } from "../weights/describe.ts";
import type { LoadedModel } from "../weights/load-model.ts";
import { checkOneStdin, expandFiles, noImages, shownWeights, withInput } from "./files.ts";
import { againstOption, jsonOption, maxPixelsOption } from "./flags.ts";
import { addLoadOptions, type LoadFlags, loadFrom } from "./load.ts";
import { WEIGHTS } from "./numbers.ts";
import { newPage, print, printJson } from "./print.ts";
import { addSessionOptions, type SessionFlags, sessionOptions } from "./session-options.ts";
import { called, layTable, leftOutNote } from "./table.ts";

interface Flags extends LoadFlags, SessionFlags {
  readonly images: readonly string[];
  readonly against?: string;
  readonly maxPixels?: number;
  readonly json?: boolean;
}

/** What networks are commonly fed with; a mean has a number for each channel, and fits no other count of them. */
const FEEDS: Readonly<Record<string, Preprocessing>> = {
  "-1 to 1": { range: [-1, 1] },
  "0 to 1": { range: [0, 1] },
  "0 to 255": { range: [0, 255] },
  "ImageNet mean and deviation": { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
};

export function verifyCommand(): Command {
  const command = new Command("verify")
    .description("classify pictures as the model says and in other ranges; compare labels")
    .argument("<files...>", `weights: ${WEIGHTS}; two are halves of one network`)
    .requiredOption(
      "--images <files...>",
      "pictures, folders, globs or - for standard input; a folder named like a label says what they show",
    );
  command
    .addOption(againstOption("file", "another model: how often both name the same class"))
    .addOption(maxPixelsOption())
    .addOption(jsonOption("print { images, rows, doubts }"));
  return addSessionOptions(addLoadOptions(command)).action(async (files: readonly string[], flags: Flags) => {
    checkOneStdin([...files, flags.against ?? ""], flags.images);
    const model = await loadFrom(files, flags);
    const images = await expandFiles(flags.images);
    for (const image of images) {
      const error = noImages(image);
      if (error !== undefined) throw error;
    }
    const rows = await reportRows(model, images, flags);
    const { doubts } = describe(model);
    const shown = images.map(shownAddress);
    if (flags.json === true) printJson({ images: shown, rows, doubts }, 2);
    else print(formatReport(shown, rows, doubts));
  });
}

interface Row {
  /** How the pictures were fed, or which other model answered. */
  readonly way: string;
  /** Mean probability of the best class, 0 to 1: low where the range is wrong. */
  readonly confidence: number;
  /** Share of pictures with the label that the model's own preprocessing gives. */
  readonly agreement: number;
  /** Share of pictures that show what their folder says; absent if no folder is named like a label. */
  readonly correct?: number;
}

async function reportRows(model: LoadedModel, images: readonly string[], flags: Flags): Promise<readonly Row[]> {
  const own = await answers(model, images, undefined, flags);
  const asRow = (way: string, results: readonly Prediction[], labels: readonly string[]): Row => {
    const correct = correctShare(images, results, labels);
    return {
      way,
      confidence: mean(results.map(({ probability }) => probability)),
      agreement: mean(results.map(({ label }, i) => (label === own.best[i]?.label ? 1 : 0))),
      ...(correct === undefined ? {} : { correct }),
    };
  };
  const rows = [asRow("as the model says", own.best, own.labels)];
  const { mean: _mean, deviation: _deviation, range: _range, ...rest }: Preprocessing = model.info.preprocessing ?? {};
  const channels = model.inputShape.at(-1);
  for (const [way, preprocessing] of Object.entries(FEEDS)) {
    if (preprocessing.mean !== undefined && preprocessing.mean.length !== channels) continue;
    const { best, labels } = await answers(model, images, { ...rest, ...preprocessing }, flags);
    rows.push(asRow(way, best, labels));
  }
  if (flags.against !== undefined) {
    const other = await loadFrom([flags.against], { signal: flags.signal });
    const { best, labels } = await answers(other, images, undefined, flags);
    const isShared = new Set(own.labels);
    if (!labels.some((label) => isShared.has(label))) {
      throw new DepthwiseError("CLASSES_MISMATCH", {
        what: `verify: ${shownWeights(flags.against)}`,
        expected: "a model that knows some of the same classes",
        found: `${labels.length} other classes (${labels.slice(0, 3).join(", ")}, …)`,
        advice: "Compare it with a model that was trained for the same labels.",
      });
    }
    rows.push(asRow(basename(shownWeights(flags.against)), best, labels));
  }
  return rows;
}

async function answers(
  model: LoadedModel,
  images: readonly string[],
  preprocessing: Preprocessing | undefined,
  flags: Flags,
): Promise<{ readonly best: readonly Prediction[]; readonly labels: readonly string[] }> {
  const { maxPixels, signal } = flags;
  const { probabilities, logits } = model.outputs;
  const classes = model.shapes.get(probabilities ?? logits ?? "")?.at(-1) ?? 0;
  // Without names the numbers of the classes are as good for comparing.
  const isNamed = model.info.labels !== undefined || classes === 1000 || classes === 1001;
  const classifier: Classifier = await createClassifier(model, {
    ...sessionOptions(flags),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(isNamed ? {} : { labels: Array.from({ length: classes }, (_, index) => String(index)) }),
  });
  try {
    const best: Prediction[] = [];
    const options = { topK: 1, signal, ...(maxPixels === undefined ? {} : { maxPixels }) };
    for await (const { predictions } of classifier.classifyAll(await withInput(images, signal), options)) {
      const [first] = predictions;
      if (first !== undefined) best.push(first);
    }
    return { best, labels: classifier.labels };
  } finally {
    classifier.close();
  }
}

/** Folders named like a label (or one of its synonyms) say what their pictures show. */
function correctShare(
  images: readonly string[],
  results: readonly Prediction[],
  labels: readonly string[],
): number | undefined {
  const synonyms = new Set(labels.flatMap((label) => [label, ...label.split(", ")].map(normal)));
  const known = images.flatMap((image, i) => {
    const expected = normal(basename(dirname(image)));
    const found = results[i]?.label ?? "";
    return synonyms.has(expected) ? [[found, ...found.split(", ")].map(normal).includes(expected) ? 1 : 0] : [];
  });
  return known.length === 0 ? undefined : mean(known);
}

const normal = (text: string) => text.toLowerCase().replaceAll(/[\s_-]+/g, " ");

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function formatReport(images: readonly string[], rows: readonly Row[], doubts: readonly string[]): readonly string[] {
  const percent = (share: number | undefined) => (share === undefined ? "" : `${(100 * share).toFixed(0)} %`);
  const cells = rows.map(({ way, confidence, agreement, correct }) => [
    visible(way),
    percent(confidence),
    percent(agreement),
    percent(correct),
  ]);
  const isJudged = rows.some(({ correct }) => correct !== undefined);
  const table = [["pictures fed", "mean confidence", "same label", isJudged ? "as the folder says" : ""], ...cells];
  const page = newPage();
  const least = called(table[0] ?? [], ["same label", "mean confidence"]);
  const lines = layTable(page, table, { isRight: (column) => column > 0, least: isJudged ? least : [] });
  return [
    images.length === 1 ? "1 picture" : `${images.length} pictures`,
    "",
    ...lines,
    ...(doubts.length === 0 ? [] : ["", "Assumed, to be checked:", ...doubts.map((doubt) => `- ${visible(doubt)}`)]),
    ...leftOutNote(page),
  ];
}
