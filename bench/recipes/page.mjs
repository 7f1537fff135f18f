/** The page of `recipes.mjs`. */

import { madeOn } from "../harness/kept-page.mjs";
import { table } from "../harness/report.mjs";
import { benchOf, VARIANTS } from "./task.mjs";

const HEADERS = [
  "changed",
  "right of the held out, %",
  "over base",
  "seeds of both",
  "by seed",
  "right in training, %",
];

/**
 * @param {readonly import("../harness/kept-runs.mjs").Run[]} runs @param {import("./task.mjs").Settings} settings
 * @returns {string} Markdown
 */
export function recipesPage(runs, settings) {
  const of = (variant) => runs.filter(({ task }) => task.variant === variant).sort((a, b) => a.task.seed - b.task.seed);
  const base = new Map(of("base").map(({ task, right }) => [task.seed, right]));
  const groups = VARIANTS.map(of).filter(({ length }) => length > 0);
  const rows = groups.map((group) => rowOf(group, base));
  const { epochs, data } = settings;
  const words = `α 0.25 at 32 × 32, stem and block 2 at stride 1, ${epochs} epochs of ${data.examples.toLocaleString("en-US")} pictures, judged by the tenth that is held out. What stands over base is of the seeds that both have. ${spreadOf(groups)}`;
  return `${words}\n\n${table(HEADERS, rows)}\n\n${madeOn(groups.flat(), benchOf(settings).nameOf)}\n`;
}

function rowOf(group, base) {
  const beside = group.filter(({ task }) => base.has(task.seed)).map(({ task, right }) => right - base.get(task.seed));
  return [
    group[0].task.variant,
    (100 * mean(group.map(({ right }) => right))).toFixed(2),
    beside.length === 0 ? "" : signed(100 * mean(beside)),
    beside.length,
    group.map(({ right }) => (100 * right).toFixed(2)).join(", "),
    (100 * mean(group.map(({ training }) => training.accuracy))).toFixed(1),
  ];
}

/** How much two runs differ that differ in the seed alone, as far as it was found. */
function spreadOf(groups) {
  const differences = groups.flatMap((group) =>
    group.flatMap((run, at) => group.slice(at + 1).map((other) => 100 * Math.abs(run.right - other.right))),
  );
  if (differences.length === 0) return "No two runs differ in the seed alone: how much that does is not known.";
  const count = `${differences.length} pair${differences.length === 1 ? "" : "s"}`;
  return `Two runs that differ in the seed alone differ by ${mean(differences).toFixed(2)} points in the mean of ${count}, and by ${Math.max(...differences).toFixed(2)} at most.`;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function signed(value) {
  return `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
}
