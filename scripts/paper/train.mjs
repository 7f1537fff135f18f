/**
 * `npm run train:paper`: the paper's networks trained on CIFAR-10, run after run; killed at any time it goes on.
 *
 *     npm run build && npm run data:cifar10, then
 *     npm run train:paper -- --list                     what is done and what is missing
 *     npm run train:paper -- --minutes 60               trains for an hour
 *     npm run train:paper -- --only 0.5-32 --seeds 1,2  these runs alone
 *     npm run train:paper -- --report                   docs/paper-again.* and src/cost/measured.ts, of what is done
 *
 * `--simd wide` wants Node 24. Several processes may work side by side. Exit code 0 also where time was over, 130 after
 * SIGINT and SIGTERM; both keep a checkpoint. For trials: `--epochs`, `--examples`, and `--into` a folder of their own.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Refusal } from "../shared/refusal.mjs";
import { isTold } from "../shared/told.mjs";
import { EPOCHS, EXAMPLES } from "./cells.mjs";

const USAGE =
  "Usage: npm run train:paper -- [--list | --report] [--only CELL,…] [--seeds N,…] [--minutes N] [--simd auto] [--threads N] " +
  "[--data data/cifar10] [--into .] [--epochs N] [--examples N]";

const BUILT = ["train.js", "index.js", "images.js", "cost.js"];

class UsageError extends Refusal {}

await main();

async function main() {
  try {
    const flags = flagsOf(process.argv.slice(2));
    const dist = new URL("../../dist/esm/", import.meta.url);
    if (!BUILT.every((file) => existsSync(new URL(file, dist)))) {
      throw new Refusal("The library is not built: npm run build comes first.");
    }
    const { list, report, train } = await import("./work.mjs");
    if (flags.list) list(flags);
    else if (flags.report) report(flags);
    else await train(flags);
  } catch (cause) {
    if (!(await isTold(cause))) throw cause;
    console.error(cause.message);
    process.exitCode = cause instanceof UsageError ? 2 : 1;
  }
}

function flagsOf(args) {
  let values;
  try {
    const text = { type: "string" };
    const yes = { type: "boolean", default: false };
    const options = {
      ...{ list: yes, report: yes, only: text, seeds: text, minutes: text, threads: text, data: text },
      ...{ simd: { ...text, default: "auto" }, into: { ...text, default: "." } },
      ...{ epochs: { ...text, default: `${EPOCHS}` }, examples: { ...text, default: `${EXAMPLES}` } },
    };
    values = parseArgs({ args, options }).values;
  } catch (cause) {
    throw new UsageError(`${cause.message}\n${USAGE}`);
  }
  const { list, report, only, seeds, minutes, threads, simd, into } = values;
  if (list && report) throw new UsageError(`--list or --report, not both\n${USAGE}`);
  const some = ["only", "seeds"].find((flag) => values[flag] !== undefined);
  if (report && some !== undefined) throw new UsageError(`--${some}: --report is of all that is done\n${USAGE}`);
  return {
    list,
    report,
    into,
    simd,
    data: values.data ?? join(into, "data/cifar10"),
    plan: { epochs: numberOf("epochs", values.epochs, 1), examples: numberOf("examples", values.examples, 1) },
    wanted: {
      ...(only === undefined ? {} : { only: [...new Set(only.split(","))] }),
      ...(seeds === undefined
        ? {}
        : { seeds: [...new Set(seeds.split(",").map((seed) => numberOf("seeds", seed, 0)))] }),
    },
    ...(threads === undefined ? {} : { threads: numberOf("threads", threads, 1) }),
    ...(minutes === undefined ? {} : { minutes: minutesOf(minutes) }),
  };
}

function numberOf(flag, text, least) {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${flag}: expected a whole number of at least ${least}, found "${text}"\n${USAGE}`);
}

function minutesOf(text) {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 10_000) return value;
  throw new UsageError(`--minutes: expected a number above 0, found "${text}"\n${USAGE}`);
}
