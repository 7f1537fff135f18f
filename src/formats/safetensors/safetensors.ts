/**
 * safetensors: eight bytes of header length (little-endian), a JSON header, the data of all tensors without gaps.
 *
 *     { "__metadata__": { string: string }, NAME: { "dtype": "F32", "shape": […], "data_offsets": [begin, end] }, … }
 *
 * Source: the format's specification, huggingface/safetensors README. The reader trusts nothing: every claim is
 * checked against the bytes that are there before one is handed out, and nothing is allocated for a mere claim.
 */

import { DepthwiseError, listed } from "../../core/errors.ts";
import { type Damage, damaged, grouped, quoted } from "../../core/file-error.ts";
import { isObject } from "../../core/json.ts";
import { scanJsonKeys } from "../../core/json-keys.ts";
import { checkKnownOptions, oneOf, optionError, positiveInteger } from "../../core/options.ts";
import { className, isUint8Array } from "../../core/realms.ts";
import { elementCount, type Shape, shapeText } from "../../core/tensor.ts";
import { type DecodedBudget, decodedBudget, spendOn, TENSOR_COST, textWithin } from "../../sources/decoded-budget.ts";
import { describeKind, recognise } from "../../sources/recognise.ts";
import { encodeFloat16, FLOAT16_OVERFLOW } from "../float16.ts";
import {
  DTYPE_BYTES,
  isCountable,
  isNaturals,
  type StoredDType,
  type StoredTensor,
  type TensorFile,
} from "../stored-tensor.ts";

export interface ReadOptions {
  /** Name of the file, for messages. Default `safetensors data`. */
  readonly name?: string;
  /** Longest header that is parsed, in bytes. Default 100,000,000, as in the reference implementation. */
  readonly maxHeaderBytes?: number;
  /** Most bytes of memory that the header becomes. Default as that of `loadModel`. */
  readonly maxDecodedBytes?: number;
}

/** Deepest nesting a header needs: the object, an entry, its shape. */
const HEADER_DEPTH = 3;

/**
 * Reads safetensors. The tensors are views into `bytes`; see `toFloat32`.
 *
 * @throws {DepthwiseError} `FILE_EMPTY`, `FILE_TRUNCATED`, `FILE_TOO_LARGE` (the header), `FILE_CORRUPT`,
 *         `FORMAT_UNKNOWN` if it is recognised as something else
 */
export function readSafetensors(bytes: Uint8Array, options: ReadOptions = {}): TensorFile {
  checkKnownOptions("readSafetensors", options, ["name", "maxHeaderBytes", "maxDecodedBytes"]);
  const { maxDecodedBytes } = options;
  if (maxDecodedBytes !== undefined) positiveInteger("readSafetensors", "maxDecodedBytes", maxDecodedBytes);
  const budget = decodedBudget(maxDecodedBytes);
  if (isUint8Array(bytes)) budget.admit(bytes.length);
  return readSafetensorsWithin(budget, bytes, options);
}

/** `readSafetensors` as a part of a load. */
export function readSafetensorsWithin(budget: DecodedBudget, bytes: Uint8Array, options: ReadOptions): TensorFile {
  const { name = "safetensors data" } = options;
  const maxHeaderBytes = positiveInteger("readSafetensors", "maxHeaderBytes", options.maxHeaderBytes ?? 100_000_000);
  if (!isUint8Array(bytes)) throw optionError("readSafetensors", "bytes", "a Uint8Array", bytes);
  const fail = failure(name);
  const headerBytes = headerLength(bytes, maxHeaderBytes, fail);
  const data = bytes.subarray(8 + headerBytes);
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes), fail, budget, name);

  let metadata: Readonly<Record<string, string>> = {};
  const entries: Entry[] = [];
  budget.chargeObjects(name, TENSOR_COST * header.length, "header");
  for (const [key, value] of header) {
    if (key === "__metadata__") metadata = checkMetadata(value, fail);
    else entries.push(checkEntry(key, value, data.length, 8 + headerBytes, fail));
  }
  checkCoverage(entries, data.length, fail);
  const tensors = new Map<string, StoredTensor>();
  for (const { name: tensor, dtype, shape, begin, end } of entries) {
    tensors.set(tensor, { name: tensor, dtype, shape, bytes: data.subarray(begin, end) });
  }
  return { metadata, tensors };
}

/** A tensor of a file that is to be written. */
export interface TensorToWrite {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
  /** Default F32. F16 halves the size and rounds to the nearest even. */
  readonly dtype?: "F32" | "F16";
}

/** A tensor of 8-bit integers that is to be written, as they are. */
export interface IntegersToWrite {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Int8Array;
  readonly dtype: "I8";
}

/**
 * Writes safetensors: tensors in the given order, metadata sorted by key, the data aligned to 8 bytes. The same
 * input gives the same bytes.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a name given twice or a value too large for F16
 */
export function writeSafetensors(
  tensors: Iterable<TensorToWrite | IntegersToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const isList = typeof tensors === "object" && tensors !== null && Symbol.iterator in tensors;
  if (!isList || ArrayBuffer.isView(tensors)) {
    throw optionError("writeSafetensors", "tensors", "a list of { name, shape, data }", tensors);
  }
  const header: [string, unknown][] = [];
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw optionError("writeSafetensors", "metadata", "an object of strings", metadata);
  }
  const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length > 0) header.push(["__metadata__", Object.fromEntries(sorted)]);
  const parts: Uint8Array[] = [];
  const names = new Set(["__metadata__"]);
  let offset = 0;
  for (const tensor of tensors) {
    if (!isObject(tensor)) throw optionError("writeSafetensors", "tensor", "{ name, shape, data }", tensor);
    const { name, shape, data, dtype = "F32" } = tensor;
    if (typeof name !== "string") throw optionError("writeSafetensors", "name", "a string", name);
    oneOf("writeSafetensors", "dtype", dtype, ["F32", "F16", "I8"]);
    const array = dtype === "I8" ? "Int8Array" : "Float32Array";
    if (className(data) !== array) {
      throw optionError("writeSafetensors", `data of "${name}"`, `${dtype === "I8" ? "an" : "a"} ${array}`, data);
    }
    if (!isNaturals(shape))
      throw optionError("writeSafetensors", `shape of "${name}"`, "an array of whole numbers", shape);
    if (names.has(name) || data.length !== elementCount(shape)) {
      throw new DepthwiseError("OPTION_INVALID", {
        what: `writeSafetensors: tensor "${name}"`,
        expected: `a name used once and ${elementCount(shape)} values for shape ${shapeText(shape)}`,
        found: names.has(name) ? "the name a second time" : `${data.length} values`,
      });
    }
    names.add(name);
    const part = tensor.dtype === "F16" ? halves(tensor) : littleEndian(data);
    header.push([name, { dtype, shape: [...shape], data_offsets: [offset, offset + part.length] }]);
    parts.push(part);
    offset += part.length;
  }
  // Entries, not an object: a tensor may be called "__proto__" or "0" and must keep its place.
  const json = `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8 + text.length, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  let at = 8 + padded;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const INCOMPLETE = "The file is incomplete; fetch it again.";
const BROKEN = "The file is broken or was not written as safetensors; fetch or write it again.";

function failure(name: string) {
  return (what: string, facts: Damage = {}) => damaged(name, what, { advice: BROKEN, ...facts });
}

type SafetensorsFail = ReturnType<typeof failure>;

function headerLength(bytes: Uint8Array, maxHeaderBytes: number, fail: SafetensorsFail): number {
  if (bytes.length === 0) throw fail("the file holds no bytes", { code: "FILE_EMPTY", advice: INCOMPLETE });
  const kind = recognise(bytes);
  if (kind !== "safetensors" && kind !== "unknown") {
    const { phrase, advice } = describeKind(kind);
    throw fail("", { code: "FORMAT_UNKNOWN", expected: "safetensors data", found: phrase, advice });
  }
  if (bytes.length < 8) {
    const found = `${bytes.length}`;
    throw fail("header length", { code: "FILE_TRUNCATED", expected: "8 bytes", found, advice: INCOMPLETE });
  }
  const claimed = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const present = bytes.length - 8;
  if (claimed > BigInt(maxHeaderBytes)) {
    const expected = `at most ${grouped(maxHeaderBytes)} bytes`;
    throw fail("header", { code: "FILE_TOO_LARGE", expected, found: `a claim of ${grouped(claimed)}` });
  }
  if (claimed > BigInt(present)) {
    const expected = `${grouped(claimed)} bytes, as the file claims`;
    throw fail("header", { code: "FILE_TRUNCATED", expected, found: grouped(present), advice: INCOMPLETE });
  }
  return Number(claimed);
}

/** The header's entries in the order of the text. */
function parseHeader(
  bytes: Uint8Array,
  fail: SafetensorsFail,
  budget: DecodedBudget,
  name: string,
): [string, unknown][] {
  if (bytes[0] !== 0x7b) throw fail("header", { expected: 'JSON that begins with "{"', found: "other bytes" });
  let text: string;
  try {
    text = textWithin(budget, name, bytes, "header", true);
  } catch (cause) {
    if (cause instanceof DepthwiseError) throw cause;
    throw fail("header", { expected: "UTF-8 text", found: "bytes that are not UTF-8" });
  }
  const { outermost, twice, isTooDeep } = scanJsonKeys(text, HEADER_DEPTH, spendOn(budget, name, "header"));
  if (isTooDeep) throw fail("header", { expected: `at most ${HEADER_DEPTH} levels`, found: "deeper nesting" });
  if (twice !== undefined) {
    const where = twice.under === undefined ? "" : ` of ${quoted(twice.under)}`;
    throw fail(`header: the key ${quoted(twice.key)}${where} stands twice`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail("header", { expected: "JSON", found: `text that is not (${reason})` });
  }
  const values = new Map(Object.entries(parsed as Record<string, unknown>));
  return outermost.map((key) => [key, values.get(key)]);
}

function checkMetadata(value: unknown, fail: SafetensorsFail): Readonly<Record<string, string>> {
  if (isObject(value) && Object.values(value).every((entry) => typeof entry === "string")) {
    return value as Record<string, string>;
  }
  throw fail("__metadata__", { expected: "an object of strings", found: "something else" });
}

interface Entry {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

function checkEntry(name: string, value: unknown, dataBytes: number, dataStart: number, fail: SafetensorsFail): Entry {
  const what = () => `tensor ${quoted(name)}`;
  const isEntry = isObject(value) && "dtype" in value && "shape" in value && "data_offsets" in value;
  if (!isEntry || Object.keys(value).length !== 3) {
    const found = isObject(value) ? listed(Object.keys(value).sort()) : typeof value;
    throw fail(what(), { expected: "dtype, shape and data_offsets", found });
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw fail(`${what()}: dtype`, {
      expected: Object.keys(DTYPE_BYTES).join(", "),
      found: quoted(dtype),
    });
  }
  if (!isNaturals(shape)) {
    const expected = "an array of whole numbers";
    throw fail(`${what()}: shape`, { expected, found: quoted(shape) });
  }
  if (!isNaturals(offsets) || offsets.length !== 2 || (offsets[0] ?? 0) > (offsets[1] ?? 0)) {
    const expected = "[begin, end] with begin ≤ end";
    throw fail(`${what()}: data_offsets`, { expected, found: quoted(offsets) });
  }
  const [begin = 0, end = 0] = offsets;
  const bytes = elementCount(shape) * DTYPE_BYTES[dtype as StoredDType];
  if (!isCountable(shape)) {
    throw fail(`${what()}: shape`, { expected: "a product below 2^53", found: shapeText(shape) });
  }
  if (bytes !== end - begin) {
    const expected = `${grouped(bytes)} bytes for ${dtype} ${shapeText(shape)}`;
    throw fail(what(), { expected, found: `${grouped(end - begin)} by its data_offsets` });
  }
  if (end > dataBytes) {
    const range = `bytes ${grouped(dataStart + begin)} to ${grouped(dataStart + end)}`;
    const fileEnd = grouped(dataStart + dataBytes);
    throw fail(`${what()} needs ${range}, but the file ends at ${fileEnd}`, {
      code: "FILE_TRUNCATED",
      advice: INCOMPLETE,
    });
  }
  return { name, dtype: dtype as StoredDType, shape, begin, end };
}

/** The tensors must cover the data exactly: no hole, no overlap, nothing after the end. */
function checkCoverage(entries: readonly Entry[], dataBytes: number, fail: SafetensorsFail): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  let previous = "the start of the data";
  for (const entry of sorted) {
    if (entry.begin !== end) {
      const kind = entry.begin < end ? "overlap" : `leave a hole of ${grouped(entry.begin - end)} bytes between them`;
      throw fail(`${previous} and tensor ${quoted(entry.name)} ${kind}`);
    }
    end = entry.end;
    previous = `tensor ${quoted(entry.name)}`;
  }
  if (end !== dataBytes) {
    throw fail("data", {
      expected: `${grouped(end)} bytes in all tensors`,
      found: `${grouped(dataBytes)}`,
    });
  }
}

function halves({ name, data }: TensorToWrite): Uint8Array {
  const at = data.findIndex((value) => Math.abs(value) >= FLOAT16_OVERFLOW && Number.isFinite(value));
  if (at === -1) return encodeFloat16(data);
  throw new DepthwiseError("OPTION_INVALID", {
    what: `writeSafetensors: tensor "${name}", element ${at}`,
    expected: "magnitudes below 65,520 for float16",
    found: String(data[at]),
    advice: "Write this tensor as F32.",
    fields: { tensor: name, index: at, value: data[at] },
  });
}

function littleEndian(data: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
