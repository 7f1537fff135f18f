/**
 * No library: the most that WebAssembly SIMD can do here. Multiply-adds over registers alone, no memory touched, as
 * many chains at once as hide the latency. `simd`: `relaxed` is `f32x4.relaxed_madd`, `plain` is `mul` then `add`.
 *
 * With two threads a worker runs the same loop at the same time, and a run ends when both have.
 */

import { Worker } from "node:worker_threads";
import { runLoop } from "./limit-worker.mjs";

/** Too few chains wait for each other, too many spill; which is best differs by engine and machine. */
const CHAINS = [8, 10, 12, 13];
const UNROLL = 4;
/** Some 10 to 20 ms a run, so that starting a worker is lost in it. */
const FLOPS_PER_THREAD = 8e8;
const TRIAL_MS = 200;

let best;
let worker;
/** [orders given, orders done] */
const counters = new Int32Array(new SharedArrayBuffer(8));

export async function load(_model, { threads, simd }) {
  const candidates = await Promise.all(CHAINS.map((chains) => compileLoop(chains, simd)));
  for (const candidate of candidates) candidate.ms = fastestMs(candidate);
  best = candidates.reduce((a, b) => (b.ms < a.ms ? b : a));
  best.threads = threads;
  if (threads === 1) return;
  const { module, iterations } = best;
  worker = new Worker(new URL("limit-worker.mjs", import.meta.url), { workerData: { module, iterations, counters } });
  worker.unref();
}

export const prepare = () => undefined;

export function run() {
  if (worker === undefined) {
    runLoop(best.instance, best.iterations);
    return;
  }
  const order = Atomics.add(counters, 0, 1) + 1;
  Atomics.notify(counters, 0);
  runLoop(best.instance, best.iterations);
  while (Atomics.load(counters, 1) < order);
}

export const flopsPerRun = () => best.iterations * best.flopsPerIteration * best.threads;

async function compileLoop(chains, simd) {
  const { default: loadWabt } = await import("wabt");
  const wabt = await loadWabt();
  const text = loopText(chains, simd);
  const parsed = wabt.parseWat("limit.wat", text, { simd: true, relaxed_simd: true });
  const module = await WebAssembly.compile(parsed.toBinary({}).buffer);
  // Four lanes, a multiplication and an addition each.
  const flopsPerIteration = chains * UNROLL * 4 * 2;
  const iterations = Math.round(FLOPS_PER_THREAD / flopsPerIteration);
  return { module, instance: await WebAssembly.instantiate(module), flopsPerIteration, iterations };
}

/** Every chain is `x = x · c + d`: each step needs the one before, so nothing can be left out or moved. */
function loopText(chains, simd) {
  const names = Array.from({ length: chains }, (_, index) => `$x${index}`);
  const step = (x) =>
    simd === "relaxed"
      ? `(local.set ${x} (f32x4.relaxed_madd (local.get ${x}) (local.get $c) (local.get $d)))`
      : `(local.set ${x} (f32x4.add (f32x4.mul (local.get ${x}) (local.get $c)) (local.get $d)))`;
  const steps = Array.from({ length: UNROLL }, () => names.map(step)).flat();
  const sum = names.map((x) => `(local.get ${x})`).reduce((a, b) => `(f32x4.add ${a} ${b})`);
  return `(module
    (func (export "run") (param $n i32) (param $factor f32) (param $term f32) (result f32)
      (local $c v128) (local $d v128) ${names.map((x) => `(local ${x} v128)`).join(" ")}
      (local.set $c (f32x4.splat (local.get $factor)))
      (local.set $d (f32x4.splat (local.get $term)))
      ${names.map((x, index) => `(local.set ${x} (f32x4.splat (f32.const ${index + 1})))`).join("\n")}
      (loop $more
        ${steps.join("\n")}
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (f32x4.extract_lane 0 ${sum})))`;
}

/** Short calls first: engines change over to optimised code only between two calls of a function. */
function fastestMs({ instance, iterations }) {
  const start = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  while (performance.now() - start < TRIAL_MS / 2) runLoop(instance, 2000);
  while (performance.now() - start < TRIAL_MS) {
    const before = performance.now();
    runLoop(instance, Math.round(iterations / 10));
    fastest = Math.min(fastest, performance.now() - before);
  }
  return fastest * 10;
}
