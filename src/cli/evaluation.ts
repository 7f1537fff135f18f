/** What `evaluate` does: opens model and data, matches their classes, runs all pictures, and counts. */

import { shownAddress } from "../core/address.ts";
import { log } from "../core/elementary.ts";
import { DepthwiseError, listed } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { nearestName } from "../core/nearest.ts";
import { completePreprocessing } from "../core/preprocessing.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { visible } from "../core/visible.ts";
import { compile } from "../session/index.ts";
import { batches, type SkippedExample } from "../train/data/index.ts";
import { evaluated } from "../train/evaluated.ts";
import type { Dataset } from "../train/index.ts";
import { bestOf, targetsOf } from "../train/labels.ts";
import type { LoadedModel } from "../weights/load-model.ts";
import { type LoadFlags, loadFrom } from "./load.ts";
import { withoutUndefined } from "./network-options.ts";
import { complain, newPage, print, printJson, progressBar } from "./print.ts";
import { lossText } from "./report.ts";
import { accuracyByClass, type Confusion, confusedPairs, percent } from "./report-confusion.ts";
import { type SessionFlags, sessionOptions } from "./session-options.ts";
import { layTable, leftOutNote } from "./table.ts";
import { openData, type TrainingData } from "./training-data.ts";

export interface EvaluateFlags extends LoadFlags, SessionFlags {
  readonly json?: boolean;
  readonly maxPixels?: number;
}

const BATCH = 32;
/** Of probabilities that float32 can tell from 0. */
const SMALLEST = 2 ** -126;
/** Of the tables: who wants all of it takes --json. */
const [MOST_CLASSES, MOST_PAIRS] = [20, 5];

/** What came of it. */
interface Counts {
  readonly examples: number;
  readonly skipped: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly top5: number;
  /** Rows are classes of the data, columns what was said. */
  readonly confusion: Confusion;
}

export async function runEvaluation(file: string, paths: readonly string[], flags: EvaluateFlags): Promise<void> {
  const data = await openData(paths, flags.signal, "evaluation");
  const model = await loadFrom([file], flags);
  const set = data.test ?? data.train;
  const output = classOutput(model);
  const { labels, places } = matched(shownAddress(file), model, output.classes, data, set);
  const counts = await counted(model, set, { places, output, flags });
  const words = data.testWords ?? data.words;
  if (flags.json === true) printJson(asJson(shownAddress(file), paths, counts, labels));
  else printCounts(visible(`${model.name} on ${words}`), counts, labels);
  if (counts.skipped > 0) process.exitCode = 1;
}

interface Matched {
  /** What the outputs are called. */
  readonly labels: readonly string[];
  /** Which output each class of the data is. */
  readonly places: readonly number[];
}

/**
 * Which output each class of the data is: that of its name; of IDX files, which know no more, that of its number. Of a
 * model without labels names that are numbers are those of its outputs; other names are its outputs in their order, if
 * there are as many.
 *
 * @param outputs how many
 * @throws {DepthwiseError} `CLASSES_MISMATCH`
 */
function matched(
  file: string,
  { info, name }: LoadedModel,
  outputs: number,
  { kind }: TrainingData,
  { classes }: Dataset,
): Matched {
  const labels: readonly string[] = info.labels ?? Array.from({ length: outputs }, (_, index) => String(index));
  const inOrder = classes.map((_, index) => index);
  const missing = classes.filter((label) => !labels.includes(label));
  if (missing.length === 0) return { labels, places: classes.map((label) => labels.indexOf(label)) };
  if (kind === "idx" && classes.length <= outputs) return { labels, places: inOrder };
  if (info.labels === undefined) {
    if (classes.length === outputs) return { labels: classes, places: inOrder };
    throw new DepthwiseError("CLASSES_MISMATCH", {
      what: `${file}: classes of the data`,
      expected: `${outputs}, as ${name} has outputs, since it has no labels`,
      found: `${classes.length}: ${listed(classes)}`,
      advice: "Call each folder by the number of its output, counted from 0, or pass a model with labels.",
      fields: { expected: outputs, found: classes.length },
    });
  }
  const [first = ""] = missing;
  // One that has a folder already is no slip of this one.
  const free = labels.filter((label) => !classes.includes(label));
  const near = nearestName(first, free);
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `${file}: classes of the data`,
    expected: `those that ${name} knows: ${listed(labels)}`,
    found: listed(missing.map((label) => `"${label}"`)),
    advice: near === undefined ? "Call the folders as the model calls its classes." : `Is "${first}" its "${near}"?`,
    fields: { missing },
  });
}

interface Counting {
  readonly places: readonly number[];
  readonly output: ClassOutput;
  readonly flags: EvaluateFlags;
}

async function counted(model: LoadedModel, data: Dataset, { places, output, flags }: Counting): Promise<Counts> {
  const { signal, maxPixels } = flags;
  const batch = flags.batch ?? BATCH;
  const input = completePreprocessing(model.inputShape, model.info.preprocessing);
  const session = await compile(model, { ...sessionOptions(flags), batch, signal });
  const bar = progressBar("{bar} {value}/{total}");
  const { classes } = output;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let [loss, correct, correctOf5, examples, skippedCount] = [0, 0, 0, 0, 0];
  try {
    const reading = { input, batch, shuffle: false, signal, ...withoutUndefined({ maxPixels }) } as const;
    for await (const { x, labels = new Int32Array(), count, skipped, next, release } of batches(data, reading)) {
      skipped.forEach(tellSkipped);
      skippedCount += skipped.length;
      if (count > 0) {
        const wanted = labels.map((label) => places[label] ?? 0);
        const results: Readonly<Record<string, unknown>> = await session.run(x, { signal });
        const said = logitsIn(results[output.name] as FloatTensor, output);
        const targets = targetsOf("evaluate", wanted, count, classes, 0);
        const result = evaluated(said, targets, count, classes);
        loss += result.loss * count;
        correct += result.correct;
        correctOf5 += result.correctOf5;
        examples += count;
        for (const [n, label] of wanted.entries()) {
          const row = confusion[label];
          const column = bestOf(said, n, classes);
          if (row !== undefined) row[column] = (row[column] ?? 0) + 1;
        }
      }
      release();
      bar.update(next, data.size);
    }
  } finally {
    bar.stop();
    session.close();
  }
  const shares = { accuracy: correct / examples, top5: correctOf5 / examples };
  return { examples, skipped: skippedCount, loss: loss / examples, ...shares, confusion };
}

/** Of what a network gives, that which says how likely each class is. */
interface ClassOutput {
  readonly name: string;
  readonly classes: number;
  readonly isProbabilities: boolean;
}

/** @throws {DepthwiseError} `NETWORK_INVALID` if there is none */
function classOutput({ name, outputs, shapes, layers }: LoadedModel): ClassOutput {
  const given: Readonly<Record<string, string>> = outputs;
  const names = Object.keys(given);
  const chosen = ["logits", "probabilities", ...names].find((each) => shapes.get(given[each] ?? "")?.length === 1);
  const shape = shapes.get(given[chosen ?? ""] ?? "");
  const isEmbedding = chosen === "embedding";
  if (chosen !== undefined && shape !== undefined && !isEmbedding) {
    const isProbabilities = layers.find((layer) => layer.name === given[chosen])?.type === "softmax";
    return { name: chosen, classes: shape[0] ?? 0, isProbabilities };
  }
  throw new DepthwiseError("NETWORK_INVALID", {
    what: `evaluate: ${name}`,
    expected: "a network that gives logits or probabilities",
    found: listed(names),
    advice: "Pass one with a classifier.",
  });
}

/** Of probabilities their logarithms, of which the softmax is what they were. */
function logitsIn({ data }: FloatTensor, { isProbabilities }: ClassOutput): Float32Array {
  return isProbabilities ? data.map((share) => log(Math.max(share, SMALLEST))) : data;
}

function tellSkipped({ name, error }: SkippedExample): void {
  complain(`left out: ${name}: ${error.message}`);
}

function asJson(model: string, data: readonly string[], counts: Counts, labels: readonly string[]): object {
  const { confusion, ...numbers } = counts;
  const shares = accuracyByClass(confusion);
  const classes = labels.flatMap((label, index) => {
    const examples = total(confusion[index]);
    return examples === 0 ? [] : [{ label, examples, accuracy: shares[index] }];
  });
  return { model, data, ...numbers, classes, labels, confusion };
}

function printCounts(title: string, counts: Counts, labels: readonly string[]): void {
  const { examples, loss, accuracy, top5, confusion } = counts;
  const shares = accuracyByClass(confusion);
  const known = [...shares.keys()].filter((index) => total(confusion[index]) > 0);
  const worst = [...known].sort((a, b) => (shares[a] ?? 0) - (shares[b] ?? 0) || a - b);
  const page = newPage();
  const rows = worst
    .slice(0, MOST_CLASSES)
    .map((index) => [visible(labels[index] ?? ""), percent(shares[index] ?? 0), grouped(total(confusion[index]))]);
  const more = worst.length - rows.length;
  const pairs = confusedPairs(confusion)
    .slice(0, MOST_PAIRS)
    .map(({ label, said, count, share }) =>
      visible(`  ${labels[label]} taken for ${labels[said]}: ${grouped(count)}, ${percent(share)} of them`),
    );
  const first5 = top5 < 1 ? `, ${percent(top5)} among the first five` : "";
  print([
    title,
    `${grouped(examples)} pictures: ${percent(accuracy)} right${first5}, loss ${lossText(loss)}`,
    "",
    ...layTable(page, [["class", "accuracy", "pictures"], ...rows], { isRight: (column) => column > 0 }),
    ...(more > 0 ? [`${grouped(more)} more classes, all better; --json has them`] : []),
    ...(pairs.length > 0 ? ["", "Confused most:", ...pairs] : []),
    ...leftOutNote(page),
  ]);
}

function total(row: readonly number[] = []): number {
  return row.reduce((sum, count) => sum + count, 0);
}
