/**
 * What an engine lets `compile` use, what it does not and why, and what would change that. A file of its own that no
 * other imports: a bundle that does not ask has none of it.
 */

import { type Choice, chooseBackend, countCores } from "../backends/choose-backend.ts";
import { wideness } from "../backends/wasm/wasm-backend.ts";
import { chooseTiles, type EngineFeatures, probeFeatures, type TileName } from "../kernels/wasm/index.ts";
import { pairProbe } from "../kernels/wasm/pairs.ts";

/** One thing that makes runs faster. */
export interface DiagnosedFeature {
  /**
   * As in `session.explain().features`: WebAssembly, its SIMD, relaxed SIMD, memory that threads share. And `wide`: whether
   * V8 joins vectors now, as it does once something in the process asked for `simd: "wide"`.
   */
  readonly name: Exclude<keyof EngineFeatures, "early"> | "wide";
  readonly on: boolean;
  /** Why it is off. */
  readonly reason?: string;
  /** What would turn it on. */
  readonly advice?: string;
}

/** What `compile` would take here. */
export interface DiagnosedChoice extends Pick<Choice, "backend" | "simd" | "threads" | "reasons"> {
  /** Row of the table of tiles; only the wasm backend has tiles. */
  readonly tiles?: TileName;
}

/** What this place can do, and what `compile` would choose here. */
export interface Diagnosis {
  /** Such as `Node 24.21.0 (V8 13.6.233.17)`, or a browser's `userAgent`. */
  readonly engine: string;
  /** Cores that this program may use. */
  readonly cores: number;
  readonly features: readonly DiagnosedFeature[];
  /** What `compile` chooses here, when it is left to choose. */
  readonly chosen: {
    /** With `{}`. */
    readonly defaults: DiagnosedChoice;
    /** With `{ threads: "auto" }`. */
    readonly autoThreads: DiagnosedChoice;
  };
}

/**
 * Says what is on here, what is off and why, what would turn it on, and what `compile` chooses: plain data, for a page
 * or a bug report. Nothing is compiled but a few bytes, nothing is turned on, and it takes some 20 ms.
 *
 *     for (const { name, on, reason, advice } of doctor().features) console.log(name, on, reason, advice);
 */
export function doctor(): Diagnosis {
  const features = probeFeatures();
  return {
    engine: engineName(),
    cores: countCores(),
    features: (["wasm", "simd", "relaxed", "shared", "wide"] as const).map((name) =>
      (name === "wide" ? isWide(features) : features[name]) ? { name, on: true } : { name, on: false, ...lackOf(name) },
    ),
    chosen: { defaults: choice(1), autoThreads: choice("auto") },
  };
}

function choice(asked: number | "auto"): DiagnosedChoice {
  const { backend, simd, threads, features, reasons } = chooseBackend("auto", "auto", asked);
  const row = { backend, simd, threads, reasons };
  if (backend !== "wasm") return row;
  return { ...row, tiles: chooseTiles({ relaxed: simd === "relaxed", shared: threads > 1 }, features.early) };
}

/** How long it looks whether vectors are joined, in ms: something else may have turned that on. */
const LOOKED_MS = 20;

function isWide({ wasm, relaxed }: EngineFeatures): boolean {
  if (!wasm || !relaxed) return false;
  if (wideness.found !== undefined) return wideness.found;
  const probe = pairProbe();
  const end = performance.now() + LOOKED_MS;
  do if (probe.look()) return true;
  while (performance.now() < end);
  return false;
}

type Lack = Pick<DiagnosedFeature, "reason" | "advice">;

function lackOf(name: DiagnosedFeature["name"]): Lack {
  if (typeof WebAssembly === "object") return LACKS[name]();
  return name === "wasm" ? NO_WASM : { reason: "there is no WebAssembly here" };
}

const NO_WASM: Lack = {
  reason: "the engine has none, or it was switched off",
  advice: "Start Node without --jitless; in a browser allow the page WebAssembly (lockdown modes take it away).",
};

const LACKS: Readonly<Record<DiagnosedFeature["name"], () => Lack>> = {
  wasm: () => ({
    reason: "compiling it is refused here, as by a page's content security policy",
    advice:
      "Add 'wasm-unsafe-eval' to script-src of the page's Content-Security-Policy; in a Worker pass modules that " +
      "depthwise/kernels wrote.",
  }),
  simd: () => ({
    reason: "this engine, or this processor, has none for WebAssembly",
    advice: "Chrome 91, Firefox 89, Safari 16.4, Node 16.4 and later have it, on processors with SSE4.1 or NEON.",
  }),
  relaxed: () => ({
    reason: relaxedReason(),
    advice: "Node 22 or later, or a current Chrome, turns it on.",
  }),
  shared: () =>
    globalThis.crossOriginIsolated === false
      ? {
          reason: "this page is not cross-origin isolated, so there can be only one thread",
          advice:
            "Serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
        }
      : {
          reason: "this engine has none for WebAssembly, so there can be only one thread",
          advice: "Any current browser or Node has it.",
        },
  wide: () => {
    const { node, deno, bun } = versions();
    const isNode = node !== undefined && deno === undefined && bun === undefined;
    if (wideness.found === false || !isNode || Number.parseInt(node, 10) < 24) {
      const advice = "Node 24 and later do, on x64 processors with AVX2; no browser does today.";
      return { reason: "this engine joins no vectors", advice };
    }
    return {
      reason: "an experimental switch of V8, for the whole process: it is turned on where it is asked for by name",
      advice:
        'compile(network, { simd: "wide" }) turns it on, on x64 processors with AVX2: nearly twice as fast, with the ' +
        "same bits.",
    };
  },
};

function relaxedReason(): string {
  const { v8 } = versions();
  const [major = 0, minor = 0] = (v8 ?? "").split(".").map(Number);
  const isOlder = v8 !== undefined && (major < 11 || (major === 11 && minor < 4));
  return isOlder ? `V8 has it since version 11.4, and this is V8 ${v8}` : "this engine has none";
}

/** Empty in a browser, where bundlers put a `process` of their own. */
function versions(): Partial<NodeJS.ProcessVersions> {
  return (typeof process === "undefined" ? undefined : process.versions) ?? {};
}

function engineName(): string {
  const { bun, deno, node, v8 } = versions();
  if (bun !== undefined) return `Bun ${bun}`;
  if (deno !== undefined) return `Deno ${deno} (V8 ${v8})`;
  if (node !== undefined) return `Node ${node} (V8 ${v8})`;
  return typeof navigator === "undefined" ? "an unknown engine" : navigator.userAgent;
}
