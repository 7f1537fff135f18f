/**
 * Protobuf messages by a table of their fields, bounds-checked, over the reader of @bufbuild/protobuf.
 *
 * Whatever is decoded is charged to the budget of the load first: two bytes of a file can stand for an object of hundreds.
 * Byte fields are views of the file and cost nothing. Only the messages in a table are entered, so nesting in the
 * file has no depth of its own.
 *
 * Source of the encoding: protobuf.dev, "Encoding".
 */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { isDepthwiseError } from "../../core/errors.ts";
import { damaged } from "../../core/file-error.ts";
import { budgetOf, type ReadLimits } from "../../sources/decoded-budget.ts";
import type { OpenFile } from "../../sources/open-file.ts";

interface Scalars {
  string: string;
  bytes: Uint8Array;
  /** int32, int64, enum, bool; beyond 2^53 the nearest double. */
  int: number;
  float: number;
  double: number;
}

/** Number of the field, what it holds, and whether more than once (numbers packed or not). */
export type FieldSchema =
  | readonly [number: number, kind: keyof Scalars | MessageSchema]
  | readonly [number: number, kind: keyof Scalars | MessageSchema, repeated: "repeated"];

export interface MessageSchema {
  readonly [field: string]: FieldSchema;
}

type FieldValue<Kind> = Kind extends keyof Scalars ? Scalars[Kind] : Kind extends MessageSchema ? Message<Kind> : never;

/** A decoded message: undefined for what the file leaves out, a list for what is repeated. */
export type Message<Schema extends MessageSchema> = {
  readonly [Name in keyof Schema]: Schema[Name] extends readonly [number, infer Kind, "repeated"]
    ? readonly FieldValue<Kind>[]
    : FieldValue<Schema[Name][1]> | undefined;
};

/** How the numbers of a repeated field are encoded. */
export type NumberKind = "float" | "double" | "int32" | "int64";

export interface Protobuf {
  /** Of the file, for messages. */
  readonly name: string;
  /** Numbers and wire types of the fields on the top level, as `7:2`, up to where the file breaks off. */
  outline(): ReadonlySet<string>;
  /** The whole file as this message. */
  decodeFile<Schema extends MessageSchema>(schema: Schema, what: string): Message<Schema>;
  /** A message inside the file, from a `bytes` field. */
  decode<Schema extends MessageSchema>(schema: Schema, bytes: Uint8Array, what: string): Message<Schema>;
  /** How many numbers a repeated field of a message holds. Allocates nothing. */
  countNumbers(message: Uint8Array, field: number, kind: NumberKind, what: string): number;
  /** Writes the numbers of a repeated field into `target`; those beyond its end are dropped. */
  copyNumbers(message: Uint8Array, field: number, kind: NumberKind, target: NumberTarget, what: string): void;
  /** @throws {DepthwiseError} `FILE_TOO_LARGE` if everything charged so far and this exceed what may be decoded */
  charge(bytes: number, what: string): void;
  /** The same for small objects, of which an ordinary network's are free. */
  chargeObjects(bytes: number, what: string): void;
}

export type NumberTarget = Float32Array | Float64Array | Uint16Array;

/** Costs of what decoding allocates, in bytes, measured in V8; a view of the file is dear, whatever its length. */
const COST = { message: 200, field: 72, value: 32, text: 32, view: 200 };

const WIRE = { varint: 0, bits64: 1, bytes: 2, bits32: 5 } as const;

const WIRE_OF = {
  string: WIRE.bytes,
  bytes: WIRE.bytes,
  int: WIRE.varint,
  float: WIRE.bits32,
  double: WIRE.bits64,
  int32: WIRE.varint,
  int64: WIRE.varint,
} as const satisfies Record<keyof Scalars | NumberKind, number>;

/** Fields on the top level that are looked at to tell what a file is. */
const OUTLINE_FIELDS = 4096;

/**
 * A decoder for one file.
 *
 * Its methods throw `FILE_TRUNCATED` where a field runs over the end of the file, `FILE_CORRUPT` for any other fault
 * of the encoding, and `FILE_TOO_LARGE` beyond what may be decoded.
 */
export function openProtobuf({ name, bytes }: Pick<OpenFile, "name" | "bytes">, limits: ReadLimits): Protobuf {
  const budget = budgetOf(limits);
  const charge = (bytes: number, what: string) => budget.charge(name, bytes, what);
  const chargeObjects = (cost: number, what: string) => budget.chargeObjects(name, cost, what);
  const open = (message: Uint8Array) => new BinaryReader(message);
  const walk = (message: Uint8Array, what: string, visit: Visit) => {
    const reader = open(message);
    guard(name, what, message === bytes, () => {
      while (reader.pos < reader.len) {
        const [number, wireType] = reader.tag();
        if (!visit(reader, number, wireType)) reader.skip(wireType, number);
      }
    });
  };

  const decode = (schema: MessageSchema, message: Uint8Array, what: string): unknown => {
    const fields = Object.entries(schema);
    chargeObjects(COST.message + COST.field * fields.length, what);
    const result: Record<string, unknown> = {};
    for (const [field, { 2: repeated }] of fields) result[field] = repeated && [];
    walk(message, what, (reader, number, wireType) => {
      const found = fields.find(([, [fieldNumber]]) => fieldNumber === number);
      if (found === undefined) return false;
      const [field, [, kind, repeated]] = found;
      const where = `${what}.${field}`;
      const add = (value: unknown) => {
        chargeObjects(COST.value, where);
        if (repeated) (result[field] as unknown[]).push(value);
        else result[field] = value;
      };
      if (typeof kind === "object") {
        expectWire(name, where, wireType, WIRE.bytes);
        add(decode(kind, reader.bytes(), where));
      } else if (repeated && wireType === WIRE.bytes && WIRE_OF[kind] !== WIRE.bytes) {
        for (const list = open(reader.bytes()); list.pos < list.len; ) add(READ[kind](list));
      } else {
        expectWire(name, where, wireType, WIRE_OF[kind]);
        const start = reader.pos;
        add(READ[kind](reader));
        if (kind === "string") chargeObjects(COST.text + 2 * (reader.pos - start), where);
        else if (kind === "bytes") chargeObjects(COST.view, where);
      }
      return true;
    });
    return result;
  };

  const eachList = (message: Uint8Array, field: number, kind: NumberKind, what: string, use: (list: Run) => void) =>
    walk(message, what, (reader, number, wireType) => {
      if (number !== field) return false;
      if (wireType === WIRE.bytes) {
        const list = open(reader.bytes());
        use({ list, end: list.len });
      } else {
        expectWire(name, `${what}, field ${field}`, wireType, WIRE_OF[kind]);
        use({ list: reader, end: reader.pos + 1 });
      }
      return true;
    });

  return {
    name,
    charge,
    chargeObjects,
    outline() {
      const seen = new Set<string>();
      const reader = open(bytes);
      try {
        for (let fields = 0; reader.pos < reader.len && fields < OUTLINE_FIELDS; fields++) {
          const [number, wireType] = reader.tag();
          seen.add(`${number}:${wireType}`);
          reader.skip(wireType, number);
        }
      } catch {
        // What came before the break still tells what the file is; decoding it reports the break.
      }
      return seen;
    },
    decodeFile: (schema, what) => decode(schema, bytes, what) as Message<typeof schema>,
    decode: (schema, message, what) => decode(schema, message, what) as Message<typeof schema>,
    countNumbers(message, field, kind, what) {
      let count = 0;
      eachList(message, field, kind, what, ({ list, end }) => {
        for (; list.pos < end; count++) READ[kind](list);
      });
      return count;
    },
    copyNumbers(message, field, kind, target, what) {
      let at = 0;
      eachList(message, field, kind, what, ({ list, end }) => {
        while (list.pos < end) target[at++] = READ[kind](list);
      });
    },
  };
}

type Visit = (reader: BinaryReader, field: number, wireType: number) => boolean;

/** Numbers one behind the other, up to a position; a single one ends behind it, wherever that is. */
interface Run {
  readonly list: BinaryReader;
  readonly end: number;
}

const READ = {
  string: (reader) => reader.string(),
  bytes: (reader) => reader.bytes(),
  int: (reader) => Number(reader.int64()),
  int64: (reader) => Number(reader.int64()),
  int32: (reader) => reader.int32(),
  float: (reader) => reader.float(),
  double: (reader) => reader.double(),
} as const satisfies { readonly [Kind in keyof Scalars]: (reader: BinaryReader) => Scalars[Kind] } & {
  readonly [Kind in NumberKind]: (reader: BinaryReader) => number;
};

/** The package throws a `RangeError` where data ends too early, and plain errors otherwise. */
function guard(name: string, what: string, isWholeFile: boolean, read: () => void): void {
  try {
    read();
  } catch (cause) {
    if (isDepthwiseError(cause)) throw cause;
    const isCut = isWholeFile && cause instanceof RangeError;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw damaged(name, what, { code: isCut ? "FILE_TRUNCATED" : "FILE_CORRUPT", found: reason, cause });
  }
}

function expectWire(name: string, what: string, found: number, expected: number): void {
  if (found === expected) return;
  throw damaged(name, what, { expected: `wire type ${expected}`, found: `${found}` });
}
