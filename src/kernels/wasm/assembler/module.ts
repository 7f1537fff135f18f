/**
 * Functions and modules: from statements to the bytes of a wasm binary. Memory is imported as "env" "memory", plain
 * or shared. Function names go into the name section, so that profilers and stack traces can tell kernels apart.
 *
 * Source: WebAssembly core specification 3.0, §5.5 (modules) and §7.4.1 (name section).
 */

import { type Code, type Expression, type Local, layFlat, makeLocal, type Statement, unsigned } from "./code.ts";
import { TYPE_BYTES, type ValueType } from "./instructions.ts";

type ParameterTypes = Readonly<Record<string, ValueType>>;
type LocalsOf<P extends ParameterTypes> = { readonly [K in keyof P]: Local<P[K]> };

/** A function of the module, to be called by name of its parameters. */
export interface WasmFunction<P extends ParameterTypes, R extends ValueType | "none" = "none"> {
  readonly index: number;
  readonly parameters: P;
  readonly result: R;
}

/** Makes a local of the function under construction. */
export type MakeLocal = <T extends ValueType>(type: T) => Local<T>;

export interface MemoryLimits {
  readonly shared: boolean;
  /** In pages of 64 KiB. Default 1 to 65,536. */
  readonly least?: number;
  readonly most?: number;
}

interface Finished {
  readonly name: string;
  readonly isExported: boolean;
  readonly type: readonly number[];
  /** Locals and code. */
  readonly body: Pieces;
}

/** Bytes in pieces, which are joined once: a binary is half copied already when each section is joined on its own. */
type Pieces = readonly (readonly number[])[];

export interface FunctionOptions<R> {
  readonly export?: boolean;
  readonly result?: R;
}

/** A module under construction. */
export interface ModuleBuilder {
  /** Adds a function; `build` gets its parameters as locals, and a way to make more. */
  func<const P extends ParameterTypes, R extends ValueType | "none" = "none">(
    name: string,
    parameters: P,
    build: (locals: LocalsOf<P>, local: MakeLocal) => readonly (Statement | Code<R>)[],
    options?: FunctionOptions<R>,
  ): WasmFunction<P, R>;
  /** The binary. */
  bytes(): Uint8Array<ArrayBuffer>;
}

export function moduleBuilder({ shared, least = 1, most = 65_536 }: MemoryLimits): ModuleBuilder {
  const functions: Finished[] = [];
  return {
    func(name, parameters, build, { export: isExported = false, result = "none" as never } = {}) {
      const entries = Object.entries(parameters);
      const locals = Object.fromEntries(entries.map(([key], index) => [key, makeLocal(index)]));
      const extra: ValueType[] = [];
      const local: MakeLocal = (type) => makeLocal(entries.length + extra.push(type) - 1);
      const code: number[] = [];
      layFlat(code, [build(locals as LocalsOf<typeof parameters>, local), 0x0b]);
      const results = result === "none" ? [] : [TYPE_BYTES[result as ValueType]];
      functions.push({
        name,
        isExported,
        type: [0x60, entries.length, ...entries.map(([, type]) => TYPE_BYTES[type]), results.length, ...results],
        body: sized([...vector(extra.map((type) => [1, TYPE_BYTES[type]])), code]),
      });
      return { index: functions.length - 1, parameters, result };
    },
    bytes() {
      const limits = [shared ? 3 : 1, ...unsigned(least), ...unsigned(most)];
      const exported = functions.flatMap(({ name, isExported }, index) =>
        isExported ? [[...text(name), 0x00, ...unsigned(index)]] : [],
      );
      const names = functions.map(({ name }, index) => [...unsigned(index), ...text(name)]);
      const section = (id: number, pieces: Pieces): Pieces => [[id], ...sized(pieces)];
      return join([
        [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        ...section(1, vector(functions.map(({ type }) => type))),
        ...section(2, vector([[...text("env"), ...text("memory"), 0x02, ...limits]])),
        ...section(3, vector(functions.map((_, index) => unsigned(index)))),
        ...section(7, vector(exported)),
        ...section(10, [unsigned(functions.length), ...functions.flatMap(({ body }) => body)]),
        ...section(0, [text("name"), [1], ...sized(vector(names))]),
      ]);
    },
  };
}

/** Calls a function; arguments by the names of its parameters. */
export function call<P extends ParameterTypes, R extends ValueType | "none">(
  { index, parameters }: WasmFunction<P, R>,
  given: { readonly [K in keyof P]: Expression<P[K]> },
): Code<R> {
  return [Object.keys(parameters).map((name) => given[name as keyof P]), 0x10, unsigned(index)];
}

function vector(items: Pieces): Pieces {
  return [unsigned(items.length), ...items];
}

function sized(pieces: Pieces): Pieces {
  return [unsigned(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces];
}

/** A name of ASCII characters, with its length. */
function text(name: string): readonly number[] {
  return [name.length, ...Array.from(name, (character) => character.charCodeAt(0))];
}

function join(pieces: Pieces): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
