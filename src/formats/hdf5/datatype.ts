/**
 * Types of elements, and shapes.
 *
 * Source: HDF5 File Format Specification, IV.A.2.b (data space) and IV.A.2.d (data type).
 */

import { damaged } from "../../core/file-error.ts";
import type { Shape } from "../../core/tensor.ts";
import { isCountable, type StoredDType } from "../stored-tensor.ts";
import type { Reader, Source } from "./source.ts";

export type DataType =
  | { readonly type: "number"; readonly dtype: StoredDType; readonly byteCount: number; readonly isBigEndian: boolean }
  | { readonly type: "text"; readonly byteCount: number }
  /** Text of any length, which lies in a global heap: the element is a length, an address and an index. */
  | { readonly type: "far text"; readonly byteCount: number }
  | { readonly type: "other"; readonly byteCount: number };

const INTEGERS: Readonly<Record<number, readonly [unsigned: StoredDType, signed: StoredDType]>> = {
  1: ["U8", "I8"],
  2: ["U16", "I16"],
  4: ["U32", "I32"],
  8: ["U64", "I64"],
};

/** By bytes, bits of the exponent and bits of the fraction: IEEE 754, and bfloat16. */
const FLOATS: Readonly<Record<string, StoredDType>> = {
  "2/5/10": "F16",
  "2/8/7": "BF16",
  "4/8/23": "F32",
  "8/11/52": "F64",
};

export function readDataType(reader: Reader): DataType {
  const kind = reader.u8() & 15;
  const flags = reader.u8();
  reader.skip(2);
  const byteCount = reader.u32();
  const other: DataType = { type: "other", byteCount };
  const isBigEndian = (flags & 1) !== 0;
  switch (kind) {
    case 0: {
      const dtype = INTEGERS[byteCount]?.[flags & 8 ? 1 : 0];
      return dtype === undefined ? other : { type: "number", dtype, byteCount, isBigEndian };
    }
    case 1: {
      reader.skip(5);
      const exponentBits = reader.u8();
      reader.skip(1);
      const fractionBits = reader.u8();
      const dtype = FLOATS[`${byteCount}/${exponentBits}/${fractionBits}`];
      // Bit 6 stands for the order of bytes of a VAX.
      return dtype === undefined || (flags & 0x40) !== 0 ? other : { type: "number", dtype, byteCount, isBigEndian };
    }
    case 3:
      return { type: "text", byteCount };
    case 9:
      return (flags & 15) === 1 ? { type: "far text", byteCount } : other;
    default:
      return other;
  }
}

/** @returns sides, `[]` for a single value; a space without any element is `[0]` */
export function readDataSpace(source: Source, reader: Reader): Shape {
  const version = reader.u8();
  const rank = reader.u8();
  reader.skip(1);
  if (version !== 1 && version !== 2) throw damaged(source.name, `a shape of version ${version}`);
  if (version === 1) reader.skip(5);
  else if (reader.u8() === 2) return [0];
  const shape = Array.from({ length: rank }, () => reader.length());
  if (!isCountable(shape)) {
    throw damaged(source.name, "a shape of more elements than there can be");
  }
  return shape;
}
