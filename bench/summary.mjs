/**
 * One table for each Node: the promises of `bars.mjs` beside what was measured. Reads the result files and measures
 * nothing.
 *
 *     node summary.mjs [--quick] [--major 20 --major 24]
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BARS, RIVALS_AT_THEIR_BEST, TRAINING_BARS, WIDE_BARS } from "./bars.mjs";
import { jsonText, resultsFolder, table } from "./harness/report.mjs";
import { spreadText } from "./harness/statistics.mjs";

const WIDE_NOTE =
  'With `simd: "wide"`, an experimental switch of V8 that is on only where it is asked for by name, for the whole process; beside native code:';

const TRAINING_NOTE =
  "One training step: batch norm in train mode, softmax cross-entropy over 10 classes, SGD with momentum:";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { quick: { type: "boolean", default: false }, major: { type: "string", multiple: true } },
  });
  for (const major of values.major ?? [process.versions.node.split(".")[0]]) {
    process.stdout.write(writeSummary(Number(major), values.quick).markdown);
  }
}

/** Writes `summary-node<major>.{md,json}`; returns the text and how many rows are missed or not measured. */
export function writeSummary(major, isQuick) {
  const read = resultReader(resultsFolder(isQuick), major);
  const judge = (rows) => rows.filter(({ nodes }) => nodes.includes(major)).map((row) => judgeRow(row, read));
  const bars = judge(BARS);
  const wide = judge(WIDE_BARS);
  const training = judge(TRAINING_BARS);
  const rivals = judge(RIVALS_AT_THEIR_BEST);
  const scaling = read(["limit", "scaling"]);
  const markdown = [
    `# Node ${major}${isQuick ? ": a quick run, whose numbers mean nothing" : ""}`,
    measuredOn(read),
    barTable(bars),
    ...(wide.length === 0 ? [] : [WIDE_NOTE, ...nativeOf(read, "wide"), barTable(wide)]),
    ...(training.length === 0 ? [] : [TRAINING_NOTE, ...nativeOf(read, "train"), barTable(training)]),
    "A rival below its published figure by more than a tenth is a bug of the bench:",
    barTable(rivals),
    ...(scaling === undefined
      ? []
      : [`Over registers alone, two threads reach: ${Object.entries(scaling).map(scalingText).join(", ")}.`]),
  ].join("\n\n");
  const file = (ending) => new URL(`summary-node${major}.${ending}`, resultsFolder(isQuick));
  writeFileSync(file("md"), `${markdown}\n`);
  writeFileSync(file("json"), jsonText({ node: major, bars, wide, training, rivals }));
  const open = [...bars, ...wide, ...training, ...rivals].filter(
    ({ verdict }) => verdict === "no" || verdict === "not measured",
  );
  return { markdown: `${markdown}\n\n`, open: open.length };
}

/** `["race", "models", …]` → what stands there in `race-node<major>.json`, or undefined. */
function resultReader(folder, major) {
  const files = new Map();
  return ([name, ...path]) => {
    const file = new URL(`${name}-node${major}.json`, folder);
    if (!files.has(name)) files.set(name, existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);
    return path.reduce((value, key) => value?.[key], files.get(name));
  };
}

function judgeRow({ row, at, least, most, digits = 2 }, read) {
  const measured = read(at);
  const bound = (value) => (Array.isArray(value) ? read(value) : value);
  const [low, high] = [bound(least), bound(most)];
  const value = measured?.median ?? measured;
  const isBound = low !== undefined || high !== undefined;
  const isMet = value >= (low ?? Number.NEGATIVE_INFINITY) && value <= (high ?? Number.POSITIVE_INFINITY);
  const verdict = value === undefined ? "not measured" : isBound ? (isMet ? "yes" : "no") : "";
  return { row, least: low, most: high, measured, digits, verdict };
}

function barTable(rows) {
  return table(["row", "bar", "measured (spread)", "met?"], rows.map(cells));
}

function cells({ row, least, most, measured, digits, verdict }) {
  const number = (value) => value.toFixed(digits);
  const bar = least !== undefined ? `≥ ${number(least)}` : most !== undefined ? `≤ ${number(most)}` : "";
  const text =
    measured === undefined ? "" : typeof measured === "number" ? number(measured) : spreadText(measured, digits);
  return [row, bar, text, verdict === "no" ? "**no**" : verdict];
}

function scalingText([kind, scaling]) {
  return `${kind} ${spreadText(scaling)} × one`;
}

/** The load of that run, and which PyTorch it met. */
function nativeOf(read, question) {
  const about = read([question, "about"]);
  if (about === undefined) return [];
  const python = read([question, "python"]);
  const torch = python === undefined ? "no PyTorch" : `PyTorch ${python.version} (${python.python})`;
  return [
    `${torch}; load ${about.loadBefore[0].toFixed(2)} before that run and ${about.loadAfter[0].toFixed(2)} after.`,
  ];
}

function measuredOn(read) {
  const about = read(["race", "about"]) ?? read(["size", "about"]);
  if (about === undefined) return "Nothing measured yet.";
  const { node, v8, cpu, cores, loadBefore, loadAfter, versions, date } = about;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const load = `load ${loadBefore[0].toFixed(2)} before the race and ${loadAfter[0].toFixed(2)} after`;
  return `${node} (V8 ${v8}), ${cpu}, ${cores} cores, ${load}, ${date.slice(0, 10)}; ${libraries.join(", ")}. Medians of five fields of processes, smallest to largest.`;
}
