/** Exports of compiled modules, typed by what emits them. One that is missing is found when it is bound, by its name. */

import { invariant } from "../../core/errors.ts";
import type { Kernel } from "./arguments.ts";
import type { ModuleExports, ModuleName } from "./modules.ts";

/** The exports of instances on one memory, by the names of their modules. */
export type Instances = Readonly<Record<string, WebAssembly.Exports>>;

/**
 * A function that one of our modules exports.
 *
 * @throws {InternalError} if it does not
 */
export function exportOf<M extends ModuleName, E extends keyof ModuleExports[M] & string>(
  instances: Instances,
  module: M,
  entry: E,
): ModuleExports[M][E] {
  return kernelOf(instances, module, entry) as ModuleExports[M][E];
}

/**
 * A kernel, by names out of a program.
 *
 * @throws {InternalError} if there is none
 */
export function kernelOf(instances: Instances, module: string, entry: string): Kernel {
  const found = instances[module]?.[entry];
  invariant(typeof found === "function", `The module "${module}" exports no function "${entry}".`);
  return found as Kernel;
}
