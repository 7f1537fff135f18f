/**
 * Functions that JavaScript calls. Their parameters are words, named in order by the emitter; from these names follows
 * the type by which JavaScript sees them, so that no caller declares a signature of its own.
 */

import type { Code, Local, MakeLocal, ModuleBuilder, Statement, WasmFunction } from "./assembler/index.ts";

type Words<Names extends readonly string[]> = { readonly [N in Names[number]]: "i32" };
type Result = "i32" | "f32" | "none";

declare const words: unique symbol;

/** A function under construction that the module exports. Its words are there for the compiler alone. */
export interface Exported<Names extends readonly string[], R extends Result> extends WasmFunction<Words<Names>, R> {
  readonly [words]?: Names;
}

/** Adds a function and exports it, and gives it by the name of the export. */
export function exported<const Name extends string, const Names extends readonly string[], R extends Result = "none">(
  module: ModuleBuilder,
  name: Name,
  names: Names,
  build: (
    locals: { readonly [N in Names[number]]: Local<"i32"> },
    local: MakeLocal,
  ) => readonly (Statement | Code<NoInfer<R>>)[],
  result: R = "none" as R,
): { readonly [N in Name]: Exported<Names, R> } {
  const parameters = Object.fromEntries(names.map((word) => [word, "i32"])) as Words<Names>;
  const made = module.func(name, parameters, build, { export: true, result });
  return { [name]: made } as { [N in Name]: typeof made };
}

/** The exports of a module, as its emitter gives them. */
export type Exports = Readonly<Record<string, Exported<readonly string[], Result>>>;

/** An exported function as JavaScript calls it: a number for each word. */
export type Callable<F> =
  F extends Exported<infer Names, infer R>
    ? (...words: { readonly [I in keyof Names]: number }) => R extends "none" ? void : number
    : never;

/** What JavaScript calls of a module, from the type of what emits it. */
export type ExportsOf<Emit extends (...args: never) => Exports> = {
  readonly [E in keyof ReturnType<Emit>]: Callable<ReturnType<Emit>[E]>;
};
