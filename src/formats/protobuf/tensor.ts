/** Constants out of protobuf files: raw bytes, or lists of numbers, checked at once and decoded when asked for. */

import { damaged, quoted } from "../../core/file-error.ts";
import { elementCount, type Shape, shapeText } from "../../core/tensor.ts";
import { decodeBFloat16, decodeFloat16 } from "../float16.ts";
import type { GraphConstant } from "../graph.ts";
import { DTYPE_BYTES, isCountable, isNaturals, type StoredDType, toFloat32 } from "../stored-tensor.ts";
import type { NumberKind, Protobuf } from "./message.ts";

/** Where the numbers of a tensor lie: bytes in its own type, or a repeated field of its message. */
export type TensorData =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | {
      readonly type: "list";
      readonly message: Uint8Array;
      readonly field: number;
      readonly kind: NumberKind;
      /** TensorFlow: a list that is too short goes on with its last number, an empty one stands for zeros. */
      readonly isExtended: boolean;
    };

export interface TensorDescription {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: Shape;
  readonly data: TensorData;
}

/** TensorFlow's own limit is 254, but networks of images stay below 6. */
const MAX_RANK = 16;

/**
 * A constant whose `read` cannot fail: its float32 values are charged now, and its data found to be there.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` if the data does not fit the shape; `FILE_TOO_LARGE`
 */
export function tensorConstant(protobuf: Protobuf, description: TensorDescription): GraphConstant {
  const { name, dtype, shape, data } = description;
  const what = `tensor ${quoted(name)}`;
  if (shape.length > MAX_RANK || !isNaturals(shape) || !isCountable(shape)) {
    const found = shapeText(shape.slice(0, MAX_RANK));
    const expected = `at most ${MAX_RANK} sides of 0 and more`;
    throw damaged(protobuf.name, `${what}: shape`, { expected, found });
  }
  const count = elementCount(shape);
  protobuf.charge(4 * count, what);
  checkData(protobuf, description, count, what);
  const read = () => {
    if (data.type === "bytes") return toFloat32({ name, dtype, shape, bytes: data.bytes });
    return listValues(protobuf, dtype, count, data, what);
  };
  return { name, shape, read };
}

function checkData(protobuf: Protobuf, { dtype, shape, data }: TensorDescription, count: number, what: string): void {
  const fits = (expected: string, found: string) =>
    damaged(protobuf.name, what, { expected: `${expected} for ${dtype} ${shapeText(shape)}`, found });
  if (data.type === "bytes") {
    const bytes = count * DTYPE_BYTES[dtype];
    if (data.bytes.length !== bytes) throw fits(`${bytes} bytes`, `${data.bytes.length}`);
    return;
  }
  const present = protobuf.countNumbers(data.message, data.field, data.kind, what);
  if (present !== count && !(data.isExtended && present < count)) throw fits(`${count} numbers`, `${present}`);
}

function listValues(
  protobuf: Protobuf,
  dtype: StoredDType,
  count: number,
  { message, field, kind, isExtended }: Extract<TensorData, { type: "list" }>,
  what: string,
): Float32Array {
  const isHalf = dtype === "F16" || dtype === "BF16";
  const target = isHalf ? new Uint16Array(count) : new Float32Array(count);
  protobuf.copyNumbers(message, field, kind, target, what);
  if (isExtended) {
    const present = protobuf.countNumbers(message, field, kind, what);
    if (present > 0) target.fill(target[present - 1] ?? 0, present);
  }
  if (target instanceof Float32Array) return target;
  const bytes = new Uint8Array(2 * count);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setUint16(2 * i, target[i] ?? 0, true);
  return dtype === "F16" ? decodeFloat16(bytes) : decodeBFloat16(bytes);
}
