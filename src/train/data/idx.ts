/**
 * IDX files, in which MNIST and its family are given (MNIST, Fashion-MNIST, KMNIST, EMNIST): big-endian, a magic number
 * that says type and number of axes, a size for each axis, then the values. Packed with gzip or not, by content.
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", file formats.
 */

import { type ByteSource, readBytes, sourceName } from "../../core/bytes.ts";
import { DepthwiseError } from "../../core/errors.ts";
import { damaged, fileError, grouped, tooLarge } from "../../core/file-error.ts";
import { positiveInteger, signalOption } from "../../core/options.ts";
import { isArrayBuffer } from "../../core/realms.ts";
import { type ClassOptions, checkClassOptions, type Dataset, datasetOf } from "./dataset.ts";
import { gunzip, isGzip } from "./gunzip.ts";
import { classesIn, classNames } from "./labels.ts";

/** How the files are read. */
export interface IdxOptions extends ClassOptions {
  /** Most bytes that each file may have, unpacked too. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Grey pictures and their labels.
 *
 * @param images file of `[count, height, width]` bytes, such as `train-images-idx3-ubyte.gz`: path, URL, Blob or bytes
 * @param labels file of `[count]` bytes, such as `train-labels-idx1-ubyte.gz`
 * @throws {DepthwiseError} `FORMAT_UNKNOWN` for what is no IDX file of bytes; `FILE_CORRUPT` or `FILE_TRUNCATED` if it
 *         does not hold what its head claims, before that is allocated; `FILE_EMPTY`, `FILE_TOO_LARGE`, and what reading
 *         a file throws; `SHAPE_MISMATCH` if the files do not belong together; `CLASSES_MISMATCH`, `OPTION_INVALID`
 */
export async function idx(images: ByteSource, labels: ByteSource, options: IdxOptions = {}): Promise<Dataset> {
  checkClassOptions("idx", options, ["maxBytes", "signal"]);
  const maxBytes = positiveInteger("idx", "maxBytes", options.maxBytes ?? 2 ** 31);
  const signal = signalOption("idx", options.signal);
  const [pictures, digits] = await Promise.all([
    readIdx(images, 3, maxBytes, signal),
    readIdx(labels, 1, maxBytes, signal),
  ]);
  const [count = 0, height = 0, width = 0] = pictures.shape;
  if (digits.values.length !== count) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `idx: "${digits.name}"`,
      expected: `${grouped(count)} labels, one for each picture of "${pictures.name}"`,
      found: grouped(digits.values.length),
      advice: "Pass images and labels that belong together.",
      fields: { images: count, labels: digits.values.length },
    });
  }
  const data = Int32Array.from(digits.values);
  const each = height * width;
  return datasetOf({
    classes: classNames("idx", options.classes, classesIn(data)),
    labels: { type: "indices", data },
    imageAt: (index) => ({
      width,
      height,
      channels: 1,
      data: pictures.values.subarray(each * index, each * (index + 1)),
    }),
    nameAt: (index) => `${pictures.name}, picture ${grouped(index)}`,
  });
}

interface IdxFile {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

const WHAT = { 1: "labels", 3: "pictures" } as const;

async function readIdx(
  source: ByteSource,
  axes: 1 | 3,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<IdxFile> {
  const bytes = await readBytes(source, { maxBytes, signal });
  const name = sourceName(source) === "bytes" ? `the ${WHAT[axes]}` : sourceName(source);
  if (bytes.length === 0) throw fileError("FILE_EMPTY", name, "the file holds no bytes", "Fetch it again.");
  const headBytes = 4 + 4 * axes;
  const sizeOf = (head: Uint8Array) => {
    const size = headBytes + product(shapeOf(name, head, axes));
    if (size > maxBytes) throw tooLarge(name, "what its head claims", size, maxBytes);
    return size;
  };
  const isPacked = isGzip(bytes);
  const whole = isPacked ? await gunzip(bytes, name, headBytes, sizeOf, signal) : bytes;
  const size = sizeOf(whole);
  if (whole.length !== size) {
    throw damaged(name, "the file", {
      code: whole.length < size ? "FILE_TRUNCATED" : "FILE_CORRUPT",
      expected: `${grouped(size)} bytes, as its head claims`,
      found: grouped(whole.length),
      fields: { bytes: whole.length, claimed: size },
    });
  }
  // The caller's own bytes are the caller's again; what was read is nobody else's.
  const isGiven = !isPacked && (ArrayBuffer.isView(source) || isArrayBuffer(source));
  const values = whole.subarray(headBytes);
  return { name, shape: shapeOf(name, whole, axes), values: isGiven ? values.slice() : values };
}

/** What the other types of value are called in messages; only bytes are pictures. */
const TYPES: { readonly [code in number]?: string } = {
  9: "signed bytes",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

function shapeOf(name: string, head: Uint8Array, axes: 1 | 3): readonly number[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const expected = `${WHAT[axes]}: an IDX file of bytes with ${axes === 1 ? "one axis" : "three axes"}`;
  const wrong = (found: string, advice = `Pass the ${WHAT[axes]} as IDX, gzip or not.`) =>
    fileError("FORMAT_UNKNOWN", name, "", advice, { expected, found });
  if (view.byteLength < 4) throw wrong(`${view.byteLength} bytes`);
  if (view.getUint16(0) !== 0) throw wrong("another format");
  const [type, found] = [view.getUint8(2), view.getUint8(3)];
  if (type !== 8) throw wrong(TYPES[type] === undefined ? "another format" : `one of ${TYPES[type]}`);
  if (found !== axes) {
    const isSwapped = (axes === 3 && found === 1) || (axes === 1 && found === 3);
    throw wrong(`${found} axes`, isSwapped ? "Pass first the pictures, then the labels." : undefined);
  }
  if (view.byteLength < 4 + 4 * axes) {
    throw damaged(name, "it ends within its head", { code: "FILE_TRUNCATED" });
  }
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (shape.includes(0))
    throw damaged(name, "its head claims", { expected: "sizes above 0", found: shape.join(" × ") });
  return shape;
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, side) => all * side, 1);
}
