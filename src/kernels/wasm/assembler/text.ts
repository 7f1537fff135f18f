/**
 * An emitted module as text, to look at: `moduleText(emitModule(...))` is close to WebAssembly's own text format,
 * one instruction a line, indented by blocks, functions by the names of the name section.
 *
 * A debugging aid. Nothing in the library imports it; tests do, to see which instructions a kernel uses.
 */

import { invariant } from "../../../core/errors.ts";
import { INSTRUCTIONS, TYPE_BYTES } from "./instructions.ts";

type Immediate = "i32" | "i64" | "f32" | "index" | "function" | "block" | "m" | "x" | "mx";
interface Decoded {
  readonly name: string;
  readonly immediate?: Immediate | undefined;
}

/** What `code.ts` and `module.ts` emit besides the rows of the table. */
const STRUCTURE: Readonly<Record<number, Decoded>> = {
  3: { name: "loop", immediate: "block" },
  4: { name: "if", immediate: "block" },
  5: { name: "else" },
  11: { name: "end" },
  13: { name: "br_if", immediate: "index" },
  16: { name: "call", immediate: "function" },
  26: { name: "drop" },
  27: { name: "select" },
  32: { name: "local.get", immediate: "index" },
  33: { name: "local.set", immediate: "index" },
  34: { name: "local.tee", immediate: "index" },
  65: { name: "i32.const", immediate: "i32" },
  66: { name: "i64.const", immediate: "i64" },
  67: { name: "f32.const", immediate: "f32" },
};

/** A byte before an opcode, where an instruction has two parts. */
const PREFIXES = [0xfd, 0xfe];

interface Type {
  readonly parameters: readonly string[];
  readonly results: readonly string[];
}

/**
 * The text of a module made by `moduleBuilder`.
 *
 * @throws if the bytes are anything else, with the place
 */
export function moduleText(bytes: Uint8Array): string {
  const reader = readerOf(bytes);
  invariant(String(reader.take(8)) === "0,97,115,109,1,0,0,0", "These bytes do not begin as a wasm module does.");
  const types: Type[] = [];
  const typeOf: number[] = [];
  const names = new Map<number, string>();
  const imports: string[] = [];
  const exports: [string, number][] = [];
  const bodies: ByteCursor[] = [];
  while (!reader.isDone()) {
    const id = reader.byte();
    const section = reader.part();
    if (id === 0) readNames(section, names);
    else if (id === 1) section.list(() => types.push(readType(section)));
    else if (id === 2) section.list(() => imports.push(readImport(section)));
    else if (id === 3) section.list(() => typeOf.push(section.unsigned()));
    else if (id === 7) section.list(() => exports.push(readExport(section)));
    else if (id === 10) section.list(() => bodies.push(section.part()));
    else invariant(false, `Section ${id} is none that the assembler writes.`);
    invariant(section.isDone(), `Section ${id} is longer than what it holds.`);
  }
  const nameOf = (index: number) => `$${names.get(index) ?? index}`;
  return [
    "(module",
    ...imports.map((line) => `  ${line}`),
    ...bodies.flatMap((body, index) => functionLines(body, nameOf(index), types[typeOf[index] ?? 0], nameOf)),
    ...exports.map(([name, index]) => `  (export "${name}" (func ${nameOf(index)}))`),
    ")",
  ].join("\n");
}

function functionLines(
  body: ByteCursor,
  name: string,
  { parameters, results }: Type = { parameters: [], results: [] },
  nameOf: (index: number) => string,
): readonly string[] {
  const list = (word: string, types: readonly string[]) => (types.length === 0 ? "" : ` (${word} ${types.join(" ")})`);
  const lines = [`  (func ${name}${list("param", parameters)}${list("result", results)}`];
  const locals: string[] = [];
  body.list(() => locals.push(...Array<string>(body.unsigned()).fill(body.type())));
  if (locals.length > 0) lines.push(`   ${list("local", locals)}`);
  let depth = 1;
  while (depth > 0) {
    const { name: instruction, immediate } = readOpcode(body);
    const operands = immediate === undefined ? "" : readImmediate(body, instruction, immediate, nameOf);
    if (instruction === "end") depth--;
    const outdent = instruction === "else" ? 1 : 0;
    if (depth > 0) lines.push(`${"  ".repeat(depth + 1 - outdent)}${instruction}${operands}`);
    if (immediate === "block") depth++;
  }
  invariant(body.isDone(), `The code of ${name} is longer than the function.`);
  return [...lines, "  )"];
}

function readOpcode(reader: ByteCursor): Decoded {
  const first = reader.byte();
  const opcode = PREFIXES.includes(first) ? first * 0x1000 + reader.unsigned() : first;
  const structure = STRUCTURE[opcode];
  if (structure !== undefined) return structure;
  const row = Object.entries(INSTRUCTIONS).find(([, [code]]) => code === opcode);
  invariant(row !== undefined, `No row has opcode 0x${opcode.toString(16)}, before byte ${reader.position()}.`);
  const [name, [, , , immediate]] = row as [string, readonly [number, string, string, Immediate?]];
  return { name, immediate };
}

function readImmediate(
  reader: ByteCursor,
  name: string,
  immediate: Immediate,
  nameOf: (index: number) => string,
): string {
  switch (immediate) {
    case "i32":
    case "i64":
      return ` ${reader.signed()}`;
    case "f32":
      return ` ${new DataView(Uint8Array.from(reader.take(4)).buffer).getFloat32(0, true)}`;
    case "index":
      return ` ${reader.unsigned()}`;
    case "function":
      return ` ${nameOf(reader.unsigned())}`;
    case "block":
      invariant(reader.byte() === 0x40, `A block has a result, before byte ${reader.position()}.`);
      return "";
    case "x":
      return ` ${reader.byte()}`;
    default: {
      const natural = (INSTRUCTIONS as Readonly<Record<string, readonly unknown[]>>)[name]?.[4];
      const align = reader.unsigned();
      const offset = reader.unsigned();
      const memory = `${offset === 0 ? "" : ` offset=${offset}`}${align === natural ? "" : ` align=${2 ** align}`}`;
      return immediate === "mx" ? `${memory} ${reader.byte()}` : memory;
    }
  }
}

function readType(reader: ByteCursor): Type {
  invariant(reader.byte() === 0x60, `A type is no function, before byte ${reader.position()}.`);
  const types = () => {
    const found: string[] = [];
    reader.list(() => found.push(reader.type()));
    return found;
  };
  return { parameters: types(), results: types() };
}

function readImport(reader: ByteCursor): string {
  const [from, name] = [reader.text(), reader.text()];
  invariant(reader.byte() === 2, `Import "${name}" is no memory.`);
  const flags = reader.byte();
  return `(import "${from}" "${name}" (memory ${reader.unsigned()} ${reader.unsigned()}${flags === 3 ? " shared" : ""}))`;
}

function readExport(reader: ByteCursor): [string, number] {
  const name = reader.text();
  invariant(reader.byte() === 0, `Export "${name}" is no function.`);
  return [name, reader.unsigned()];
}

/** Subsection 1 of the name section: an index and a name for each function. */
function readNames(reader: ByteCursor, names: Map<number, string>): void {
  invariant(reader.text() === "name" && reader.byte() === 1, "A custom section is none that the assembler writes.");
  const functions = reader.part();
  functions.list(() => names.set(functions.unsigned(), functions.text()));
}

type ByteCursor = ReturnType<typeof readerOf>;

/** Reads bytes from `at` to `end`. */
function readerOf(bytes: Uint8Array, at = 0, end = bytes.length) {
  let position = at;
  const byte = (): number => {
    invariant(position < end, `The bytes end at ${end}, in the middle of something.`);
    return bytes[position++] ?? 0;
  };
  /** LEB128 of up to 64 bits, and how many bits were read. */
  const leb = (): readonly [bigint, number] => {
    let value = 0n;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      value |= BigInt(next & 0x7f) << BigInt(shift);
      if (next < 0x80) return [value, shift + 7];
    }
  };
  const unsigned = () => Number(leb()[0]);
  const take = (count: number) => Array.from({ length: count }, byte);
  return {
    byte,
    take,
    unsigned,
    signed: () => {
      const [value, bits] = leb();
      return BigInt.asIntN(bits, value);
    },
    text: () => new TextDecoder().decode(Uint8Array.from(take(unsigned()))),
    type: () => {
      const code = byte();
      return Object.entries(TYPE_BYTES).find(([, known]) => known === code)?.[0] ?? `0x${code.toString(16)}`;
    },
    list: (item: () => unknown) => {
      for (let left = unsigned(); left > 0; left--) item();
    },
    /** A reader of the next part, which begins with its size. */
    part: () => {
      const size = unsigned();
      const start = position;
      position += size;
      invariant(position <= end, `A part of ${size} bytes at ${start} is longer than what it lies in.`);
      return readerOf(bytes, start, position);
    },
    position: () => position,
    isDone: () => position === end,
  };
}
