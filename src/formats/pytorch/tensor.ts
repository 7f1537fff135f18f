/** From the calls that rebuild a PyTorch tensor to stored tensors: every number checked against the storage's bytes. */

import type { DepthwiseError } from "../../core/errors.ts";
import { type Damage, damaged, grouped, quoted } from "../../core/file-error.ts";
import { isNatural } from "../../core/json.ts";
import { elementCount, type Shape, shapeText } from "../../core/tensor.ts";
import { type DecodedBudget, TENSOR_COST } from "../../sources/decoded-budget.ts";
import { DTYPE_BYTES, isCountable, isNaturals, type StoredDType, type StoredTensor } from "../stored-tensor.ts";
import { isDict, isList, isTyped, type PickleObject, type PickleValue } from "./pickle-values.ts";

/** Where the numbers lie. */
export interface Storages {
  /** The bytes of a storage; undefined if the file has none of this key. */
  bytes(key: string): Uint8Array | undefined;
  readonly isBigEndian: boolean;
}

/** Types by the storage's or the element's name. What is left out has no counterpart here (complex, quantized). */
const DTYPES: Readonly<Record<string, StoredDType>> = {
  FloatStorage: "F32",
  DoubleStorage: "F64",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
  UntypedStorage: "U8",
  float: "F32",
  float32: "F32",
  double: "F64",
  float64: "F64",
  half: "F16",
  float16: "F16",
  bfloat16: "BF16",
  long: "I64",
  int64: "I64",
  int: "I32",
  int32: "I32",
  short: "I16",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  bool: "BOOL",
  float8_e4m3fn: "F8_E4M3",
  float8_e4m3fnuz: "F8_E4M3FNUZ",
  float8_e5m2: "F8_E5M2",
  float8_e5m2fnuz: "F8_E5M2FNUZ",
  float8_e8m0fnu: "F8_E8M0",
};

/** Bytes an element takes in storages that are passed over, never read. */
const OTHER_BYTES: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
};

const REBUILD = /^torch\._utils\._rebuild_(?:tensor|tensor_v2|tensor_v3|qtensor|sparse_tensor)$/;
const WRAPPED =
  /^torch\.(?:_utils\._rebuild_parameter(?:_with_state)?|nn\.(?:parameter\.)?Parameter|nn\.parameter\.Buffer)$/;
/** A parameter of a parameter of …: nobody writes more than two. */
const MOST_WRAPPERS = 4;
/** PyTorch's own limit. */
const HIGHEST_RANK = 64;

/** The call that rebuilds the tensor, out of the parameter or subclass around it; undefined if it is no tensor. */
export function tensorCall(value: PickleValue | undefined): PickleObject | undefined {
  let inner = value;
  for (let i = 0; i < MOST_WRAPPERS && isTyped(inner, "object"); i++) {
    if (REBUILD.test(inner.of)) return inner;
    const [first, , args] = inner.args;
    if (WRAPPED.test(inner.of)) inner = first;
    else if (inner.of === "torch._tensor._rebuild_from_type_v2" && isTyped(first, "global") && isList(args)) {
      inner = { type: "object", of: first.name, args, state: undefined };
    } else return undefined;
  }
  return undefined;
}

/** How many axes it claims; 0 for a scalar, and for a claim that makes no sense. */
export function claimedRank({ args }: PickleObject): number {
  return isList(args[2]) ? args[2].length : 0;
}

export type ReadTensor = (name: string, call: PickleObject) => StoredTensor;

/**
 * A reader of tensors. Contiguous ones are views of the storage; transposed and expanded ones are copied, which is
 * charged.
 */
export function tensorReader(storages: Storages, file: string, budget: DecodedBudget): ReadTensor {
  return (name, call) => {
    const what = `tensor ${quoted(name)}`;
    budget.chargeObjects(file, TENSOR_COST, what);
    const fail = failure(file, name);
    const { dtype, storage, offset, shape, strides } = readClaims(call, fail);
    const bytes = storageBytes(storages, storage, dtype, fail);
    const size = DTYPE_BYTES[dtype];
    const count = elementCount(shape);
    const isContiguous = isRowMajor(shape, strides);
    checkReach({ offset, shape, strides }, Math.floor(bytes.length / size), fail);
    if (count === 0) return { name, dtype, shape, bytes: new Uint8Array(0) };
    const start = offset * size;
    if (isContiguous && (!storages.isBigEndian || size === 1)) {
      return { name, dtype, shape, bytes: bytes.subarray(start, start + count * size) };
    }
    budget.charge(file, count * size, `${what} of shape ${shapeText(shape)}`);
    return { name, dtype, shape, bytes: gather(bytes, size, { offset, shape, strides }, storages.isBigEndian) };
  };
}

interface Strided {
  /** In elements, as are the strides. */
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

interface Claims extends Strided {
  readonly dtype: StoredDType;
  readonly storage: StorageClaim;
}

interface StorageClaim {
  readonly type: string;
  readonly key: string;
  readonly elements: number;
}

type TensorFail = (what: string, facts: Damage) => DepthwiseError;

function failure(file: string, name: string): TensorFail {
  const tensor = `tensor ${quoted(name)}`;
  return (what, facts) =>
    damaged(file, what === "" ? tensor : `${tensor}: ${what}`, { ...facts, fields: { tensor: name } });
}

/** `(storage, offset, size, stride, requires_grad, hooks[, dtype (v3 only)][, metadata])`. */
function readClaims({ of, args }: PickleObject, fail: TensorFail): Claims {
  const version = of.slice("torch._utils._rebuild_".length);
  if (version === "qtensor" || version === "sparse_tensor") {
    throw fail("", {
      code: "FORMAT_UNKNOWN",
      expected: "a plain tensor",
      found: version === "qtensor" ? "a quantized one" : "a sparse one",
      advice: "Save the network before it was quantized or made sparse.",
    });
  }
  const [reference, offset, shape, strides] = args;
  const metadata = args[version === "tensor_v3" ? 7 : 6];
  if (isDict(metadata) && metadata.size > 0) {
    throw fail("", { expected: "a plain tensor", found: "a conjugated or negated view" });
  }
  if (!isNatural(offset) || !isNaturals(shape) || !isNaturals(strides) || strides.length !== shape.length) {
    throw fail("", { expected: "an offset, and as many strides as sides", found: "something else" });
  }
  if (shape.length > HIGHEST_RANK) {
    throw fail("shape", { expected: `at most ${HIGHEST_RANK} sides`, found: `${shape.length}` });
  }
  const { type, key, elements, viewOffset } = readReference(reference, fail);
  const dtypeName = version === "tensor_v3" ? globalEnd(args[6]) : type;
  const dtype = Object.hasOwn(DTYPES, dtypeName) ? DTYPES[dtypeName] : undefined;
  if (dtype === undefined) {
    const expected = "floats, integers or booleans";
    throw fail("type of element", { code: "DTYPE_MISMATCH", expected, found: quoted(dtypeName) });
  }
  return { dtype, storage: { type, key, elements }, offset: offset + viewOffset, shape, strides };
}

/** `("storage", type, key, device, elements[, (view key, offset, elements)])`; the device is of no interest. */
function readReference(
  reference: PickleValue | undefined,
  fail: TensorFail,
): StorageClaim & { readonly viewOffset: number } {
  const claim = storageClaim(reference);
  const id = isTyped(reference, "persistent") && isList(reference.id) ? reference.id : [];
  const view = id[5];
  const viewOffset = isList(view) ? view[1] : 0;
  if (claim === undefined || !isNatural(viewOffset)) {
    throw fail("", { expected: "a reference to a storage", found: "something else" });
  }
  return { ...claim, viewOffset };
}

/** What a reference says of its storage; undefined if it refers to something else. */
export function storageClaim(reference: PickleValue | undefined): StorageClaim | undefined {
  if (!isTyped(reference, "persistent") || !isList(reference.id)) return undefined;
  const [tag, type, key, , elements] = reference.id;
  if (tag !== "storage" || (typeof key !== "string" && typeof key !== "number") || !isNatural(elements))
    return undefined;
  return { type: globalEnd(type), key: String(key), elements };
}

/** Bytes an element of a storage of this type takes; undefined for a type that is not known. */
export function storageElementBytes(type: string): number | undefined {
  if (Object.hasOwn(OTHER_BYTES, type)) return OTHER_BYTES[type];
  const dtype = Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
  return dtype === undefined ? undefined : DTYPE_BYTES[dtype];
}

/** The last part of a global's name: `FloatStorage` of `torch.FloatStorage`. */
function globalEnd(value: PickleValue | undefined): string {
  return isTyped(value, "global") ? value.name.slice(value.name.lastIndexOf(".") + 1) : "";
}

function storageBytes(storages: Storages, claim: StorageClaim, dtype: StoredDType, fail: TensorFail): Uint8Array {
  const { type, key, elements } = claim;
  const bytes = storages.bytes(key);
  const what = `storage ${quoted(key)}`;
  if (bytes === undefined) throw fail(what, { expected: "its bytes in the file", found: "none" });
  const expected = elements * (storageElementBytes(type) ?? DTYPE_BYTES[dtype]);
  if (bytes.length !== expected) {
    throw fail(what, {
      code: bytes.length < expected ? "FILE_TRUNCATED" : "FILE_CORRUPT",
      expected: `${grouped(expected)} bytes`,
      found: grouped(bytes.length),
    });
  }
  return bytes;
}

/** The furthest element must lie in the storage. Sums of naturals only grow: what leaves the safe integers is too far. */
function checkReach({ offset, shape, strides }: Strided, elements: number, fail: TensorFail): void {
  const isEmpty = shape.includes(0);
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * (strides[axis] ?? 0), offset);
  if (isCountable(shape) && (isEmpty || last < elements)) return;
  throw fail("", {
    expected: `its elements within the ${grouped(elements)} of its storage`,
    found: `shape ${shapeText(shape)}, strides ${shapeText(strides)}, offset ${grouped(offset)}`,
  });
}

function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const side = shape[axis] ?? 0;
    if (strides[axis] !== expected && side > 1) return false;
    expected *= side;
  }
  return true;
}

/** The elements in row-major order and little-endian. */
function gather(bytes: Uint8Array, size: number, place: Strided, isBigEndian: boolean): Uint8Array {
  const { offset, shape, strides } = place;
  const result = new Uint8Array(elementCount(shape) * size);
  const index = shape.map(() => 0);
  let source = offset * size;
  for (let at = 0; at < result.length; at += size) {
    for (let i = 0; i < size; i++) result[at + i] = bytes[source + (isBigEndian ? size - 1 - i : i)] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const step = (strides[axis] ?? 0) * size;
      const next = (index[axis] ?? 0) + 1;
      source += step;
      index[axis] = next;
      if (next < (shape[axis] ?? 0)) break;
      source -= step * next;
      index[axis] = 0;
    }
  }
  return result;
}
