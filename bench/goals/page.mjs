/** The page of `goals.mjs`. */

import { percent } from "../../scripts/shared/percent.mjs";
import { factsLine } from "../harness/about.mjs";
import { madeOn } from "../harness/kept-page.mjs";
import { keyOf } from "../harness/kept-runs.mjs";
import { table } from "../harness/report.mjs";
import { benchOf, taskOf } from "./task.mjs";

const HEADERS = ["goal", "α", "epochs", "right, mean", "by seed", "images a second", "minutes", "met"];

/**
 * @param {readonly import("../harness/kept-runs.mjs").Run[]} runs @param {readonly import("./times.mjs").Time[]} times
 * @param {readonly import("./task.mjs").Goal[]} goals
 * @param {import("./task.mjs").Settings} settings
 * @returns {string} Markdown
 */
export function goalsPage(runs, times, goals, settings) {
  const seeds = [...new Set(runs.map(({ task }) => task.seed))].sort((a, b) => a - b);
  const byKey = new Map(runs.map((run) => [keyOf(run.task), run]));
  const found = goals.map((goal) => ({
    goal,
    own: seeds.flatMap((seed) => byKey.get(keyOf(taskOf(goal, seed, settings))) ?? []),
  }));
  const { examples, tests } = settings.data;
  // Bits are the same for any number of threads: the goal is met if the fastest time meets it.
  const timeOf = ({ minutes, alpha }) =>
    times
      .filter((time) => time.minutes === minutes && time.alpha === alpha && time.simd === settings.simd)
      .sort((a, b) => b.imagesPerSecond - a.imagesPerSecond)[0];
  const made = found.filter(({ own }) => own.length > 0);
  const rows = made.map(({ goal, own }) => rowOf(goal, own, timeOf(goal), examples));
  const words = `From nothing, on ${counted(examples)} pictures of CIFAR-10, stem and block 2 at stride 1. Right of ${counted(tests)} test pictures after the last epoch, one view of each. Images a second are those of training alone on the machine, and minutes follow from them; a goal is met if the mean of the seeds is, and the minutes.`;
  const about = madeOn(
    found.flatMap(({ own }) => own),
    benchOf(goals, settings).nameOf,
  );
  const taken = made.flatMap(({ goal }) => {
    const time = timeOf(goal);
    return time === undefined ? [] : [`- ${time.minutes} minutes: ${factsLine(time.about)}`];
  });
  const timed = taken.length === 0 ? "" : `\n\nTimed on:\n\n${taken.join("\n")}`;
  return `${words}\n\n${table(HEADERS, rows)}\n\n${about}${timed}\n`;
}

/** @param {import("./times.mjs").Time | undefined} time */
function rowOf({ minutes, right: bar, alpha, epochs }, own, time, examples) {
  const mean = own.reduce((sum, { right }) => sum + right, 0) / own.length;
  const took = time === undefined ? Number.NaN : (epochs * examples) / time.imagesPerSecond / 60;
  const threads = time === undefined ? "" : ` (${time.simd}, ${time.threads} thread${time.threads === 1 ? "" : "s"})`;
  return [
    `≥ ${percent(bar)} in ${minutes} minutes`,
    ...[alpha, epochs, percent(mean)],
    own.map(({ right }) => percent(right)).join(", "),
    time === undefined ? "not taken yet" : `${time.imagesPerSecond}${threads}`,
    time === undefined ? "" : took.toFixed(1),
    metOf(mean >= bar, time === undefined ? undefined : took <= minutes),
  ];
}

/** Of an accuracy that is too low no time is asked. @param {boolean | undefined} isInTime undefined: nobody knows */
function metOf(isRight, isInTime) {
  if (!isRight || isInTime === false) return "no";
  return isInTime === undefined ? "not known" : "yes";
}

function counted(value) {
  return value.toLocaleString("en-US");
}
