/** Exports of compiled modules, typed by what emits them. One that is missing is found when it is bound, by its name. */

import { invariant } from "../../core/errors.ts";
import type { Kernel } from "./arguments.ts";
import type { ModuleExports, ModuleName } from "./modules.ts";

/** The exports of instances on one memory, by the names of their modules. */
export type Instances = Readonly<Record<string, WebAssembly.Exports>>;

type EntryOf<M> = M extends ModuleName ? keyof ModuleExports[M] & string : string;
/** By names that only a program knows it is a kernel. */
type ExportOf<M, E> = M extends ModuleName ? (E extends keyof ModuleExports[M] ? ModuleExports[M][E] : never) : Kernel;

/**
 * A function that a module exports.
 *
 * @throws {InternalError} that names it, if there is none
 */
export function exportOf<M extends string, E extends EntryOf<M>>(
  instances: Instances,
  module: M,
  entry: E,
): ExportOf<M, E> {
  const found = instances[module]?.[entry];
  invariant(typeof found === "function", `The module "${module}" exports no "${entry}".`);
  return found as ExportOf<M, E>;
}
