/**
 * Expressions and statements. An expression carries its wasm type in its TypeScript type: an operand of the wrong
 * type does not compile.
 *
 *     set(sum, op("f32x4.add", sum, access("v128.load", 16, at)))
 *
 * Loops and branches are structured (`repeat`, `when`), so that no label is ever counted by hand.
 */

import {
  INSTRUCTIONS,
  type Instruction,
  type InstructionRow,
  type VALUE_TYPES,
  type ValueType,
} from "./instructions.ts";

declare const valueType: unique symbol;

/**
 * Code that leaves one value of type `T`, or none, on the stack: bytes, and other code in between. The type is there
 * for the compiler alone. Code is laid flat once, when its function is finished; joining bytes at every step took
 * a fresh process 18.8 ms for the kernels of V1 where this took 15.9.
 */
export interface Code<T extends ValueType | "none"> extends ReadonlyArray<number | Code<ValueType | "none">> {
  readonly [valueType]?: T;
}
export type Expression<T extends ValueType> = Code<T>;
export type Statement = Code<"none">;

/** A local variable; as an expression it is its value. */
export interface Local<T extends ValueType> extends Expression<T> {
  readonly index: number;
}

type Rows = typeof INSTRUCTIONS;
/** An instruction by its name in the table, or a row that stands beside the only kernels that use it. */
type RowOf<I> = I extends Instruction ? Rows[I] : I extends InstructionRow ? I : never;
type Letter = keyof typeof VALUE_TYPES;
type TypeOf<L extends string> = L extends Letter ? (typeof VALUE_TYPES)[L] : "none";
type OperandsOf<L extends string> = L extends `${infer Head extends Letter}${infer Tail}`
  ? [Expression<(typeof VALUE_TYPES)[Head]>, ...OperandsOf<Tail>]
  : [];
type Plain = { [K in Instruction]: Rows[K] extends readonly [number, string, string] ? K : never }[Instruction];
type Accessing = {
  [K in Instruction]: Rows[K] extends readonly [number, string, string, "m", number] ? K : never;
}[Instruction];
type PlainRow = readonly [opcode: number, operands: string, result: string];
type AccessingRow = readonly [opcode: number, operands: string, result: string, immediates: "m", align: number];

/** An instruction without immediates, on its operands. */
export function op<const I extends Plain | PlainRow>(
  instruction: I,
  ...operands: OperandsOf<RowOf<I>[1]>
): Code<TypeOf<RowOf<I>[2]>> {
  return apply(instruction, operands);
}

/** An instruction that touches memory at `address + offset` bytes; its other operands follow. */
export function access<const I extends Accessing | AccessingRow>(
  instruction: I,
  offset: number,
  ...operands: OperandsOf<RowOf<I>[1]>
): Code<TypeOf<RowOf<I>[2]>> {
  return apply(instruction, operands, offset);
}

/** Stores the first lane of a vector: four bytes, or eight. */
export function storeLane(
  name: "v128.store32_lane" | "v128.store64_lane",
  offset: number,
  address: Expression<"i32">,
  value: Expression<"v128">,
): Statement {
  return apply(name, [address, value], offset, [0]);
}

export function extractLane(value: Expression<"v128">, lane: number): Expression<"f32"> {
  return apply("f32x4.extract_lane", [value], 0, [lane]);
}

function apply<T extends ValueType | "none">(
  instruction: Instruction | InstructionRow,
  operands: readonly Code<ValueType>[],
  offset = 0,
  lane: readonly number[] = [],
): Code<T> {
  const row: InstructionRow = typeof instruction === "string" ? INSTRUCTIONS[instruction] : instruction;
  // By index, and nested, not spread: an interpreter that starts cold walks each pattern and spread by its iterator.
  const opcode = row[0];
  const align = row[4];
  const immediates = align === undefined ? lane : [align, unsigned(offset), lane];
  if (opcode < 0x100) return [operands, opcode, immediates];
  return [operands, opcode >>> 12, unsigned(opcode & 0xfff), immediates];
}

/** A local of the function that is being built. */
export function makeLocal<T extends ValueType>(index: number): Local<T> {
  return Object.assign([0x20, unsigned(index)], { index });
}

export function set<T extends ValueType>({ index }: Local<T>, value: Expression<T>): Statement {
  return [value, 0x21, unsigned(index)];
}

/** Sets a local and leaves the value. */
export function tee<T extends ValueType>({ index }: Local<T>, value: Expression<T>): Expression<T> {
  return [value, 0x22, unsigned(index)];
}

export function int(value: number): Expression<"i32"> {
  return [0x41, signed(value)];
}

export function long(value: number): Expression<"i64"> {
  return [0x42, signed(value)];
}

export function float(value: number): Expression<"f32"> {
  return [0x43, Array.from(new Uint8Array(Float32Array.of(value).buffer))];
}

/** `condition ≠ 0 ? a : b`; both are computed. */
export function select<T extends ValueType>(
  a: Expression<T>,
  b: Expression<T>,
  condition: Expression<"i32">,
): Expression<T> {
  return [a, b, condition, 0x1b];
}

/** Runs `then` if the condition is not 0, else `otherwise`. */
export function when(
  condition: Expression<"i32">,
  then: readonly Statement[],
  otherwise: readonly Statement[] = [],
): Statement {
  return [condition, 0x04, 0x40, then, otherwise.length > 0 ? [0x05, otherwise] : [], 0x0b];
}

/** Runs the body once, and again as long as the condition behind it is not 0. */
export function repeat(body: readonly Statement[], again: Expression<"i32">): Statement {
  return [0x03, 0x40, body, again, 0x0d, 0x00, 0x0b];
}

/** Discards a value. */
export function drop(value: Code<ValueType>): Statement {
  return [value, 0x1a];
}

/** Appends code to bytes. */
export function layFlat(bytes: number[], code: Code<ValueType | "none">): void {
  for (let i = 0; i < code.length; i++) {
    const part = code[i] as number | Code<ValueType | "none">;
    if (typeof part === "number") bytes.push(part);
    else layFlat(bytes, part);
  }
}

/** LEB128, unsigned. Core specification §5.2.2. */
export function unsigned(value: number): readonly number[] {
  if (value < 0x80) return [value];
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** LEB128, signed, of a 32-bit integer. */
function signed(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const isLast = rest === (byte & 0x40 ? -1 : 0);
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return bytes;
  }
}
