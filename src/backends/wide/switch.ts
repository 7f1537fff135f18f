/** The switch of V8 by which it joins pairs of equal operations: turned on, and found to work. It is the process's. */

import { DepthwiseError } from "../../core/errors.ts";
import { type PairProbe, pairProbe } from "../../kernels/wasm/pairs.ts";

const SWITCH = "experimental-wasm-revectorize";
/** V8 has the switch before that too, and joins nothing of ours. */
const LEAST_V8 = 13;
/**
 * How long V8 is given to compile the chains to its last tier, in ms; that takes 3 to 10 where a core is free. Where the
 * library could turn the switch, only a busy machine, an old processor or bounds that are checked in code stand in the way.
 */
const PATIENCE_MS = { turned: 2000, found: 300 } as const;
/** How long a refusal holds, in ms: to see it anew takes its time, and the machine may only have been busy. */
const HELD_MS = 60_000;

/** Compiles that are at it, and whether one ever came through: then the switch stays on. */
let working = 0;
let isUsed = false;

let looking: { readonly since: number; readonly probe: Promise<PairProbe> } | undefined;

/**
 * Does what needs the switch on, and turns it on for that, unless it is. It stays on if that came through; otherwise it
 * is turned off again, but where it was given by hand or something here uses it. What other threads of the process do
 * with it cannot be known from here.
 *
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` where nothing is joined; what `work` throws
 */
export async function withSwitch<Result>(work: (probe: PairProbe) => Promise<Result>): Promise<Result> {
  // Each time: somebody else may have turned it off.
  const isTurned = turn(`--${SWITCH}`);
  working++;
  try {
    const result = await work(await joined(isTurned));
    isUsed = true;
    return result;
  } finally {
    working--;
    if (isTurned && working === 0 && !isUsed && !isGiven()) turn(`--no-${SWITCH}`);
  }
}

/** What was measured. A refusal holds for a minute. */
function joined(isTurned: boolean): Promise<PairProbe> {
  if (looking === undefined || performance.now() - looking.since > HELD_MS) {
    const look = { since: performance.now(), probe: lookUntilJoined(isTurned) };
    look.probe.then(
      () => {
        looking = { ...look, since: Number.POSITIVE_INFINITY };
      },
      (error) => {
        // Memory ran out, say: that is no answer.
        if (!(error instanceof DepthwiseError)) looking = undefined;
      },
    );
    looking = look;
  }
  return looking.probe;
}

async function lookUntilJoined(isTurned: boolean): Promise<PairProbe> {
  const probe = pairProbe();
  const end = performance.now() + PATIENCE_MS[isTurned ? "turned" : "found"];
  let rest = 1;
  // By turns as well: a clock may stand still.
  for (let turns = 0; turns < 500; turns++) {
    for (let looks = 0; looks < 5; looks++) if (probe.look()) return probe;
    if (performance.now() > end) break;
    await pause(rest);
    rest = Math.min(2 * rest, 50);
  }
  throw unavailable(
    isTurned ? "V8 joins no vectors of 128 bits in this process" : "this engine joins no vectors of 128 bits",
    'Pass simd: "auto". Node 24 and later join them, on x64 processors with AVX2, where bounds of memory are not checked ' +
      `in code; other places only if they were started with --${SWITCH}, if then.`,
  );
}

/** @param advice what one can do now */
export function unavailable(why: string, advice = 'Pass simd: "auto".'): DepthwiseError {
  return new DepthwiseError("BACKEND_UNAVAILABLE", { what: `compile: simd "wide" cannot run here: ${why}`, advice });
}

/** The event loop's turn, then a sleep: the compiler wants a core too. No timers, which tests like to stop. */
export async function pause(milliseconds: number): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(0);
  });
  port1.close();
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(milliseconds, 5));
  } catch {
    // A page's main thread may not sleep, and there may be no shared memory.
  }
}

/** Whether this process, or this worker, was started with the switch. */
function isGiven(): boolean {
  // Among them may be a whole program, behind -e.
  return (globalThis.process?.execArgv ?? []).some((argument) => argument.replaceAll("_", "-") === `--${SWITCH}`);
}

/** Turns a switch of V8, where a program may: in Node. Whether it did. */
function turn(flag: string): boolean {
  const { bun, deno, node, nw, v8 = "" } = (globalThis.process?.versions ?? {}) as Readonly<Record<string, string>>;
  if (node === undefined || bun !== undefined || deno !== undefined || nw !== undefined) return false;
  if (Number.parseInt(v8, 10) < LEAST_V8 || process.arch !== "x64") return false;
  try {
    process.getBuiltinModule("node:v8").setFlagsFromString(flag);
    return true;
  } catch {
    // Places that call themselves Node, and are not.
    return false;
  }
}
