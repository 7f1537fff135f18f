/** The page of `goals.mjs`. */

import { percent } from "../../scripts/shared/percent.mjs";
import { madeOn } from "../harness/kept-page.mjs";
import { keyOf } from "../harness/kept-runs.mjs";
import { table } from "../harness/report.mjs";
import { benchOf, taskOf } from "./task.mjs";

const HEADERS = ["goal", "α", "epochs", "right, mean", "by seed", "minutes by seed", "met", "computed by"];

/**
 * @param {readonly import("../harness/kept-runs.mjs").Run[]} runs @param {readonly import("./task.mjs").Goal[]} goals
 * @param {import("./task.mjs").Settings} settings
 * @returns {string} Markdown
 */
export function goalsPage(runs, goals, settings) {
  const seeds = [...new Set(runs.map(({ task }) => task.seed))].sort((a, b) => a - b);
  const byKey = new Map(runs.map((run) => [keyOf(run.task), run]));
  const found = goals.map((goal) => ({
    goal,
    own: seeds.flatMap((seed) => byKey.get(keyOf(taskOf(goal, seed, settings))) ?? []),
  }));
  const rows = found.filter(({ own }) => own.length > 0).map(rowOf);
  const { examples, tests } = settings.data;
  const words = `From nothing, on ${counted(examples)} pictures of CIFAR-10, stem and block 2 at stride 1. Right of ${counted(tests)} test pictures after the last epoch, one view of each. A goal is met if the mean of the seeds is, and the minutes of each.`;
  const about = madeOn(
    found.flatMap(({ own }) => own),
    benchOf(goals, settings).nameOf,
  );
  return `${words}\n\n${table(HEADERS, rows)}\n\n${about}\n`;
}

function rowOf({ goal: { minutes, right: bar, alpha, epochs }, own }) {
  const mean = own.reduce((sum, { right }) => sum + right, 0) / own.length;
  const isMet = mean >= bar && own.every((run) => run.minutes <= minutes);
  const how = own.map(({ runtime: { simd, threads } }) => `${simd}, ${threads} thread${threads === 1 ? "" : "s"}`);
  return [
    `≥ ${percent(bar)} in ${minutes} minutes`,
    ...[alpha, epochs, percent(mean)],
    own.map(({ right }) => percent(right)).join(", "),
    own.map((run) => run.minutes.toFixed(2)).join(", "),
    isMet ? "yes" : "no",
    [...new Set(how)].join("; "),
  ];
}

function counted(value) {
  return value.toLocaleString("en-US");
}
