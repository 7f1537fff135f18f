/** Files as torch.save writes them, both forms, and pickles opcode by opcode: the tests' own small writers. */

import { crc32, deflateRawSync } from "node:zlib";

const text = new TextEncoder();

/** Opcodes and their arguments, joined. Numbers are bytes, strings are text. */
export function code(...parts: (number | string | Uint8Array | readonly number[])[]): Uint8Array {
  return join(
    parts.map((part) =>
      typeof part === "number"
        ? Uint8Array.of(part)
        : typeof part === "string"
          ? text.encode(part)
          : part instanceof Uint8Array
            ? part
            : Uint8Array.from(part),
    ),
  );
}

export const u16 = (value: number) => [value & 255, value >>> 8];
export const u32 = (value: number) => [...u16(value & 65535), ...u16(value >>> 16)];
export const u64 = (value: number) => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];

const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** What `pickled` writes: plain data; a Map is a dict, an array a list, `tuple` a tuple, `Raw` opcodes. */
export type Value = null | boolean | number | bigint | string | Uint8Array | Value[] | Map<Value, Value> | Tuple | Raw;
export interface Tuple {
  readonly tuple: readonly Value[];
}
export interface Raw {
  readonly raw: Uint8Array;
}

export const tuple = (...items: Value[]): Tuple => ({ tuple: items });
export const global = (module: string, name: string): Raw => ({ raw: code("c", module, "\n", name, "\n") });
export const dict = (entries: Record<string, Value>): Map<Value, Value> => new Map(Object.entries(entries));
export const reduce = (callee: Raw, ...args: Value[]): Raw => ({ raw: code(callee.raw, body(tuple(...args)), "R") });

/** A whole pickle of protocol 2 (3 where bytes are inside). */
export const pickled = (value: Value): Uint8Array => code(0x80, 2, body(value), ".");

/** Opcodes that leave the value on the stack. */
export function body(value: Value): Uint8Array {
  if (value === null) return code("N");
  if (typeof value === "boolean") return code(value ? 0x88 : 0x89);
  if (typeof value === "bigint") return long(value);
  if (typeof value === "number") return number(value);
  if (typeof value === "string") return code("X", u32(text.encode(value).length), value);
  if (value instanceof Uint8Array) return code("B", u32(value.length), value);
  if (Array.isArray(value)) return code("](", join(value.map(body)), "e");
  if (value instanceof Map) return code("}(", join([...value].flatMap(([k, v]) => [body(k), body(v)])), "u");
  if ("raw" in value) return value.raw;
  return code("(", join(value.tuple.map(body)), "t");
}

function number(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return code("G", bytes);
  }
  if (value >= 0 && value < 256) return code("K", value);
  if (value >= 0 && value < 65536) return code("M", u16(value));
  if (Math.abs(value) < 2 ** 31) return code("J", u32(value >>> 0));
  return long(BigInt(value));
}

function long(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 255n));
    rest >>= 8n;
  } while (rest !== ((bytes.at(-1) ?? 0) >= 128 ? -1n : 0n));
  return code(0x8a, bytes.length, bytes);
}

/** A tensor to write: its storage's key, and its place in the storage. */
export interface TensorSpec {
  readonly key: string;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly type?: string;
  /** Elements of the storage. */
  readonly elements: number;
  /** View metadata, which the old form adds to a reference. */
  readonly view?: Value;
}

const rowMajor = (shape: readonly number[]) =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));

/** The call of `_rebuild_tensor_v2`. */
export function tensorValue(spec: TensorSpec): Raw {
  const { key, shape, strides = rowMajor(shape), offset = 0, type = "FloatStorage", elements, view } = spec;
  const reference = tuple(
    "storage",
    global("torch", type),
    key,
    "cpu",
    elements,
    ...(view === undefined ? [] : [view]),
  );
  const stored: Raw = { raw: code(body(reference), "Q") };
  const hooks = reduce(global("collections", "OrderedDict"));
  const rebuild = global("torch._utils", "_rebuild_tensor_v2");
  return reduce(rebuild, stored, offset, tuple(...shape), tuple(...strides), false, hooks);
}

/** An `OrderedDict` of tensors with `_metadata`, as `state_dict()` gives it. */
export function stateDict(entries: Record<string, Value>): Raw {
  const items = Object.entries(entries).flatMap(([name, value]) => [body(name), body(value)]);
  const state = dict({ _metadata: dict({ "": dict({ version: 1 }) }) });
  return { raw: code("ccollections\nOrderedDict\n)R(", join(items), "u", body(state), "b") };
}

export type Storage = readonly [key: string, elements: number, bytes: Uint8Array];

export const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** The form before 1.6. */
export function oldForm(object: Value, storages: readonly Storage[]): Uint8Array {
  const system = dict({ protocol_version: 1001, little_endian: true, type_sizes: dict({ short: 2, int: 4, long: 4 }) });
  const parts = [0x1950a86a20f9469cfc6cn, 1001, system, object, storages.map(([key]) => key)].map(pickled);
  return join([...parts, ...storages.flatMap(([, elements, bytes]) => [code(u64(elements)), bytes])]);
}

/** The zip form. */
export function zipForm(
  object: Value | Uint8Array,
  storages: readonly Storage[],
  { prefix = "archive/", more = [] as readonly ZipItem[], byteorder = "little" } = {},
): Uint8Array {
  return zip([
    [`${prefix}data.pkl`, object instanceof Uint8Array ? object : pickled(object)],
    ...(byteorder === "" ? [] : [[`${prefix}byteorder`, code(byteorder)] as const]),
    ...storages.map(([key, , bytes]) => [`${prefix}data/${key}`, bytes] as const),
    [`${prefix}version`, code("3\n")],
    ...more,
  ]);
}

export type ZipItem = readonly [name: string, bytes: Uint8Array, how?: "deflated"];

export interface ZipOptions {
  /** Write sizes and offsets in zip64 fields. */
  readonly zip64?: boolean;
  readonly comment?: string;
  /** Added to all offsets, as a writer does that knows of bytes in front. */
  readonly shift?: number;
}

export function zip(
  items: readonly ZipItem[],
  { zip64 = false, comment = "", shift = 0 }: ZipOptions = {},
): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes, how] of items) {
    const packed = how === "deflated" ? new Uint8Array(deflateRawSync(bytes)) : bytes;
    const method = [0, 0, ...u16(how === "deflated" ? 8 : 0), 0, 0, 0, 0, ...u32(crc32(bytes))];
    const lengths = [...u16(text.encode(name).length), ...u16(0)];
    const file = code(u32(0x04034b50), u16(20), method, u32(packed.length), u32(bytes.length), lengths, name, packed);
    const extra = zip64 ? code(u16(1), u16(24), u64(bytes.length), u64(packed.length), u64(at + shift)) : code();
    const sizes = zip64 ? [...u32(0xffffffff), ...u32(0xffffffff)] : [...u32(packed.length), ...u32(bytes.length)];
    const nameAndExtra = [...u16(text.encode(name).length), ...u16(extra.length), ...u16(0), 0, 0, 0, 0, 0, 0, 0, 0];
    const offset = u32(zip64 ? 0xffffffff : at + shift);
    directory.push(code(u32(0x02014b50), u16(20), u16(20), method, sizes, nameAndExtra, offset, name, extra));
    files.push(file);
    at += file.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const count = items.length;
  const last = zip64
    ? code(
        [...u32(0x06064b50), ...u64(44), ...u16(45), ...u16(45), ...u32(0), ...u32(0), ...u64(count), ...u64(count)],
        [...u64(size), ...u64(at + shift), ...u32(0x07064b50), ...u32(0), ...u64(at + size + shift), ...u32(1)],
      )
    : code();
  const small = zip64
    ? [...u16(0xffff), ...u16(0xffff), ...u32(0xffffffff), ...u32(0xffffffff)]
    : [...u16(count), ...u16(count), ...u32(size), ...u32(at + shift)];
  const end = code(u32(0x06054b50), u16(0), u16(0), small, u16(comment.length), comment);
  return join([...files, ...directory, last, end]);
}
