/**
 * What an epoch of each goal takes here, on a machine that does nothing else. Runs themselves may be made beside other
 * work and with one thread: their bits are the same for any number.
 */

import { existsSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { mobileNetV1 } from "../../dist/esm/index.js";
import { fit } from "../../dist/esm/train.js";
import { Refusal } from "../../scripts/shared/refusal.mjs";
import { writeWhole } from "../../scripts/shared/write-whole.mjs";
import { aboutRun } from "../harness/about.mjs";
import { jsonText } from "../harness/report.mjs";
import { taskOf } from "./task.mjs";

/** Updates of a short epoch, of which there are some; the first warms up. */
const UPDATES = 40;
const SHORT_EPOCHS = 6;

/**
 * @typedef {object} Time
 * @property {number} minutes of the goal @property {number} alpha @property {string} simd @property {number} threads
 * @property {number} imagesPerSecond the median of short epochs
 * @property {ReturnType<typeof aboutRun>} about
 */

/**
 * @param {import("./task.mjs").Goal} goal @param {import("./task.mjs").Settings} settings @param {number} threads
 * @param {import("../../dist/types/train/index.js").Dataset} train
 * @returns {Promise<Time>}
 */
export async function timeOf(goal, settings, threads, train) {
  const loadBefore = loadavg();
  const { network, options, simd } = taskOf(goal, 1, settings);
  const few = train.take(Math.min(UPDATES * options.batch, train.size));
  const rates = [];
  for await (const event of fit(mobileNetV1(network), few, { ...options, epochs: SHORT_EPOCHS, simd, threads })) {
    if (event.type === "epoch" && event.epoch > 1) rates.push(event.imagesPerSecond);
  }
  const imagesPerSecond = Math.round(rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)]);
  return { minutes: goal.minutes, alpha: goal.alpha, simd, threads, imagesPerSecond, about: aboutRun(loadBefore) };
}

/** Those that were taken; none where there is no file. @param {string} path @returns {Time[]} @throws {Refusal} */
export function readTimes(path) {
  if (!existsSync(path)) return [];
  const times = parsed(readFileSync(path, "utf8"));
  if (Array.isArray(times) && times.every(isTime)) return times;
  throw new Refusal(`${path} holds no times of goals. Remove it to take them anew: --time.`);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTime(time) {
  const numbers = [time?.minutes, time?.alpha, time?.threads, time?.imagesPerSecond];
  return numbers.every(Number.isFinite) && typeof time.simd === "string" && Array.isArray(time.about?.loadBefore);
}

/** What a time is of: another alpha, SIMD or number of threads is another time. @param {Time} time */
const keyOfTime = ({ minutes, alpha, simd, threads }) => JSON.stringify([minutes, alpha, simd, threads]);

/** Takes the place of one of the same. @param {string} path @param {Time} time */
export function keepTime(path, time) {
  const others = readTimes(path).filter((other) => keyOfTime(other) !== keyOfTime(time));
  writeWhole(path, jsonText([...others, time].sort((a, b) => a.minutes - b.minutes)));
}
