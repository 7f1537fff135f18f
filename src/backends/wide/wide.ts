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
import { turnOn } from "./switch.ts";

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
  const all = async () => {
    const probe = await turnOn();
    return work(async (name, bytes, shared, lower) => {
      const module = await WebAssembly.compile(refused.has(name) ? numbered(bytes) : bytes);
      try {
        await checkWide(name, module, shared, lower, probe);
      } catch (error) {
        refused.add(name);
        throw error;
      }
      return module;
    });
  };
  return untilAborted(all(), signal);
}

/** Modules that were refused: V8 would give the same code again for the same bytes. */
const refused = /* @__PURE__ */ new Set<string>();

/** The same code in other bytes: a section of its own with a number. */
function numbered(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const number = Array.from(String(Math.random()), (digit) => digit.charCodeAt(0));
  return Uint8Array.of(...bytes, 0, number.length + 1, number.length, ...number);
}
