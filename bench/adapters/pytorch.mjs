/**
 * PyTorch, native code, eager, from the weights with batch norm folded: a Python program that gets orders over its
 * standard input. It takes the time of its runs itself, so that the way there and back is not in it.
 */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { layers } from "../models/mobilenet-v1.mjs";

const PROGRAM = fileURLToPath(new URL("pytorch.py", import.meta.url));

/** A little faster here than channels first, in each of the three networks. */
const IS_CHANNELS_LAST = true;

let child;
let lines;
let errors = "";

/** @param options `python`: one that can import torch */
export async function load(model, { threads, python }) {
  const env = { ...process.env, OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  child = spawn(python, [PROGRAM], { stdio: "pipe", env });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  // A program that is gone is told by the end of its output.
  child.stdin.on("error", () => {});
  // When this process ends so does its input, and with that the program.
  lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { folded: weights, image } = model.files;
  await ask("load", { layers: layers(model), weights, image, threads, isChannelsLast: IS_CHANNELS_LAST });
}

/** The program reads the image itself. */
export const prepare = () => undefined;

export const run = async () => (await ask("run")).logits;

/** Instead of the harness' own clock. */
export const timeRuns = async (_input, details) => (await ask("time", details)).times;

async function ask(order, details = {}) {
  child.stdin.write(`${JSON.stringify({ order, ...details })}\n`);
  const { value, done } = await lines.next();
  if (done) throw new Error(`The Python program ended: ${errors.slice(-800)}`);
  return JSON.parse(value);
}
