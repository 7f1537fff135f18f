/** Writes small TFLite files for tests: tables as plain data, by the numbers of their fields in the schema. */

import { type Zippable, zipSync } from "fflate";
import { Builder } from "flatbuffers";

export type Field =
  | readonly ["int8" | "int32" | "float32", number]
  | readonly ["uint64", number]
  | readonly ["text", string]
  | readonly ["bytes", Uint8Array]
  | readonly ["int32s" | "int64s" | "float32s", readonly number[]]
  | readonly ["table", Table]
  | readonly ["tables", readonly Table[]];

export type Table = { readonly [field: number]: Field };

/** A flatbuffer of one table and all it refers to. */
export function flatbuffer(root: Table, identifier: string): Uint8Array {
  const builder = new Builder(1024);
  builder.forceDefaults(true);
  builder.finish(writeTable(builder, root), identifier);
  return builder.asUint8Array().slice();
}

function writeTable(builder: Builder, table: Table): number {
  const fields = Object.entries(table).map(([field, value]) => [Number(field), value as Field] as const);
  const parts = new Map(fields.map(([field, value]) => [field, writePart(builder, value)]));
  builder.startObject(Math.max(-1, ...fields.map(([field]) => field)) + 1);
  for (const [field, [type, value]] of fields) {
    const part = parts.get(field) ?? 0;
    if (type === "int8") builder.addFieldInt8(field, value, null);
    else if (type === "int32") builder.addFieldInt32(field, value, null);
    else if (type === "float32") builder.addFieldFloat32(field, value, null);
    else if (type === "uint64") builder.addFieldInt64(field, BigInt(value), null);
    else builder.addFieldOffset(field, part, 0);
  }
  return builder.endObject();
}

/** What stands outside of the table that refers to it. */
function writePart(builder: Builder, [type, value]: Field): number {
  const vector = (size: number, items: readonly number[], add: (item: number) => void): number => {
    builder.startVector(size, items.length, size);
    for (const item of [...items].reverse()) add(item);
    return builder.endVector();
  };
  switch (type) {
    case "text":
      return builder.createString(value);
    case "bytes":
      return builder.createByteVector(value);
    case "int32s":
      return vector(4, value, (item) => builder.addInt32(item));
    case "float32s":
      return vector(4, value, (item) => builder.addFloat32(item));
    case "int64s":
      return vector(8, value, (item) => builder.addInt64(BigInt(item)));
    case "table":
      return writeTable(builder, value);
    case "tables": {
      const offsets = value.map((table) => writeTable(builder, table));
      return vector(4, offsets, (offset) => builder.addOffset(offset));
    }
    default:
      return 0;
  }
}

export const TYPE = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  bool: 6,
  int16: 7,
  int8: 9,
  float64: 10,
  int4: 17,
};

export interface TensorSpec {
  readonly name?: string;
  readonly shape: readonly number[];
  readonly type?: keyof typeof TYPE | number;
  readonly data?: Uint8Array;
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly number[];
  readonly axis?: number;
  /** Further fields of the tensor, and of its quantization. */
  readonly more?: Table;
  readonly moreQuantization?: Table;
}

export interface OperatorSpec {
  readonly code: number;
  readonly custom?: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: Table;
}

export interface ModelSpec {
  readonly tensors: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly inputs?: readonly number[];
  readonly outputs?: readonly number[];
  readonly subgraphs?: number;
  readonly metadata?: { readonly [name: string]: Uint8Array };
  /** Data behind the flatbuffer, found by offset and size. */
  readonly outside?: boolean;
  readonly more?: Table;
}

export function tflite(spec: ModelSpec): Uint8Array {
  if (spec.outside !== true) return flatbuffer(modelTable(spec, undefined), "TFL3");
  // Offsets have a fixed width: a first writing tells how long the flatbuffer is.
  const begin = flatbuffer(modelTable(spec, 0), "TFL3").length;
  const blocks = spec.tensors.map(({ data }) => data ?? new Uint8Array());
  const bytes = [flatbuffer(modelTable(spec, begin), "TFL3"), ...blocks];
  return concatenate(bytes);
}

function modelTable(spec: ModelSpec, outsideAt: number | undefined): Table {
  const { tensors, operators, inputs = [0], outputs = [tensors.length - 1], subgraphs = 1, metadata = {} } = spec;
  const blocks = Object.entries(metadata);
  let at = outsideAt ?? 0;
  const buffers: Table[] = [{}];
  for (const { data } of tensors) {
    if (data === undefined) buffers.push({});
    else if (outsideAt === undefined) buffers.push({ 0: ["bytes", data] });
    else buffers.push({ 1: ["uint64", at], 2: ["uint64", data.length] });
    at += data?.length ?? 0;
  }
  buffers.push(...blocks.map(([, data]): Table => ({ 0: ["bytes", data] })));
  const graph: Table = {
    0: ["tables", tensors.map(tensorTable)],
    1: ["int32s", inputs],
    2: ["int32s", outputs],
    3: ["tables", operators.map(operatorTable)],
  };
  return {
    0: ["int32", 3],
    1: ["tables", operators.map(codeTable)],
    2: ["tables", Array.from({ length: subgraphs }, () => graph)],
    3: ["text", "written by a test"],
    4: ["tables", buffers],
    6: ["tables", blocks.map(([name], i): Table => ({ 0: ["text", name], 1: ["int32", tensors.length + 1 + i] }))],
    ...spec.more,
  };
}

function tensorTable(spec: TensorSpec, index: number): Table {
  const { name = `t${index}`, shape, type = "float32", scale, zeroPoint, axis = 0, more, moreQuantization } = spec;
  const quantization: Table = {
    ...(scale === undefined ? {} : { 2: ["float32s", scale] as const }),
    ...(zeroPoint === undefined ? {} : { 3: ["int64s", zeroPoint] as const }),
    6: ["int32", axis],
    ...moreQuantization,
  };
  return {
    0: ["int32s", shape],
    1: ["int8", typeof type === "number" ? type : TYPE[type]],
    2: ["int32", index + 1],
    3: ["text", name],
    4: ["table", quantization],
    ...more,
  };
}

/** One code an operator; those above 127 stand in the newer field, with the placeholder in the old one. */
function codeTable({ code, custom }: OperatorSpec): Table {
  return {
    0: ["int8", Math.min(code, 127)],
    ...(custom === undefined ? {} : { 1: ["text", custom] as const }),
    ...(code < 127 ? {} : { 3: ["int32", code] as const }),
  };
}

function operatorTable({ inputs, outputs, options }: OperatorSpec, index: number): Table {
  return {
    0: ["int32", index],
    1: ["int32s", inputs],
    2: ["int32s", outputs],
    ...(options === undefined ? {} : { 3: ["int8", 1] as const, 4: ["table", options] as const }),
  };
}

/** The file with a zip archive on its end, whose offsets count from the file's beginning. */
export function withZip(file: Uint8Array, files: Zippable): Uint8Array {
  const zip = zipSync(files);
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.length - 22;
  const moved = (at: number) => view.setUint32(at, view.getUint32(at, true) + file.length, true);
  let entry = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    moved(entry + 42);
    entry +=
      46 + view.getUint16(entry + 28, true) + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  moved(end + 16);
  return concatenate([file, zip]);
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export function integers(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}
