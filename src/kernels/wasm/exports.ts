/**
 * Functions that JavaScript calls. Their parameters are words, named in order by the emitter; from these names follows
 * the type by which JavaScript sees them, so that no caller declares a signature of its own.
 */

import type { Code, Local, MakeLocal, ModuleBuilder, Statement, WasmFunction } from "./assembler/index.ts";

type Words<Names extends readonly string[]> = { readonly [N in Names[number]]: "i32" };
/** No place to infer a type from: TypeScript's own word for it is of 5.4. */
type Fixed<T> = [T][T extends unknown ? 0 : never];
type Result = "i32" | "none";

declare const exportedAs: unique symbol;

/** A function that the module exports. The name and the order of its words are there for the compiler alone. */
export interface Exported<
  Name extends string = string,
  Names extends readonly string[] = readonly string[],
  R extends Result = Result,
> extends WasmFunction<Words<Names>, R> {
  readonly [exportedAs]?: readonly [Name, Names];
}

/** Adds a function and exports it. */
export function exported<const Name extends string, const Names extends readonly string[], R extends Result = "none">(
  module: ModuleBuilder,
  name: Name,
  words: Names,
  build: (
    locals: { readonly [N in Names[number]]: Local<"i32"> },
    local: MakeLocal,
  ) => readonly (Statement | Code<Fixed<R>>)[],
  result: R = "none" as R,
): Exported<Name, Names, R> {
  const parameters = Object.fromEntries(words.map((word) => [word, "i32"])) as Words<Names>;
  return module.func(name, parameters, build, { export: true, result });
}

/** An exported function as JavaScript calls it: a number for each word. */
export type Callable<F> =
  F extends Exported<string, infer Names, infer R>
    ? (...words: { readonly [I in keyof Names]: number }) => R extends "none" ? void : number
    : never;

type NameOf<F> = F extends Exported<infer Name> ? Name : never;
type Each<Functions> = Functions extends readonly (infer F)[] ? F : Functions;

/** What JavaScript calls of a module, from the type of what emits it. */
export type ExportsOf<Emit extends (...args: never) => Exported | readonly Exported[]> = {
  readonly [F in Each<ReturnType<Emit>> as NameOf<F>]: Callable<F>;
};
