/** Whether what a file says is how far a run can have come: it may be damaged, or made to do harm. */

import { isNatural, isObject, type JsonObject } from "../../core/json.ts";
import type { EpochRecord } from "./events.ts";
import type { EpochSums, Position } from "./position.ts";

/** What numbers can be. */
type Check = (value: unknown) => boolean;

const isNumber: Check = (value) => Number.isFinite(value);
const isLength: Check = (value) => Number.isFinite(value) && Number(value) >= 0;
const isShare: Check = (value) => isLength(value) && Number(value) <= 1;
const isBoolean: Check = (value) => typeof value === "boolean";

type Checks<Checked> = { readonly [Name in keyof Checked]-?: Check };

const SUMS: Checks<EpochSums> = {
  steps: isNatural,
  examples: isNatural,
  skipped: isNatural,
  loss: isNumber,
  correct: isNatural,
  gradientNorm: isLength,
  learningRate: isNumber,
  milliseconds: isLength,
  waited: isLength,
};

const VALIDATION: Checks<NonNullable<EpochRecord["validation"]>> = {
  loss: isNumber,
  accuracy: isShare,
  top5: isShare,
  examples: isNatural,
};

const TIME: Checks<EpochRecord["time"]> = { seconds: isLength, imagesPerSecond: isLength, waitedForData: isShare };

const RECORD: Checks<EpochRecord> = {
  epoch: isNatural,
  loss: isNumber,
  accuracy: isShare,
  learningRate: isNumber,
  gradientNorm: isLength,
  examples: isNatural,
  skipped: isNatural,
  validation: (value) => value === undefined || has(value, VALIDATION),
  isBest: isBoolean,
  time: (value) => has(value, TIME),
};

/** Epochs are counted on without a gap, and an update takes an example. */
export function isPosition(value: unknown): value is Position & JsonObject {
  if (!isObject(value)) return false;
  const { epoch, example, updates, sums, history } = value;
  if (!isNatural(epoch) || !isNatural(example) || !isNatural(updates)) return false;
  if (!has<EpochSums>(sums, SUMS) || !Array.isArray(history) || history.length !== epoch) return false;
  if (sums.correct > sums.examples || sums.steps > updates || sums.examples + sums.skipped > example) return false;
  let trained = sums.examples;
  for (const [index, record] of (history as unknown[]).entries()) {
    if (!has<EpochRecord>(record, RECORD) || record.epoch !== index + 1) return false;
    trained += record.examples;
  }
  return updates <= trained;
}

function has<Checked>(value: unknown, checks: Checks<Checked>): value is Checked & JsonObject {
  if (!isObject(value)) return false;
  return Object.entries<Check>(checks).every(([name, check]) => check(value[name]));
}
