/** The switch of V8 by which it joins pairs of equal operations: turned on, and found to work. */

import { breathe } from "../../core/breath.ts";
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
/** Turns in which a clock that runs has moved. */
const MOST_TURNS = 20;
/** How long a refusal holds, in ms: to see it anew takes its time, and the machine may only have been busy. */
const HELD_MS = 60_000;

/** Refusals that say what V8 does, and not what was in the way of seeing it. */
const answers = /* @__PURE__ */ new WeakSet<WeakKey>();

let looking: { readonly since: number; readonly probe: Promise<PairProbe> } | undefined;

/**
 * Turns the switch on, and looks whether that joins anything. It stays on, whatever comes of it: it is the process's,
 * and what other threads do with it cannot be known from here; turned off under a session that is being compiled, it
 * would leave that one slow. Set each time, since somebody else may have turned it off.
 *
 * @returns what was measured
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` where nothing is joined; that holds for a minute
 */
export function turnOn(): Promise<PairProbe> {
  const isTurned = turn(`--${SWITCH}`);
  if (looking === undefined || Math.abs(performance.now() - looking.since) > HELD_MS) {
    const look = { since: performance.now(), probe: lookUntilJoined(isTurned) };
    look.probe.then(
      () => {
        looking = { ...look, since: Number.NaN };
      },
      (error) => {
        // Memory ran out, say, or the clock stood still: that is no answer.
        if (!answers.has(error)) looking = undefined;
      },
    );
    looking = look;
  }
  return looking.probe;
}

/** Turns it off: V8 computed something wrongly. */
export function turnOff(): void {
  turn(`--no-${SWITCH}`);
}

async function lookUntilJoined(isTurned: boolean): Promise<PairProbe> {
  const probe = pairProbe();
  const start = performance.now();
  const end = start + PATIENCE_MS[isTurned ? "turned" : "found"];
  for (let turns = 0; turns < MOST_TURNS || performance.now() !== start; turns++) {
    for (let looks = 0; looks < 5; looks++) if (probe.look()) return probe;
    if (performance.now() > end) {
      const answer = unavailable(
        isTurned ? "V8 joins no vectors of 128 bits in this process" : "this engine joins no vectors of 128 bits",
        'Pass simd: "auto". Node 24 and later join them, on x64 processors with AVX2, where bounds of memory are not ' +
          `checked in code; other places only if they were started with --${SWITCH}, if then.`,
      );
      answers.add(answer);
      throw answer;
    }
    await pause(5);
  }
  throw unavailable(
    "the clock of this program stands still, and it is speed that tells",
    'Let it run, or pass "auto".',
  );
}

/** @param advice what one can do now */
export function unavailable(why: string, advice = 'Pass simd: "auto".'): DepthwiseError {
  const what = `compile: simd "wide" cannot run here: ${why}`;
  return new DepthwiseError("BACKEND_UNAVAILABLE", { what, advice });
}

/** The event loop's turn, then a sleep: the compiler wants a core too. No timers where it can be, which tests like to stop. */
export async function pause(milliseconds: number): Promise<void> {
  if (typeof MessageChannel === "undefined") await breathe();
  else {
    const { port1, port2 } = new MessageChannel();
    await new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(0);
    });
    port1.close();
  }
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(milliseconds, 5));
  } catch {
    // A page's main thread may not sleep, and there may be no shared memory.
  }
}

/** Turns a switch of V8, where a program may: in Node. Whether it did, or found it frozen so. */
function turn(flag: string): boolean {
  const { bun, deno, node, nw, v8 = "" } = (globalThis.process?.versions ?? {}) as Readonly<Record<string, string>>;
  if (node === undefined || bun !== undefined || deno !== undefined || nw !== undefined) return false;
  if (Number.parseInt(v8, 10) < LEAST_V8 || process.arch !== "x64") return false;
  const started = startedWith();
  const frozen = started.findLast((argument) => /^--(no-)?freeze-flags-after-init$/.test(argument));
  if (frozen?.startsWith("--freeze") === true) {
    if (started.includes(flag)) return true;
    // V8 would end the process.
    throw unavailable("V8's switches are frozen in this process");
  }
  try {
    process.getBuiltinModule("node:v8").setFlagsFromString(flag);
    return true;
  } catch {
    // Places that call themselves Node, and are not.
    return false;
  }
}

/** Flags of the process. A worker has its own list, and sees that of the process on Linux alone. */
function startedWith(): readonly string[] {
  let command: readonly string[] = [];
  try {
    command = process.getBuiltinModule("node:fs").readFileSync("/proc/self/cmdline", "latin1").split("\0");
  } catch {
    // No such file, or it may not be read.
  }
  return [...(process.execArgv ?? []), ...command].map((argument) => argument.replaceAll("_", "-"));
}
