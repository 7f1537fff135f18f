/** What `npm run train:paper` does: list, report, train. */

import { percent } from "../shared/percent.mjs";
import { Refusal } from "../shared/refusal.mjs";
import { stopping } from "../shared/stopping.mjs";
import { readData } from "./data.mjs";
import { readResult } from "./results.mjs";
import { listOfRuns, placesIn, runsOf } from "./runs.mjs";
import { trainRun } from "./train-run.mjs";
import { writeReport } from "./write-report.mjs";

const say = (line) => console.log(line);

/** Says what is done and what is missing. */
export function list({ into, plan, wanted }) {
  const { results } = placesIn(into);
  const runs = runsOf(plan, wanted);
  for (const run of runs) {
    const result = readResult(results, run);
    const done = result === undefined ? "missing" : `${percent(result.test.accuracy)}  ${result.minutes} minutes`;
    say(`${run.name.padEnd(26)}${done}`);
  }
  say(leftLine(results, runs));
}

/** Writes the report of what is done. */
export function report({ into, plan }) {
  for (const path of writeReport(placesIn(into), plan)) say(path);
}

/** Trains what is missing, until all is done or the time is over. */
export async function train({ into, plan, wanted, data, simd, threads, minutes }) {
  const places = placesIn(into);
  const runs = runsOf(plan, wanted);
  if (missingOf(places.results, runs).length === 0) return say(leftLine(places.results, runs));
  const how = { places, data: await readData(data, plan.examples), simd, threads, say };
  const stop = stopping((name) => Object.assign(new Error(`Stopped by ${name}.`), { exitCode: 130 }));
  const over = () => stop.abort(new Error("The time is over."));
  const timer = minutes === undefined ? undefined : setTimeout(over, 60_000 * minutes);
  const elsewhere = [];
  try {
    for (const run of runs) {
      stop.signal.throwIfAborted();
      if (readResult(places.results, run) !== undefined) continue;
      const end = await trainRun(run, { ...how, signal: stop.signal }).catch((error) => failed(run, error));
      if (end === "elsewhere") elsewhere.push(run.expected);
    }
    if (elsewhere.length > 0) say(`In work elsewhere: ${listOfRuns(elsewhere)}.`);
  } catch (error) {
    if (!stop.signal.aborted || error !== stop.signal.reason) throw error;
    say(error.message);
    if (error.exitCode !== undefined) process.exitCode = error.exitCode;
  } finally {
    stop.forget();
    clearTimeout(timer);
  }
  say(leftLine(places.results, runs));
}

/** Of one run alone: the others go on. */
const OF_ONE_RUN = ["VALUES_NOT_FINITE"];

/** Says why a run failed; what would stop the others too is thrown again. */
function failed({ name }, error) {
  if (!(error instanceof Refusal || OF_ONE_RUN.includes(error?.code))) throw error;
  console.error(`${name}: ${error.message}`);
  process.exitCode = 1;
  return "failed";
}

/** Runs without a result. @throws {Refusal} for results that are damaged, or of another run */
function missingOf(results, runs) {
  return runs.filter((run) => readResult(results, run) === undefined);
}

function leftLine(results, runs) {
  const left = missingOf(results, runs);
  const done = `${runs.length - left.length} of ${runs.length} runs are done`;
  if (left.length === 0) return `${done}. npm run train:paper -- --report writes what came out.`;
  return `${done}; left: ${listOfRuns(left.map(({ expected }) => expected))}.`;
}
