/** Which backend runs, with how many threads, and why no better one. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { type EngineFeatures, probeFeatures } from "../kernels/wasm/index.ts";
import type { GivenModules } from "./wasm/given-modules.ts";

export const BACKENDS = ["wasm", "plain", "reference"] as const;
/** `auto` takes `wasm` where the engine allows it, else `plain`. */
export type BackendName = (typeof BACKENDS)[number] | "auto";
/**
 * `relaxed` rounds once a multiply-add, `plain` twice; `auto` takes relaxed where the engine has it. `wide` is relaxed in
 * registers twice as wide, with the same bits: it turns on an experimental switch of V8 for the whole process.
 */
export type Simd = "auto" | "relaxed" | "plain" | "wide";

export interface Choice {
  readonly backend: (typeof BACKENDS)[number];
  /** `none` for the backends of plain JavaScript. */
  readonly simd: "relaxed" | "plain" | "wide" | "none";
  readonly threads: number;
  readonly features: EngineFeatures;
  /** What was asked for or would be faster, and why it is not so; and what was turned on for it. */
  readonly reasons: readonly string[];
}

/** A bound, not a measurement: more than two cores were never at hand. A number asks for more. */
const MOST_AUTO_THREADS = 8;
const MOST_THREADS = 64;

/** @param given modules that need not be compiled: the engine has taken what is in them */
export function chooseBackend(
  name: BackendName,
  simd: Simd,
  threads: number | "auto",
  given?: Pick<GivenModules, "relaxed" | "shared">,
): Choice {
  checkThreads("compile", threads);
  const probed = probeFeatures();
  const settled = { wasm: true, simd: true, relaxed: probed.relaxed || given?.relaxed === true };
  const features = given === undefined ? probed : { ...probed, ...settled };
  const reasons: string[] = [];
  const lacking = lackOfWasm(features, given?.shared === true);
  let backend = name === "auto" ? "wasm" : name;
  if (backend === "wasm" && lacking !== undefined) {
    if (name === "wasm") {
      throw new DepthwiseError("BACKEND_UNAVAILABLE", {
        what: `compile: backend "wasm" cannot run here: ${lacking}`,
        advice: 'Pass backend: "auto" or "plain".',
        fields: { features },
      });
    }
    backend = "plain";
    reasons.push(`plain instead of wasm: ${lacking}`);
  }
  const isWide = simd === "wide";
  const isWasm = backend === "wasm";
  if (isWasm ? (isWide || simd === "relaxed") && !features.relaxed : isWide) {
    const why = isWasm ? "this engine has no relaxed SIMD" : (lacking ?? "only the wasm backend has it");
    throw new DepthwiseError("BACKEND_UNAVAILABLE", {
      what: `compile: simd "${simd}" cannot run here: ${why}`,
      advice: `Pass simd: "auto"${isWasm ? `, or run on Node ${isWide ? 24 : 22} or later` : ""}.`,
      fields: { features },
    });
  }
  if (backend !== "wasm") {
    if (threads !== 1) reasons.push("one thread: only the wasm backend has more");
    if (given !== undefined) reasons.push("the modules are not used: only the wasm backend has any");
    return { backend, simd: "none", threads: 1, features, reasons };
  }
  if (isWide) reasons.push("wide registers by an experimental switch of V8, which is on for the whole process");
  if (given?.relaxed === false) reasons.push("plain SIMD: the modules have no other");
  else if (simd === "auto" && !features.relaxed) reasons.push("plain SIMD: this engine has no relaxed SIMD");
  const relaxed = given?.relaxed ?? (simd === "auto" ? features.relaxed : simd === "relaxed");
  return {
    backend,
    simd: isWide ? simd : relaxed ? "relaxed" : "plain",
    threads: countThreads(threads, features, given?.shared, reasons),
    features,
    reasons,
  };
}

/** @throws {DepthwiseError} `OPTION_INVALID` */
export function checkThreads(owner: string, threads: number | "auto"): void {
  if (threads === "auto" || (Number.isSafeInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) return;
  throw optionError(owner, "threads", `"auto" or a whole number from 1 to ${MOST_THREADS}`, threads);
}

const REFUSED =
  "this place refuses to compile WebAssembly (a page's policy may lack 'wasm-unsafe-eval'; Workers, which import " +
  "files of it, take them as modules: see depthwise/kernels)";

function lackOfWasm({ wasm, simd, shared }: EngineFeatures, needsShared: boolean): string | undefined {
  if (typeof WebAssembly !== "object") return "there is no WebAssembly here";
  if (!wasm) return REFUSED;
  if (needsShared && !shared) return "the modules are for several threads, and there is no shared memory here";
  return simd ? undefined : "this engine has no WebAssembly SIMD";
}

function countThreads(
  asked: number | "auto",
  { shared }: EngineFeatures,
  forShared: boolean | undefined,
  reasons: string[],
): number {
  const threads = asked === "auto" ? Math.min(countCores(), MOST_AUTO_THREADS) : asked;
  if (threads === 1) return 1;
  if (!shared) {
    reasons.push("one thread: no shared memory here (a page must be cross-origin isolated)");
    return 1;
  }
  if (forShared !== false) return threads;
  reasons.push(`one thread: the modules are for one; write them with kernelModules(model, { threads: ${threads} })`);
  return 1;
}

/** Cores that this program may use; 1 where nobody says. */
export function countCores(): number {
  if (typeof navigator === "object" && navigator.hardwareConcurrency > 0) return navigator.hardwareConcurrency;
  return typeof process === "undefined" ? 1 : (process.getBuiltinModule?.("node:os").availableParallelism() ?? 1);
}
