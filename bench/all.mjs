/**
 * Everything: each question under each Node, then one table of promises and figures a Node.
 *
 *     node all.mjs [--quick] [--node 20 --node 24 --node /path/to/node] [--skip race,settle] [--backend reference]
 *
 * `--node` takes a path or a major version, which is fetched from the npm registry unless it is the one that runs
 * this. Without it, this one alone.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { resultsFolder } from "./harness/report.mjs";
import { writeSummary } from "./summary.mjs";

/** Quiet questions first: the race heats the machine up. */
const QUESTIONS = [
  ...["size", "limit", "memory", "cold-start", "settle", "pointwise", "race", "wide", "plain-backend"],
  ...["train", "train-browser"],
];
/** What is promised for this Node and later ones alone. */
const SINCE = { train: 24, "train-browser": 24 };

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", multiple: true },
    skip: { type: "string", default: "" },
    backend: { type: "string" },
  },
});
const skipped = values.skip.split(",");
const passedOn = [...(values.quick ? ["--quick"] : []), ...(values.backend ? ["--backend", values.backend] : [])];
let failed = 0;
let open = 0;
for (const node of (values.node ?? [process.execPath]).map(resolveNode)) {
  const major = Number(execFileSync(node, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" }));
  for (const question of QUESTIONS.filter((name) => !skipped.includes(name) && major >= (SINCE[name] ?? 0))) {
    // A question that fails must not be answered by an older run.
    rmSync(new URL(`${question}-node${major}.json`, resultsFolder(values.quick)), { force: true });
    const script = fileURLToPath(new URL(`${question}.mjs`, import.meta.url));
    // One failed question must not cost the others; its rows then say "not measured".
    const { status } = spawnSync(node, [script, ...passedOn], { stdio: "inherit" });
    if (status === 0) continue;
    failed++;
    process.stderr.write(`${question} failed under Node ${major} (status ${status}).\n`);
  }
  const summary = writeSummary(major, values.quick);
  open += summary.open;
  process.stdout.write(`\n${summary.markdown}`);
}
process.stdout.write(`${failed} questions failed; ${open} rows missed or not measured.\n`);
process.exitCode = failed === 0 ? 0 : 1;

function resolveNode(wanted) {
  if (!/^\d+$/.test(wanted)) return wanted;
  if (process.versions.node.startsWith(`${wanted}.`)) return process.execPath;
  return execFileSync("npx", ["-y", `node@${wanted}`, "-p", "process.execPath"], { encoding: "utf8" }).trim();
}
