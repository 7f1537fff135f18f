/** Modules that a caller passes, where none can be compiled from bytes: checked at the call. */

import type { DepthwiseError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { optionError } from "../../core/options.ts";
import { EMITTED, MODULE_NAMES, readModule, TILES, type TileName } from "../../kernels/wasm/index.ts";

export interface GivenModules {
  readonly modules: Readonly<Record<string, WebAssembly.Module>>;
  readonly relaxed: boolean;
  /** Whether they are for memory that threads share. */
  readonly shared: boolean;
  readonly tiles: TileName;
}

const EXPECTED = "a record of WebAssembly.Module by the names that kernelModules gives";
const WRITE = "Write the files with kernelModules of depthwise/kernels";

/** @throws {DepthwiseError} `OPTION_INVALID` */
export function checkModules(given: unknown, simd: "auto" | "relaxed" | "plain" | "wide"): GivenModules | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw wrong("modules", EXPECTED, given);
  const modules: Record<string, WebAssembly.Module> = {};
  let first: Omit<GivenModules, "modules"> | undefined;
  for (const [name, module] of Object.entries(given)) {
    const option = `modules["${name}"]`;
    if (!(MODULE_NAMES as readonly string[]).includes(name)) {
      const hint = didYouMean(name, MODULE_NAMES);
      throw wrong("modules: the name", `one of ${MODULE_NAMES.join(", ")}`, name, hint === "" ? `${WRITE}.` : hint);
    }
    const written = readModule(module);
    if (written === undefined) {
      const advice = `${WRITE}, and import them.`;
      throw wrong(option, "a WebAssembly.Module that kernelModules wrote", module, advice);
    }
    const { emitted, tiles, shared } = written;
    if (emitted !== EMITTED || !Object.hasOwn(TILES, tiles)) {
      throw wrong(option, `one of this version (${EMITTED})`, emitted, `${WRITE} of this version again.`);
    }
    if (written.name !== name) throw wrong(option, `the module "${name}"`, written.name);
    first ??= { tiles, shared, relaxed: tiles === "relaxed" };
    if (tiles !== first.tiles || shared !== first.shared) {
      throw wrong(option, kindOf(first), kindOf(written), "Pass the modules of one call of kernelModules.");
    }
    modules[name] = module;
  }
  if (first === undefined) throw wrong("modules", EXPECTED, "none", `${WRITE}.`);
  if (simd !== "auto" && simd !== (first.relaxed ? "relaxed" : "plain")) {
    // No file holds wide kernels: they are tried where they run.
    const advice = simd === "wide" ? 'Pass simd: "auto".' : `${WRITE} and simd: "${simd}".`;
    throw wrong("modules", `${simd} SIMD, as the option simd says`, kindOf(first), advice);
  }
  return { ...first, modules };
}

/** Throws unless all that a network needs are there. */
export function checkComplete({ modules }: GivenModules, needed: Iterable<string>, network: string): void {
  const missing = [...needed].filter((name) => !Object.hasOwn(modules, name));
  if (missing.length === 0) return;
  const advice = `${WRITE} for this network, with the same taps, fold and threads.`;
  throw wrong("modules", `${missing.join(", ")} too, which ${network} needs`, Object.keys(modules).join(", "), advice);
}

function kindOf({ tiles, shared }: { readonly tiles: TileName; readonly shared: boolean }): string {
  return `${tiles === "relaxed" ? "relaxed" : "plain"} SIMD, ${shared ? "several threads" : "one thread"}`;
}

function wrong(option: string, expected: string, found: unknown, advice?: string): DepthwiseError {
  return optionError("compile", option, expected, found, advice);
}
