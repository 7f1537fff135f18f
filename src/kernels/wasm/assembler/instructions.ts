/**
 * The instructions this library emits: one row each, its name written once. Methods, types and the text form derive
 * from the row; a test encodes each row, has it read back by an independent tool and runs it on edge values.
 *
 * A row is `[opcode, operands, result, immediates?, log2 of the bytes accessed?]`. Prefixed opcodes are written as
 * prefix · 0x1000 + number, so 0xfd105 is 0xfd, then 0x105 as LEB128. Types are letters: `i` i32, `l` i64, `f` f32,
 * `d` f64, `v` v128, none for no result. Immediates: `m` a memory access, `x` a lane number, `mx` both.
 *
 * Source: WebAssembly core specification 3.0, §5.4 (binary format of instructions).
 */

export type InstructionRow = readonly [
  opcode: number,
  operands: string,
  result: string,
  immediates?: "m" | "x" | "mx",
  align?: number,
];

export const INSTRUCTIONS = {
  "i32.eqz": [0x45, "i", "i"],
  "i32.eq": [0x46, "ii", "i"],
  "i32.lt_s": [0x48, "ii", "i"],
  "i32.lt_u": [0x49, "ii", "i"],
  "i32.ge_s": [0x4e, "ii", "i"],
  "i32.add": [0x6a, "ii", "i"],
  "i32.sub": [0x6b, "ii", "i"],
  "i32.mul": [0x6c, "ii", "i"],
  "i32.div_u": [0x6e, "ii", "i"],
  "i32.rem_u": [0x70, "ii", "i"],
  "i32.and": [0x71, "ii", "i"],
  "i32.shl": [0x74, "ii", "i"],
  "f32.max": [0x97, "ff", "f"],
  "f32.convert_i32_u": [0xb3, "i", "f"],
  "f32.demote_f64": [0xb6, "d", "f"],
  "f64.add": [0xa0, "dd", "d"],
  "f64.promote_f32": [0xbb, "f", "d"],

  "i32.load": [0x28, "i", "i", "m", 2],
  "f32.load": [0x2a, "i", "f", "m", 2],
  "f32.store": [0x38, "if", "", "m", 2],

  "v128.load": [0xfd000, "i", "v", "m", 4],
  "v128.load32_splat": [0xfd009, "i", "v", "m", 2],
  "v128.store": [0xfd00b, "iv", "", "m", 4],
  "v128.load32_zero": [0xfd05c, "i", "v", "m", 2],
  "v128.load64_zero": [0xfd05d, "i", "v", "m", 3],
  "v128.store32_lane": [0xfd05a, "iv", "", "mx", 2],
  "v128.store64_lane": [0xfd05b, "iv", "", "mx", 3],
  "f32x4.splat": [0xfd013, "f", "v"],
  "i32x4.splat": [0xfd011, "i", "v"],
  "f32x4.extract_lane": [0xfd01f, "v", "f", "x"],
  "i32x4.add": [0xfd0ae, "vv", "v"],
  "i32x4.shl": [0xfd0ab, "vi", "v"],
  "i32x4.trunc_sat_f32x4_s": [0xfd0f8, "v", "v"],
  "f32x4.nearest": [0xfd06a, "v", "v"],
  "f32x4.add": [0xfd0e4, "vv", "v"],
  "f32x4.sub": [0xfd0e5, "vv", "v"],
  "f32x4.mul": [0xfd0e6, "vv", "v"],
  "f32x4.div": [0xfd0e7, "vv", "v"],
  "f32x4.max": [0xfd0e9, "vv", "v"],
  "f32x4.pmin": [0xfd0ea, "vv", "v"],
  "f32x4.pmax": [0xfd0eb, "vv", "v"],
  "f64x2.mul": [0xfd0f2, "vv", "v"],
  "f64x2.promote_low_f32x4": [0xfd05f, "v", "v"],
  "f32x4.demote_f64x2_zero": [0xfd05e, "v", "v"],
  "f32x4.relaxed_madd": [0xfd105, "vvv", "v"],

  "memory.atomic.notify": [0xfe000, "ii", "i", "m", 2],
  "memory.atomic.wait32": [0xfe001, "iil", "i", "m", 2],
  "i32.atomic.load": [0xfe010, "i", "i", "m", 2],
  "i32.atomic.store": [0xfe017, "ii", "", "m", 2],
  "i32.atomic.rmw.add": [0xfe01e, "ii", "i", "m", 2],
} as const satisfies Readonly<Record<string, InstructionRow>>;

export type Instruction = keyof typeof INSTRUCTIONS;

/** The value types, by the letter that stands for them in the table. */
export const VALUE_TYPES = { i: "i32", l: "i64", f: "f32", d: "f64", v: "v128" } as const;
export type ValueType = (typeof VALUE_TYPES)[keyof typeof VALUE_TYPES];

/** The byte of each value type. Core specification §5.3. */
export const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
