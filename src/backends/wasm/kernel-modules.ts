/**
 * `depthwise/kernels`: the modules of a network as bytes, for a build that writes them to files. Cloudflare's Workers
 * and the like compile no code from bytes, but import `.wasm` files.
 */

import { booleanOption, checkKnownOptions, oneOf, stringsOf } from "../../core/options.ts";
import { chooseTiles, lower, lowerAfter, type ModuleName, TILES, writeModule } from "../../kernels/wasm/index.ts";
import type { Network } from "../../layers/network.ts";
import { plan as planNetwork } from "../../plan/plan.ts";
import { checkThreads } from "../choose-backend.ts";

/** Options of `kernelModules`. */
export interface KernelModulesOptions {
  /**
   * Which SIMD is emitted: `plain` (default) runs wherever there is SIMD, `relaxed` is faster and needs an engine that
   * has it. `compile` takes it from the modules.
   */
  readonly simd?: "plain" | "relaxed";
  /** As for `compile`: of more than one, and of `auto`, the modules are for memory that threads share. Default 1. */
  readonly threads?: number | "auto";
  /** As for `compile`: a tap may need another kernel. Default none. */
  readonly taps?: readonly string[];
  /** As for `compile`. Default true. */
  readonly fold?: boolean;
}

/**
 * The WebAssembly modules that a network needs, by name: the same that `compile` would emit, and a section that says of
 * which version they are. Written to files and imported where none is compiled from bytes, they are handed to
 * `compile(model, { modules })`, and give the same bits.
 *
 *     for (const [name, bytes] of Object.entries(kernelModules(model))) writeFileSync(`${name}.wasm`, bytes);
 *
 * They depend on the kinds of layers, not on sizes or parameters: those of a V1 serve it at every alpha, resolution and
 * number of classes. Other options of the builder may need others.
 *
 * @returns bytes by name, such as `product`, `depthwise-3`, `pool`, `softmax`
 * @throws {DepthwiseError} `OPTION_INVALID`; `NETWORK_INVALID`; `NAME_UNKNOWN` for a tap
 */
export function kernelModules(
  network: Network,
  options: KernelModulesOptions = {},
): Record<string, Uint8Array<ArrayBuffer>> {
  const owner = "kernelModules";
  checkKnownOptions(owner, options, ["simd", "threads", "taps", "fold"]);
  const simd = oneOf(owner, "simd", options.simd ?? "plain", ["plain", "relaxed"]);
  const { threads = 1 } = options;
  checkThreads(owner, threads);
  const shared = threads !== 1;
  const taps = stringsOf(owner, "taps", options.taps ?? [], "an array of layer names");
  const fold = booleanOption(owner, "fold", options.fold ?? true);
  const features = { relaxed: simd === "relaxed", shared };
  const tile = TILES[chooseTiles(features, false)];
  const names = new Set<ModuleName>(shared ? ["gate"] : []);
  for (const { call } of planNetwork(network, { taps, fold }).steps) {
    const { module, activation } = lower(call, tile);
    names.add(module);
    if (activation !== undefined) names.add(lowerAfter(activation, 1).module);
  }
  return Object.fromEntries([...names].map((name) => [name, writeModule(name, features)]));
}
