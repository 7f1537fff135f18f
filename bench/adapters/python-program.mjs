/**
 * A Python program that gets orders over its standard input and answers each with a line of JSON. It takes the time of
 * its runs itself, so that the way there and back is not in it.
 */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Starts `file` of this folder; returns `ask(order, details)`. */
export function startPython(python, file, threads) {
  const env = { ...process.env, OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(python, ["-B", program], { stdio: "pipe", env });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  // A program that is gone is told by the end of its output.
  child.stdin.on("error", () => {});
  // When this process ends so does its input, and with that the program.
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (order, details = {}) => {
    child.stdin.write(`${JSON.stringify({ order, ...details })}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`The Python program ended: ${errors.slice(-800)}`);
    return JSON.parse(value);
  };
}
