/**
 * Attacks every reader: each form in which the tests can write a network is damaged in six ways, as often as asked, and
 * loaded in a process of its own. Prints the slowest file and the highest peak of memory of each reader; a hang, a
 * crash and an error without a type are faults, and the exit code is 1.
 *
 *     npm run attack -- [--seed 1] [--files 300] [--only TFLite] [--keep FOLDER]
 */

import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { FORMS } from "../writers/forms.ts";
import { LIMITS, type Told } from "./child-report.ts";
import { DAMAGE_NAMES } from "./mutate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    files: { type: "string", default: "300" },
    only: { type: "string", default: "" },
    keep: { type: "string", default: "" },
  },
});
const [seed, files] = [Number(values.seed), Number(values.files)];
const HANG_MS = 60_000;

/** Goes on behind a file that hung or ended the process. */
async function attack(form: number): Promise<{ readonly told: Told[]; readonly faults: string[] }> {
  const told: Told[] = [];
  const faults: string[] = [];
  let next = 0;
  while (next < files) {
    const child = fork(new URL("child.ts", import.meta.url), [form, seed, files, next, values.keep].map(String), {
      execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
    });
    let current = -1;
    let timer: NodeJS.Timeout | undefined;
    child.on("message", (message: Told | { readonly begins: number }) => {
      clearTimeout(timer);
      if ("begins" in message) {
        current = message.begins;
        timer = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
        return;
      }
      told.push(message);
      next = message.index + 1;
      if (message.isFault) faults.push(`${message.damage} ${message.index}: ${message.outcome} ${message.kept ?? ""}`);
    });
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("exit", (...how) => resolve(how)),
    );
    clearTimeout(timer);
    if (code === 0) break;
    faults.push(`file ${current}: the process ended with ${signal ?? code}`);
    next = Math.max(next, current) + 1;
  }
  return { told, faults };
}

const rows: string[][] = [];
let isBad = false;
const formats = new Map<string, { told: Told[]; faults: string[] }>();
for (const [index, { name, format }] of FORMS.entries()) {
  if (!name.includes(values.only)) continue;
  const { told, faults } = await attack(index);
  const all = formats.get(format) ?? { told: [], faults: [] };
  all.told.push(...told);
  all.faults.push(...faults.map((fault) => `${name}: ${fault}`));
  formats.set(format, all);
  process.stderr.write(`${name}: ${told.length} files, ${faults.length} faults\n`);
}
for (const [format, { told, faults }] of formats) {
  const loaded = told.filter(({ outcome }) => outcome === "loaded").length;
  const slowest = told.reduce((a, b) => (a.milliseconds > b.milliseconds ? a : b));
  const largest = told.reduce((a, b) => (a.peakBytes > b.peakBytes ? a : b));
  const over = told.filter((one) => one.milliseconds > LIMITS.milliseconds || one.peakBytes > LIMITS.peak(one.bytes));
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  rows.push([
    format,
    String(told.length),
    String(loaded),
    String(faults.length),
    `${slowest.milliseconds.toFixed(0)} (${slowest.damage}, ${mb(slowest.bytes)} MB)`,
    `${mb(largest.peakBytes)} (${largest.damage}, ${mb(largest.bytes)} MB)`,
    String(over.length),
  ]);
  for (const fault of faults) console.error(fault);
  for (const one of over) console.error("over the limits:", one);
  isBad ||= faults.length > 0 || over.length > 0;
}
console.log(`Seed ${seed}; ${files} files a form, ${DAMAGE_NAMES.length} kinds of damage. Node ${process.version}.\n`);
console.log("| reader | files | loaded | faults | slowest, ms | highest peak, MB | over the limits |");
console.log("|---|---:|---:|---:|---:|---:|---:|");
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
process.exitCode = isBad ? 1 : 0;
