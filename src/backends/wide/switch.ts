/** The switch of V8 by which it joins pairs of equal operations: turned on, and found to work. It is the process's. */

import { DepthwiseError } from "../../core/errors.ts";
import { type PairProbe, pairProbe } from "../../kernels/wasm/pairs.ts";

const SWITCH = "experimental-wasm-revectorize";
/** How long V8 is given to compile the chains to its last tier, in ms; that takes 3 to 10 where a core is free. */
const PATIENCE_MS = 300;

const LEAST_LOOKS = 20;

let turnedOn: Promise<PairProbe> | undefined;

/**
 * Turns it on, unless it is on. A refusal is not kept.
 *
 * @returns what was measured
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` where it cannot be turned on or joins nothing; the switch is then off
 */
export function turnOnWide(): Promise<PairProbe> {
  turnedOn ??= turnOn().catch((error: unknown) => {
    turnedOn = undefined;
    throw error;
  });
  return turnedOn;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function turnOn(): Promise<PairProbe> {
  const set = engineSwitches();
  set?.(`--${SWITCH}`);
  const probe = pairProbe();
  const start = performance.now();
  // Some looks in any case: the machine may have slept.
  for (let looks = 0; looks < LEAST_LOOKS || performance.now() - start < PATIENCE_MS; looks++) {
    if (probe.look()) return probe;
    // A core for the compiler.
    if (looks % 4 === 3) await pause(2);
  }
  set?.(`--no-${SWITCH}`);
  throw unavailable("this engine does not join vectors of 128 bits to one of 256", ADVICE);
}

const ADVICE =
  'Pass simd: "auto". V8 joins them since version 13.6 (Node 24), on x64 processors with AVX2; outside of Node it must ' +
  `be started with --${SWITCH} (--js-flags of Chrome, --v8-flags of Deno), and may join nothing all the same.`;

/** @param advice what one can do now */
export function unavailable(why: string, advice = 'Pass simd: "auto".'): DepthwiseError {
  return new DepthwiseError("BACKEND_UNAVAILABLE", { what: `compile: simd "wide" cannot run here: ${why}`, advice });
}

/** Sets switches of V8, where a program may: in Node. Others take them at their start alone. */
function engineSwitches(): ((flags: string) => void) | undefined {
  if (typeof process === "undefined") return undefined;
  const { bun, deno, node } = (process.versions ?? {}) as Partial<NodeJS.ProcessVersions>;
  if (node === undefined || bun !== undefined || deno !== undefined) return undefined;
  const v8 = process.getBuiltinModule?.("node:v8");
  return v8 === undefined ? undefined : (flags) => v8.setFlagsFromString(flags);
}
