/**
 * No library: the most that WebAssembly SIMD can do here. Multiply-adds over registers alone, no memory touched, as
 * many chains at once as hide the latency. `simd`: `relaxed` is `f32x4.relaxed_madd`, `plain` is `mul` then `add`,
 * `wide` is `relaxed` on two vectors a chain, which V8 joins to one of 256 bits when its switch is on.
 *
 * With two threads a worker runs the same loop at the same time, and a run ends when both have.
 */

import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { WIDE_SWITCH } from "../harness/features.mjs";
import { runLoop } from "./limit-worker.mjs";

/** Too few chains wait for each other, too many spill; which is best differs by engine and machine. */
const CHAINS = [8, 10, 12, 13];
const UNROLL = 4;
/** Some 10 to 20 ms a run, so that starting a worker is lost in it. */
const FLOPS_PER_THREAD = 8e8;
const TRIAL_MS = 200;
/** Operations a millisecond of wide chains over relaxed ones: 2 where they are joined, 1 where not. */
const LEAST_GAIN = 1.5;

let best;
let worker;
/** [orders given, orders done] */
const counters = new Int32Array(new SharedArrayBuffer(8));

export async function load(_model, { threads, simd }) {
  best = { ...(await fastestOf(simd)), threads };
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

/** The fastest number of chains. Wide ones must be faster than 128 bits can be, or they measure something else. */
async function fastestOf(simd) {
  const kinds = simd === "wide" ? ["relaxed", "wide"] : [simd];
  const wabt = await (await import("wabt")).default();
  const binaries = kinds.map((kind) => CHAINS.map((chains) => ({ chains, ...loopBinary(wabt, chains, kind) })));
  // Only now: wabt is WebAssembly too, and is done.
  if (simd === "wide") setFlagsFromString(WIDE_SWITCH);
  const found = [];
  for (const loops of binaries) {
    const candidates = await Promise.all(loops.map(compileLoop));
    for (const candidate of candidates) candidate.ms = fastestMs(candidate);
    found.push(candidates.reduce((a, b) => (b.ms < a.ms ? b : a)));
  }
  // All make as many operations.
  if (simd === "wide" && found[0].ms < LEAST_GAIN * found[1].ms) {
    throw new Error(`V8 joins no vectors: wide chains take ${found[1].ms} ms, relaxed ones ${found[0].ms} ms.`);
  }
  return found.at(-1);
}

function loopBinary(wabt, chains, simd) {
  const vectors = simd === "wide" ? 2 : 1;
  const parsed = wabt.parseWat("limit.wat", loopText(chains, vectors, simd), { simd: true, relaxed_simd: true });
  // Four lanes, a multiplication and an addition each.
  return { binary: parsed.toBinary({}).buffer, flopsPerIteration: chains * vectors * UNROLL * 4 * 2 };
}

async function compileLoop({ chains, binary, flopsPerIteration }) {
  const module = await WebAssembly.compile(binary);
  const iterations = Math.round(FLOPS_PER_THREAD / flopsPerIteration);
  return { chains, module, instance: await WebAssembly.instantiate(module), flopsPerIteration, iterations };
}

/**
 * Every chain is `x = x · c + d`: each step needs the one before, so nothing can be left out or moved.
 *
 * V8 joins what leads to two stores beside each other, the second of them first, and so the vectors of a chain. Chains
 * are 32 bytes apart, so that it joins no two of them.
 */
function loopText(chains, vectors, simd) {
  const places = Array.from({ length: chains * vectors }, (_, index) => ({
    x: `$x${index}`,
    offset: 32 * Math.floor(index / vectors) + 16 * (index % vectors),
  }));
  const names = places.map(({ x }) => x);
  const step = (x) =>
    simd !== "plain"
      ? `(local.set ${x} (f32x4.relaxed_madd (local.get ${x}) (local.get $c) (local.get $d)))`
      : `(local.set ${x} (f32x4.add (f32x4.mul (local.get ${x}) (local.get $c)) (local.get $d)))`;
  const steps = Array.from({ length: UNROLL }, () => names.map(step)).flat();
  const ends = [...places].reverse();
  return `(module
    (memory 1)
    (func (export "run") (param $n i32) (param $factor f32) (param $term f32)
      (local $c v128) (local $d v128) ${names.map((x) => `(local ${x} v128)`).join(" ")}
      (local.set $c (f32x4.splat (local.get $factor)))
      (local.set $d (f32x4.splat (local.get $term)))
      ${places.map(({ x, offset }) => `(local.set ${x} (v128.load offset=${offset} (i32.const 0)))`).join("\n")}
      (loop $more
        ${steps.join("\n")}
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      ${ends.map(({ x, offset }) => `(v128.store offset=${offset} (i32.const 0) (local.get ${x}))`).join("\n")}))`;
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
