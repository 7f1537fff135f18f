/**
 * Registers twice as wide, by an experimental switch of V8: it joins pairs of equal operations on 128 bits to one on
 * 256. Loaded when it is asked for by name, and never turned on otherwise: the switch is one of the whole process.
 *
 * What V8 makes of the kernels is measured and tried before they are used. Its first tier joins nothing, so they run
 * until they are fast, or for a while. (There are switches that give code of the last tier at once. One of them, turned
 * while other code of the process was being compiled, ended the process.)
 */

import { untilAborted } from "../../core/until-aborted.ts";
import type { Lowered } from "../../kernels/wasm/lowered.ts";
import type { KernelCall } from "../../plan/plan.ts";
import { checkWide } from "./check.ts";
import { withSwitch } from "./switch.ts";

/** A module that was tried, by what is compiled of the bytes. */
export type WideCompile = (
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  shared: boolean,
  lower: (call: KernelCall) => Lowered,
) => Promise<WebAssembly.Module>;

/**
 * All that a session compiles of wide kernels.
 *
 * @param work compiles the modules, each by the function that it gets
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` where V8 joins nothing, or joins wrongly; the reason of a signal
 */
export function compileWide<Result>(
  work: (compile: WideCompile) => Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const all = withSwitch((probe) =>
    work(async (name, bytes, shared, lower) => {
      const module = await WebAssembly.compile(bytes);
      await checkWide(name, module, shared, lower, probe);
      return module;
    }),
  );
  return untilAborted(all, signal);
}
