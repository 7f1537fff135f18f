/** The first run: what two small networks say about drawings, and what they cost. */
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createClassifier } from "depthwise";
import { inTwoColumns, predictionLines } from "./bars.mjs";
import { costTable } from "./cost-table.mjs";
import { compareWithTwin } from "./twin.mjs";

const root = resolve(import.meta.dirname, "../..");
const FOLDER = "examples/drawings";

/**
 * @param models `digits` and `cifar10`, functions that give a network each, and `learnt`: lines about what they learnt
 * @param print  takes lines
 */
export async function firstRun({ digits, cifar10, learnt }, print) {
  const [digitModel, colourModel] = await Promise.all([digits(), cifar10()]);
  const files = readdirSync(join(root, FOLDER))
    .filter((file) => file.endsWith(".png"))
    .sort();
  if (files.length === 0) throw new Error(`${FOLDER} holds no drawings: npm run draw makes them.`);
  const digitFiles = files.filter((file) => file.startsWith("digit-"));
  const colourFiles = files.filter((file) => !digitFiles.includes(file));
  const named = [await nameAll(digitModel, digitFiles), await nameAll(colourModel, colourFiles)];
  for (const found of named) print(pageOf(found));
  const all = named.flat();
  const right = all.filter(({ file, predictions }) => predictions[0].label === meant(file)).length;
  print([`These are drawings, made by scripts/drawings; named as meant: ${right} of ${all.length}.`, ...learnt, ""]);
  const comparisons = { digits: await compareWithTwin(digitModel), cifar10: await compareWithTwin(colourModel) };
  print([
    ...costTable(comparisons),
    `Milliseconds are medians, measured here and now on the ${comparisons.digits.backend} backend.`,
    "The standard convolutions have random weights: time does not depend on them.",
  ]);
}

/** What a drawing shows, by the name of its file. */
const meant = (file) => file.replace(/^digit-/, "").replace(/\.png$/, "");

async function nameAll(model, files) {
  const classifier = await createClassifier(model);
  try {
    const paths = files.map((file) => join(root, FOLDER, file));
    const predictions = await classifier.classify(paths, { topK: 3 });
    return files.map((file, at) => ({ file, predictions: predictions[at] }));
  } finally {
    classifier.close();
  }
}

function pageOf(found) {
  const labelWidth = Math.max(...found.flatMap(({ predictions }) => predictions.map(({ label }) => label.length)));
  const blocks = found.map(({ file, predictions }) => predictionLines(`${FOLDER}/${file}`, predictions, labelWidth));
  return inTwoColumns(blocks);
}
