/**
 * Kernels of wide registers, tried before they are used: an engine that joined two operations wrongly would give wrong
 * answers, and one that joined none of a kernel's would take three times as long as without.
 */

import { exportOf } from "../../kernels/wasm/bind.ts";
import type { Lowered } from "../../kernels/wasm/lowered.ts";
import { packAll, stagingBytes } from "../../kernels/wasm/pack.ts";
import type { PairProbe } from "../../kernels/wasm/pairs.ts";
import type { KernelCall } from "../../plan/plan.ts";
import { pause, turnOff, unavailable } from "./switch.ts";
import { TIMED, type TriedCall, trialNumbers, triedCalls } from "./trials.ts";

/** How long a look at one trial takes, in ms. */
const LOOK_MS = 0.4;
/** A trial whose time fell to this share of what it first took has been compiled to the last tier. */
const FAST = 0.5;
/** How long the others may take for that together, in ms: not every one gets so much faster. */
const WARMED_MS = 80;
/** How long the timed one is waited for, in ms. It takes some 20, unless the machine is very busy. */
const PATIENCE_MS = 2000;
/** Turns in which a clock that runs comes to the end of that. */
const MOST_TURNS = 500;
/** What that must reach, of what single chains come to in the same moment: joined it is 1.7, else 0.6. */
const LEAST_RATE = 1.2;

/** A call with its place in memory. */
interface Trial {
  readonly call: TriedCall;
  readonly multAdds: number;
  run(): void;
  /** Whether it writes what must come out; what was written before does not count. */
  isRight(): boolean;
}

/**
 * Tries the kernels of a module, again and again while the engine compiles them, and looks at the speed of the product.
 *
 * @param lower what becomes of a call
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` if they compute wrongly, or are not joined
 */
export async function checkWide(
  name: string,
  module: WebAssembly.Module,
  shared: boolean,
  lower: (call: KernelCall) => Lowered,
  probe: Pick<PairProbe, "singleRate">,
): Promise<void> {
  const own = triedCalls().flatMap((call) => {
    const lowered = lower(call);
    return lowered.module === name ? [{ call, lowered }] : [];
  });
  const trials = own.length === 0 ? [] : await prepare(own, module, shared);
  await check(trials);
  await warm(trials);
  const timed = trials.find(({ call }) => call === TIMED);
  if (timed !== undefined && !(await reaches(timed, probe))) {
    throw unavailable(`V8 joins no vectors in the kernels of the module "${name}"`);
  }
  await check(trials);
}

async function check(trials: readonly Trial[]): Promise<void> {
  for (const { call, isRight } of trials) {
    if (isRight()) continue;
    turnOff();
    const advice = 'Pass simd: "auto", and please report it with the output of depthwise doctor.';
    throw unavailable(`this engine computes ${call.kernel} wrongly where it joins vectors`, advice);
  }
  await pause(0);
}

/** Runs them in turn until each is fast, or time is up. */
async function warm(trials: readonly Trial[]): Promise<void> {
  const end = performance.now() + WARMED_MS;
  let waiting: { readonly trial: Trial; readonly first: number }[] = [];
  for (const trial of trials) {
    waiting.push({ trial, first: callMs(trial) });
    await pause(0);
  }
  for (let turns = 0; turns < MOST_TURNS && waiting.length > 0 && performance.now() < end; turns++) {
    waiting = waiting.filter(({ trial, first }) => callMs(trial) > FAST * first);
    await pause(1);
  }
}

/** Whether the product is faster than 128 bits can be. */
async function reaches(trial: Trial, probe: Pick<PairProbe, "singleRate">): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  for (let turns = 0; turns < MOST_TURNS && (turns === 0 || performance.now() < end); turns++) {
    // The best of some looks: nothing makes a call too fast. Where the clock stands still, both are infinite.
    const least = Math.min(...Array.from({ length: 4 }, () => callMs(trial)));
    if ((2 * trial.multAdds) / least >= LEAST_RATE * probe.singleRate()) return true;
    await pause(5);
  }
  return false;
}

/** Milliseconds of a call, in the mean of a look. */
function callMs({ run }: Trial): number {
  const start = performance.now();
  let calls = 0;
  let spent = 0;
  // A clock that stands still ends it as well.
  for (; spent < LOOK_MS && calls < 10_000; spent = performance.now() - start) {
    for (let i = 0; i < 8; i++) run();
    calls += 8;
  }
  return spent / calls;
}

/** Lays calls out in one memory: numbers, words, and each kernel with its bias. */
async function prepare(
  tried: readonly { readonly call: TriedCall; readonly lowered: Lowered }[],
  module: WebAssembly.Module,
  shared: boolean,
): Promise<readonly Trial[]> {
  let bytes = 0;
  const take = (size: number): number => {
    const at = bytes;
    bytes += Math.ceil(size / 128) * 128;
    return at;
  };
  const numbersOfEach: ReturnType<typeof trialNumbers>[] = [];
  for (const { call } of tried) {
    numbersOfEach.push(trialNumbers(call));
    await pause(0);
  }
  const placed = tried.map(({ call, lowered }, index) => {
    const numbers = numbersOfEach[index] as ReturnType<typeof trialNumbers>;
    const [block, zeros, weights] = [
      take(lowered.blockBytes),
      take(lowered.zeroBytes),
      take(4 * lowered.weights.floats),
    ];
    const [input, output] = [take(numbers.x.byteLength), take(numbers.output.byteLength)];
    const [scratch, staging] = [take(lowered.scratchBytes), take(stagingBytes(lowered.weights))];
    return { call, lowered, numbers, block, input, scratch, staging, at: { inputs: [input], output, weights, zeros } };
  });
  const pages = Math.ceil(bytes / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const floats = new Float32Array(memory.buffer);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return placed.map(({ call, lowered, numbers, block, input, scratch, staging, at }) => {
    const instances = { [lowered.module]: exports };
    const packer = {
      memory: floats,
      staging,
      get pack() {
        return exportOf(instances, "product", "pack");
      },
    };
    floats.set(numbers.x, input / 4);
    packAll(lowered.weights, packer, at.weights, numbers);
    lowered.write(new DataView(memory.buffer), block, at);
    const kernel = exportOf(instances, lowered.module, lowered.entry);
    const run = () => kernel(block, 0, lowered.units, 1, scratch);
    const computed = floats.subarray(at.output / 4, at.output / 4 + numbers.output.length);
    return {
      call,
      multAdds: numbers.multAdds,
      run,
      isRight() {
        computed.fill(Number.NaN);
        run();
        return numbers.output.every((number, i) => number === computed[i]);
      },
    };
  });
}
