/** The process behind `runOnce`: imports nothing that its contender would not. Prints one line of JSON. */

import { readFileSync } from "node:fs";

const { contender, model, runs } = JSON.parse(process.argv[2]);
const print = console.log;
for (const method of ["log", "info", "warn"]) console[method] = () => {};

let firstAt = process.hrtime.bigint();
const times = [];
let adapter;
if (contender !== undefined) {
  const { readImage } = await import("../adapters/image.mjs");
  adapter = await import(`../adapters/${contender.adapter}.mjs`);
  await adapter.load(model, { threads: contender.threads, ...contender.options });
  const input = await adapter.prepare(readImage(model));
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await adapter.run(input);
    times.push(performance.now() - start);
    // The clock of hrtime is one for all processes.
    if (run === 0) firstAt = process.hrtime.bigint();
  }
}
print(JSON.stringify({ firstAt: String(firstAt), times, peakBytes: peakBytes(), arenaBytes: adapter?.arenaBytes?.() }));
// Some libraries keep the process alive.
process.exit();

/**
 * Linux's own high-water mark: `maxRSS` of `resourceUsage` begins at what the parent had, because the system hands it
 * on when a process is replaced by another program.
 */
function peakBytes() {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(kibibytes) * 1024;
}
