/**
 * Registers twice as wide, by an experimental switch of V8: it joins pairs of equal operations on 128 bits to one on
 * 256. Loaded when it is asked for by name, and never turned on otherwise: the switch is one of the whole process.
 *
 * What V8 makes of the kernels is measured and tried before they are used. Its first tier joins nothing, so they run for
 * some milliseconds before that. (There are switches that give code of the last tier at once. One of them, turned while
 * other code of the process was being compiled, ended the process.)
 */

import type { Lowered } from "../../kernels/wasm/lowered.ts";
import type { KernelCall } from "../../plan/plan.ts";
import { checkWide } from "./check.ts";
import { turnOnWide } from "./switch.ts";

/**
 * Compiles a module of wide kernels, and tries them.
 *
 * @param shared whether its memory is one that threads share
 * @param lower  what becomes of a call
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` where V8 joins nothing, or joins wrongly
 */
export async function compileWide(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  shared: boolean,
  lower: (call: KernelCall) => Lowered,
): Promise<WebAssembly.Module> {
  const probe = await turnOnWide();
  const module = await WebAssembly.compile(bytes);
  await checkWide(name, module, shared, lower, probe);
  return module;
}
