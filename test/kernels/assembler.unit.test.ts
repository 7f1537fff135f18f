/**
 * The assembler against an independent reader (wabt) and against the engine: each row of its table is encoded, read
 * back, and executed on edge values whose results are written here by hand.
 */

import { describe, expect, it } from "vitest";
import {
  access,
  type Code,
  call,
  drop,
  type Expression,
  extractLane,
  float,
  int,
  type Local,
  long,
  type MemoryLimits,
  moduleBuilder,
  op,
  repeat,
  type Statement,
  select,
  set,
  storeLane,
  tee,
  type ValueType,
  when,
} from "../../src/kernels/wasm/assembler/index.ts";
import { INSTRUCTIONS, type Instruction, VALUE_TYPES } from "../../src/kernels/wasm/assembler/instructions.ts";
import { probeFeatures } from "../../src/kernels/wasm/features.ts";
import { ALL, instructionLines, instructionName, readBack } from "./read-back.ts";

type Vector = Float32Array | Float64Array | Int32Array;
type Value = number | bigint | Vector;
const floats = (...values: readonly number[]) => Float32Array.from(values);
const doubles = (...values: readonly number[]) => Float64Array.from(values);
const ints = (...values: readonly number[]) => Int32Array.from(values);
/** One number in all lanes. */
const all = (value: number) => floats(value, value, value, value);

interface Example {
  readonly operands: readonly Value[];
  readonly offset?: number;
  readonly lane?: number;
  /** Default: nothing comes back. */
  readonly gives?: Value;
  /** What then lies at DATA. */
  readonly leaves?: Vector;
  /** The engine must refuse, at run time. */
  readonly traps?: true;
}

/** Where the examples read and write. */
const DATA = 1024;
/** Two integers, then 1.5 and NaN in their bits. */
const WORDS = ints(-1, -2147483648, 0x3fc00000, 0x7fc00000, 0x00800000, 6, 7, 8);
const MIN = -2147483648;
const MAX = 2147483647;
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Operands, then the result. */
const gives =
  (count: number) =>
  (...values: readonly Value[]): Example => ({ operands: values.slice(0, count), gives: values[count]! });
const [one, two, three] = [gives(1), gives(2), gives(3)];

/** Examples for each row of the table; the compiler names the rows that are missing. */
const EXAMPLES: Readonly<Record<Instruction, readonly Example[]>> = {
  "i32.eqz": [one(0, 1), one(-1, 0), one(MIN, 0)],
  "i32.eq": [two(-1, -1, 1), two(0, MIN, 0)],
  "i32.lt_s": [two(-1, 0, 1), two(0, -1, 0), two(3, 3, 0), two(MIN, MAX, 1)],
  "i32.lt_u": [two(-1, 0, 0), two(0, -1, 1), two(3, 3, 0), two(MIN, MAX, 0)],
  "i32.ge_s": [two(-1, 0, 0), two(0, -1, 1), two(3, 3, 1), two(MIN, MAX, 0)],
  "i32.add": [two(MAX, 1, MIN), two(-1, 1, 0)],
  "i32.sub": [two(MIN, 1, MAX), two(0, -1, 1)],
  "i32.mul": [two(65536, 65536, 0), two(-1, -1, 1), two(MAX, 2, -2)],
  "i32.div_u": [two(-1, 2, MAX), two(7, -1, 0), two(7, 2, 3), { operands: [1, 0], traps: true }],
  "i32.rem_u": [two(-1, 10, 5), two(7, -1, 7), { operands: [1, 0], traps: true }],
  "i32.and": [two(-1, 0x0f0f, 0x0f0f), two(12, 10, 8)],
  "i32.shl": [two(1, 31, MIN), two(1, 32, 1), two(3, -1, MIN)],
  "f32.max": [two(-0, 0, 0), two(0, -0, 0), two(nan, 1, nan), two(1, nan, nan), two(-inf, -1, -1)],
  "f32.convert_i32_u": [one(-1, 4294967296), one(16777217, 16777216), one(0, 0)],
  "f32.demote_f64": [one(1 + 2 ** -30, 1), one(1e300, inf), one(2 ** -150, 0), one(-0, -0), one(nan, nan)],
  "f64.add": [two(0.1, 0.2, 0.30000000000000004), two(2 ** 53, 1, 2 ** 53), two(inf, -inf, nan)],
  "f64.promote_f32": [one(0.1, 0.10000000149011612), one(2 ** -149, 2 ** -149), one(nan, nan)],

  "i32.load": [
    one(DATA, -1),
    { operands: [DATA], offset: 4, gives: MIN },
    { operands: [DATA + 1], gives: 0x00ffffff },
    { operands: [-1], traps: true },
    { operands: [0], offset: 2 ** 31, traps: true },
  ],
  "f32.load": [
    { operands: [DATA], offset: 8, gives: 1.5 },
    { operands: [DATA], offset: 12, gives: nan },
  ],
  "f32.store": [
    { operands: [DATA, -0], leaves: floats(-0) },
    { operands: [DATA - 4, 1.5], offset: 4, leaves: floats(1.5) },
  ],

  "v128.load": [
    one(DATA, WORDS.slice(0, 4)),
    { operands: [DATA - 16], offset: 32, gives: WORDS.slice(4, 8) },
    { operands: [DATA + 4], gives: WORDS.slice(1, 5) },
    { operands: [65536 - 15], traps: true },
  ],
  "v128.load32_splat": [
    { operands: [DATA], offset: 8, gives: all(1.5) },
    { operands: [65536 - 3], traps: true },
  ],
  "v128.store": [
    { operands: [DATA, floats(1, -0, inf, 2)], leaves: floats(1, -0, inf, 2) },
    { operands: [DATA - 127, ints(1, 2, 3, 4)], offset: 131, leaves: ints(-1, 1, 2, 3, 4) },
  ],
  "v128.load32_zero": [{ operands: [DATA], offset: 20, gives: ints(6, 0, 0, 0) }],
  "v128.load64_zero": [{ operands: [DATA], offset: 20, gives: ints(6, 7, 0, 0) }],
  "v128.store32_lane": [{ operands: [DATA - 128, ints(10, 11, 12, 13)], offset: 128, lane: 0, leaves: ints(10, MIN) }],
  "v128.store64_lane": [
    { operands: [DATA - 128, ints(10, 11, 12, 13)], offset: 128, lane: 0, leaves: ints(10, 11, 0x3fc00000) },
  ],
  "f32x4.splat": [one(-0, all(-0)), one(nan, all(nan)), one(0.1, all(Math.fround(0.1)))],
  "i32x4.splat": [one(MIN, ints(MIN, MIN, MIN, MIN))],
  "f32x4.extract_lane": [0, 1, 2, 3].map((lane) => ({
    operands: [floats(-0, nan, 5, inf)],
    lane,
    gives: [-0, nan, 5, inf][lane]!,
  })),
  "i32x4.add": [two(ints(MAX, -1, 0, MIN), ints(1, 1, 0, MIN), ints(MIN, 0, 0, 0))],
  "i32x4.shl": [two(ints(1, -1, 3, 0), 31, ints(MIN, MIN, MIN, 0)), two(ints(1, 2, 3, 4), 33, ints(2, 4, 6, 8))],
  "i32x4.trunc_sat_f32x4_s": [
    one(floats(nan, 3e9, -3e9, -1.9), ints(0, MAX, MIN, -1)),
    one(floats(inf, -inf, -0, 1.9), ints(MAX, MIN, 0, 1)),
  ],
  "f32x4.nearest": [
    one(floats(0.5, 1.5, 2.5, -0.5), floats(0, 2, 2, -0)),
    one(floats(nan, inf, 3e9, -0), floats(nan, inf, 3e9, -0)),
  ],
  "f32x4.add": [two(floats(16777216, inf, -0, nan), floats(1, -inf, -0, 1), floats(16777216, nan, -0, nan))],
  "f32x4.sub": [two(floats(1, inf, 0, -0), floats(2, inf, 0, 0), floats(-1, nan, 0, -0))],
  "f32x4.mul": [two(floats(-1, inf, 2 ** -75, 3), floats(0, 0, 2 ** -75, nan), floats(-0, nan, 0, nan))],
  "f32x4.div": [two(floats(1, -1, 0, 1), floats(0, 0, 0, 3), floats(inf, -inf, nan, Math.fround(1 / 3)))],
  "f32x4.max": [two(floats(nan, 1, -0, 0), floats(1, nan, 0, -0), floats(nan, nan, 0, 0))],
  // b < a ? b : a
  "f32x4.pmin": [two(floats(nan, 1, -0, 0), floats(1, nan, 0, -0), floats(nan, 1, -0, 0)), two(all(2), all(1), all(1))],
  // a < b ? b : a
  "f32x4.pmax": [two(floats(nan, 1, -0, 0), floats(1, nan, 0, -0), floats(nan, 1, -0, 0)), two(all(1), all(2), all(2))],
  "f64x2.mul": [two(doubles(0.1, -0), doubles(3, 5), doubles(0.30000000000000004, -0))],
  "f64x2.promote_low_f32x4": [one(floats(0.1, -0, 5, 6), doubles(0.10000000149011612, -0))],
  "f32x4.demote_f64x2_zero": [
    one(doubles(0.1, 1e300), floats(Math.fround(0.1), inf, 0, 0)),
    one(doubles(nan, -0), floats(nan, -0, 0, 0)),
  ],
  "f32x4.relaxed_madd": [
    three(floats(2, -3, 0, inf), floats(3, 4, 5, 1), floats(4, 5, 6, 7), floats(10, -7, 6, inf)),
    three(floats(nan, 1, 1, inf), floats(1, nan, 1, 0), floats(1, 1, nan, 1), all(nan)),
  ],

  "memory.atomic.notify": [
    two(DATA, 1, 0),
    { operands: [DATA - 4, MAX], offset: 4, gives: 0 },
    { operands: [DATA + 1, 1], traps: true },
  ],
  "memory.atomic.wait32": [
    three(DATA, 5, -1n, 1),
    three(DATA, -1, 0n, 2),
    { operands: [DATA, MIN, 1000n], offset: 4, gives: 2 },
    { operands: [DATA + 2, -1, 0n], traps: true },
  ],
  "i32.atomic.load": [
    one(DATA, -1),
    { operands: [DATA], offset: 128, gives: 0 },
    { operands: [DATA + 2], traps: true },
  ],
  "i32.atomic.store": [
    { operands: [DATA - 128, 9], offset: 128, leaves: ints(9, MIN) },
    { operands: [DATA + 3, 9], traps: true },
  ],
  "i32.atomic.rmw.add": [
    { operands: [DATA, 2], gives: -1, leaves: ints(1, MIN) },
    { operands: [DATA, -1], offset: 4, gives: MIN, leaves: ints(-1, MAX) },
    { operands: [DATA + 1, 2], traps: true },
  ],
};

/** The row decides at run time here, not the compiler. */
const untyped = {
  op: op as (name: never, ...operands: never[]) => Code<ValueType | "none">,
  access: access as (name: never, offset: number, ...operands: never[]) => Code<ValueType | "none">,
};

function emit(name: Instruction, operands: readonly Expression<ValueType>[], { offset = 0, lane = 0 }: Example) {
  const [, , , immediates] = INSTRUCTIONS[name] as readonly [number, string, string, string?];
  const [first, second] = operands as readonly [Expression<"i32">, Expression<"v128">];
  if (immediates === "x") return extractLane(operands[0] as Expression<"v128">, lane);
  if (immediates === "mx") return storeLane(name as "v128.store32_lane", offset, first, second);
  if (immediates === "m") return untyped.access(name as never, offset, ...(operands as never[]));
  return untyped.op(name as never, ...(operands as never[]));
}

/** A module of one function around one instruction; vectors come and go through memory, by address. */
function moduleOf(name: Instruction, example: Example, shared: boolean): Uint8Array<ArrayBuffer> {
  const [, letters, result] = INSTRUCTIONS[name] as readonly [number, string, keyof typeof VALUE_TYPES | ""];
  const types = [...letters].map((letter) => VALUE_TYPES[letter as keyof typeof VALUE_TYPES]);
  const module = moduleBuilder({ shared, least: 1, most: 1 });
  const parameters: Record<string, ValueType> = { at: "i32" };
  for (const [i, type] of types.entries()) parameters[`p${i}`] = type === "v128" ? "i32" : type;
  module.func(
    "f",
    parameters,
    (p) => {
      const read = (local: Local<ValueType>) => access("v128.load", 0, local as Local<"i32">);
      const operands = types.map((type, i) => (type === "v128" ? read(p[`p${i}`]!) : p[`p${i}`]!));
      const code = emit(name, operands, example);
      return result === "v"
        ? [access("v128.store", 0, p["at"] as Local<"i32">, code as Expression<"v128">)]
        : [code as Statement];
    },
    { export: true, ...(result === "" || result === "v" ? {} : { result: VALUE_TYPES[result] }) } as { export: true },
  );
  return module.bytes();
}

function run(name: Instruction, example: Example): void {
  const shared = name.includes("atomic");
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(new Uint8Array(WORDS.buffer), DATA);
  let vectors = 0;
  const given = example.operands.map((operand) => {
    if (typeof operand !== "object") return operand;
    const address = 16 * vectors++;
    bytes.set(new Uint8Array(operand.buffer, operand.byteOffset, 16), address);
    return address;
  });
  const at = 512;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(name, example, shared)), {
    env: { memory },
  });
  const f = exports["f"] as (...values: readonly (number | bigint)[]) => number | undefined;
  if (example.traps) {
    expect(() => f(at, ...given)).toThrow(WebAssembly.RuntimeError);
    return;
  }
  const result = f(at, ...given);
  const compare = (expected: Vector, address: number) => {
    const buffer = bytes.slice(address, address + expected.byteLength).buffer;
    const Numbers = expected.constructor as new (buffer: ArrayBuffer) => Vector;
    // As arrays: then 0 and −0 are two things.
    expect([...new Numbers(buffer)]).toEqual([...expected]);
  };
  if (typeof example.gives === "object") compare(example.gives, at);
  else expect(result).toEqual(example.gives);
  if (example.leaves !== undefined) compare(example.leaves, DATA);
}

describe("each row of the table", () => {
  const rows = Object.entries(EXAMPLES) as [Instruction, readonly Example[]][];
  const canRun = (name: Instruction) =>
    (!name.includes("relaxed") || probeFeatures().relaxed) && (!name.includes("atomic") || probeFeatures().shared);

  it.each(rows)("%s is read back by that name", (name, examples) => {
    for (const example of examples) {
      const lines = instructionLines(readBack(moduleOf(name, example, name.includes("atomic")), ALL));
      const around = /^(local\.get|v128\.load|v128\.store)\b/;
      expect(lines.map(instructionName).filter((found) => found !== name && !around.test(found))).toEqual([]);
      const expected = [
        name,
        ...(example.offset === undefined ? [] : [`offset=${example.offset}`]),
        ...(example.lane === undefined ? [] : [`${example.lane}`]),
      ].join(" ");
      // The natural alignment is left out of the text.
      expect(lines).toContain(expected);
    }
  });

  it.each(rows.filter(([name]) => canRun(name)))(
    "%s does on edge values what was written by hand",
    (name, examples) => {
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) run(name, example);
    },
  );

  const lacking = rows.filter(([name]) => !canRun(name)).map(([name]) => name);
  if (lacking.length > 0) {
    it(`could not run ${lacking.join(", ")}: Node ${process.version} does not validate it`, () => {
      expect(lacking).toEqual(["f32x4.relaxed_madd"]);
      expect(Number(process.versions.node.split(".")[0])).toBeLessThan(22);
    });
  }
});

/** A function without parameters, called. */
function value<R extends "i32" | "i64" | "f32">(result: R, code: Expression<R>): unknown {
  return callOnce((module) => module.func("f", {}, () => [code], { export: true, result }));
}

/** Calls `f` of a module on one page of memory. */
function callOnce(build: (module: ReturnType<typeof moduleBuilder>) => void, ...values: readonly number[]): unknown {
  const module = moduleBuilder({ shared: false, most: 1 });
  build(module);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  readBack(module.bytes(), { simd: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
  return (exports["f"] as (...values: readonly number[]) => unknown)(...values);
}

describe("numbers", () => {
  const edges = [0, 1, 63, 64, 127, 128, 8191, 8192, 16383, 16384, 1048575, 1048576, 134217727, 134217728, MAX];

  it.each([...edges, ...edges.map((edge) => -edge - 1)])("%i is the same number as a constant", (number) => {
    expect(value("i32", int(number))).toBe(number);
    expect(value("i64", long(number))).toBe(BigInt(number));
  });

  it.each([0, -0, 1.5, 0.1, nan, inf, -inf, 2 ** -149, 3.4028234663852886e38])("%f is a float32 constant", (number) => {
    expect(value("f32", float(number))).toBe(Math.fround(number));
  });

  it.each([0, 127, 128, 16383, 16384, 2097151, 2097152, 2 ** 31, 2 ** 32 - 1])("%i is an offset", (offset) => {
    const module = moduleBuilder({ shared: false });
    module.func("f", {}, () => [access("i32.load", offset, int(0))], { export: true, result: "i32" });
    const lines = instructionLines(readBack(module.bytes(), {}));
    expect(lines).toContain(offset === 0 ? "i32.load" : `i32.load offset=${offset}`);
  });

  it.each([1, 126, 127, 128, 129, 16383, 16384, 16385])("%i locals, the last of which is set and read", (count) => {
    const result = callOnce((module) =>
      module.func(
        "f",
        {},
        (_, local) => {
          const locals = Array.from({ length: count }, () => local("i32"));
          return [set(locals[count - 1]!, int(77)), locals[count - 1]!];
        },
        { export: true, result: "i32" },
      ),
    );
    expect(result).toBe(77);
  });

  it("a function of 127 bytes and one of 128 both end where they should", () => {
    for (let size = 100; size < 140; size++) {
      const add = Array.from({ length: size }, () => 0).reduce<Expression<"i32">>(
        (sum, _) => op("i32.add", sum, int(1)),
        int(0),
      );
      expect(value("i32", add)).toBe(size);
    }
  });
});

describe("statements and expressions", () => {
  const ofOne = (build: (x: Local<"i32">, y: Local<"i32">) => readonly (Statement | Expression<"i32">)[]) => {
    return (x: number) =>
      callOnce(
        (module) =>
          module.func("f", { x: "i32" }, (p, local) => build(p.x, local("i32")), { export: true, result: "i32" }),
        x,
      );
  };

  it("select takes the first value unless the condition is 0", () => {
    const f = ofOne((x) => [select(int(10), int(20), x)]);
    expect([f(0), f(1), f(-1), f(MIN)]).toEqual([20, 10, 10, 10]);
  });

  it("select takes vectors too", () => {
    const f = ofOne((x) => {
      const vector = select(op("f32x4.splat", float(1)), op("f32x4.splat", float(2)), x);
      return [access("f32.store", 0, int(0), extractLane(vector, 3)), access("i32.load", 0, int(0))];
    });
    expect([f(1), f(0)]).toEqual([0x3f800000, 0x40000000]);
  });

  it("when runs one branch, and without an otherwise none", () => {
    const both = ofOne((x, y) => [when(x, [set(y, int(1)), set(y, op("i32.add", y, int(1)))], [set(y, int(9))]), y]);
    expect([both(0), both(5)]).toEqual([9, 2]);
    const alone = ofOne((x, y) => [when(x, [set(y, int(1))]), y]);
    expect([alone(0), alone(5)]).toEqual([0, 1]);
    const empty = ofOne((x, y) => [when(x, []), y]);
    expect(empty(1)).toBe(0);
  });

  it("repeat runs its body once at least, and nested ones keep to their own loop", () => {
    const countDown = (local: Local<"i32">) => tee(local, op("i32.sub", local, int(1)));
    const once = ofOne((x, y) => [repeat([set(y, op("i32.add", y, int(1)))], int(0)), op("i32.add", x, y)]);
    expect(once(40)).toBe(41);
    const sum = ofOne((x, y) => [repeat([set(y, op("i32.add", y, x))], countDown(x)), y]);
    expect(sum(4)).toBe(10);
    const square = callOnce(
      (module) =>
        module.func(
          "f",
          { x: "i32" },
          ({ x }, local) => {
            const [outer, inner, total] = [local("i32"), local("i32"), local("i32")];
            const body = [
              set(inner, x),
              repeat([when(inner, [set(total, op("i32.add", total, int(1)))])], countDown(inner)),
            ];
            return [set(outer, x), repeat(body, countDown(outer)), total];
          },
          { export: true, result: "i32" },
        ),
      7,
    );
    expect(square).toBe(49);
  });

  it("tee sets a local and leaves its value; drop leaves nothing", () => {
    const f = ofOne((x, y) => [drop(tee(y, op("i32.mul", x, x))), op("i32.add", tee(x, int(1)), y)]);
    expect(f(6)).toBe(37);
  });

  it("call gives arguments by name, in the order of the parameters", () => {
    const f = (order: "xy" | "yx") =>
      callOnce((module) => {
        const minus = module.func("minus", { x: "i32", y: "i32" }, ({ x, y }) => [op("i32.sub", x, y)], {
          result: "i32",
        });
        const store = module.func("store", { value: "f32" }, (p) => [access("f32.store", 0, int(8), p.value)]);
        const given = order === "xy" ? { x: int(10), y: int(3) } : { y: int(3), x: int(10) };
        const difference = op("f32.convert_i32_u", call(minus, given));
        module.func("f", {}, () => [call(store, { value: difference }), access("f32.load", 8, int(0))], {
          export: true,
          result: "f32",
        });
      });
    expect([f("xy"), f("yx")]).toEqual([7, 7]);
  });

  it("knows each type of a parameter and of a local", () => {
    const module = moduleBuilder({ shared: false });
    module.func("f", { a: "i32", b: "i64", c: "f32", d: "f64", e: "v128" }, (p, local) => {
      const types = ["v128", "f64", "f32", "i64", "i32"] as const;
      for (const type of types) local(type);
      return [drop(p.b), drop(p.e)];
    });
    const text = readBack(module.bytes(), { simd: true });
    expect(text).toContain("(param i32 i64 f32 f64 v128)");
    expect(text).toContain("(local v128 f64 f32 i64 i32)");
  });
});

describe("modules", () => {
  it.each<readonly [MemoryLimits, string]>([
    [{ shared: false }, "(memory (;0;) 1 65536)"],
    [{ shared: true }, "(memory (;0;) 1 65536 shared)"],
    [{ shared: false, least: 127, most: 128 }, "(memory (;0;) 127 128)"],
    [{ shared: true, least: 0, most: 16384 }, "(memory (;0;) 0 16384 shared)"],
  ])("%j imports a memory of these limits", (limits, expected) => {
    const module = moduleBuilder(limits);
    expect(readBack(module.bytes(), { threads: limits.shared })).toContain(`(import "env" "memory" ${expected})`);
    if (!limits.shared || probeFeatures().shared) {
      const initial = Math.max(limits.least ?? 1, 1);
      const memory = new WebAssembly.Memory({ initial, maximum: limits.most ?? 65536, shared: limits.shared });
      expect(new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } })).toBeDefined();
    }
  });

  it("exports what it is told, and names all in the name section", () => {
    const module = moduleBuilder({ shared: false });
    module.func("f32-inner-4x8", {}, () => []);
    module.func("outer", {}, () => [], { export: true });
    const binary = new WebAssembly.Module(module.bytes());
    expect(WebAssembly.Module.exports(binary)).toEqual([{ name: "outer", kind: "function" }]);
    expect(WebAssembly.Module.customSections(binary, "name")).toHaveLength(1);
    const text = readBack(module.bytes(), {});
    expect(text).toContain("(func $f32-inner-4x8");
    expect(text).toContain("(func $outer");
  });

  it("a trap names the kernel it happened in", () => {
    let stack = "";
    try {
      callOnce((module) => module.func("f", {}, () => [drop(access("i32.load", 0, int(-1)))], { export: true }));
    } catch (error) {
      stack = (error as Error).stack ?? "";
    }
    expect(stack).toMatch(/at f \(wasm:/);
  });
});
