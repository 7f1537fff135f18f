/** The switch of V8 by which it joins pairs of equal operations: turned on, and found to work. It is the process's. */

import { DepthwiseError } from "../../core/errors.ts";
import { type PairProbe, pairProbe } from "../../kernels/wasm/pairs.ts";

const SWITCH = "experimental-wasm-revectorize";
/** V8 has the switch before that too, and joins nothing of ours. */
const LEAST_V8 = 13;
/**
 * How long V8 is given to compile the chains to its last tier, in ms; that takes 3 to 10 where a core is free. Where the
 * library could turn the switch, only a machine that is very busy is in the way.
 */
const PATIENCE_MS = { turned: 2000, found: 300 } as const;

let turnedOn: Promise<PairProbe> | undefined;

/**
 * Turns it on, unless it is on. What came of it is kept: where nothing is joined, nothing will be, and to see that takes
 * its time.
 *
 * @returns what was measured
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` where it cannot be turned on or joins nothing; the switch is then off
 */
export function turnOnWide(): Promise<PairProbe> {
  turnedOn ??= turnOn();
  return turnedOn;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function turnOn(): Promise<PairProbe> {
  const turned = turn(`--${SWITCH}`);
  const probe = pairProbe();
  const end = performance.now() + PATIENCE_MS[turned ? "turned" : "found"];
  let rest = 1;
  do {
    for (let looks = 0; looks < 5; looks++) if (probe.look()) return probe;
    // The compiler wants a core too.
    await pause(rest);
    rest = Math.min(2 * rest, 50);
  } while (performance.now() < end);
  if (turned) turn(`--no-${SWITCH}`);
  throw unavailable("this engine does not join vectors of 128 bits to one of 256", ADVICE);
}

const ADVICE =
  'Pass simd: "auto". V8 joins them since version 13.6 (Node 24), on x64 processors with AVX2; outside of Node it must ' +
  `be started with --${SWITCH} (--js-flags of Chrome, --v8-flags of Deno), and may join nothing all the same.`;

/** @param advice what one can do now */
export function unavailable(why: string, advice = 'Pass simd: "auto".'): DepthwiseError {
  return new DepthwiseError("BACKEND_UNAVAILABLE", { what: `compile: simd "wide" cannot run here: ${why}`, advice });
}

/** Turns a switch of V8, where a program may: in Node. Whether it did. */
function turn(flag: string): boolean {
  const { bun, deno, node, v8 = "" } = (globalThis.process?.versions ?? {}) as Partial<NodeJS.ProcessVersions>;
  if (node === undefined || bun !== undefined || deno !== undefined || Number.parseInt(v8, 10) < LEAST_V8) return false;
  // V8 would end the process.
  if (process.execArgv.some((argument) => /^--freeze[-_]flags/.test(argument))) return false;
  try {
    process.getBuiltinModule("node:v8").setFlagsFromString(flag);
    return true;
  } catch {
    // Places that call themselves Node, and are not.
    return false;
  }
}
