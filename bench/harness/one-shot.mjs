/**
 * One contender in a fresh process that ends by itself: for what can be asked only once, the first prediction, the
 * peak of memory, the first hundred runs.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("one-shot-program.mjs", import.meta.url));

/**
 * @param contender undefined for bare Node, which loads nothing and runs nothing
 * @returns `firstMs` from before the process was started to the first prediction in hand; `times` of all runs, ms;
 *          `peakBytes` resident; `arenaBytes` if the contender says
 */
export function runOnce(model, contender, runs = 1) {
  const start = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...(contender?.switches ?? []), PROGRAM, JSON.stringify({ contender, model, runs })],
    { encoding: "utf8", maxBuffer: 1e8 },
  );
  const line = stdout.split("\n").find((text) => text.startsWith("{"));
  if (status !== 0 || line === undefined) {
    throw new Error(`${contender?.key ?? "bare Node"} ended with ${status}: ${stderr.slice(-800)}`);
  }
  const { firstAt, ...rest } = JSON.parse(line);
  return { firstMs: Number(BigInt(firstAt) - start) / 1e6, ...rest };
}
