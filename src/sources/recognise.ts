/** What kind of file some bytes are, by their content alone; a name or an ending is never asked. */

import { latin1 } from "../core/latin1.ts";

/** Kinds of file that people pass to a reader of weights, with and without reason. */
export type FileKind =
  | "safetensors"
  | "HDF5"
  | "zip (PyTorch or Keras 3)"
  | "pickle"
  | "TFLite flatbuffer"
  | "protobuf (ONNX or TensorFlow)"
  | "JSON"
  | "Git LFS pointer"
  | "HTML page"
  | "XML document"
  | "plain text"
  | "gzip"
  | "tar"
  | "unknown";

/**
 * The kind of a file, `'unknown'` if nothing fits.
 *
 * Signatures where the format has one. safetensors has none: its header must begin with `{` after a length of eight
 * bytes whose upper half is 0. Protobuf has none either: the first fields of the message must make sense.
 *
 * Of the first `START_BYTES` of a longer file it says the same as of the whole, but for protobuf: there it means "perhaps".
 *
 * @param isWhole whether nothing comes behind the bytes
 */
export function recognise(bytes: Uint8Array, isWhole = true): FileKind {
  const startsWith = (...signature: number[]) => signature.every((byte, i) => bytes[i] === byte);
  if (bytes[8] === 0x7b && [4, 5, 6, 7].every((i) => bytes[i] === 0)) return "safetensors";
  if (startsWith(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)) return "HDF5";
  if (startsWith(0x50, 0x4b, 3, 4) || startsWith(0x50, 0x4b, 5, 6)) return "zip (PyTorch or Keras 3)";
  if (latin1(bytes.subarray(4, 8)) === "TFL3") return "TFLite flatbuffer";
  if (startsWith(0x1f, 0x8b, 8)) return "gzip";
  if (latin1(bytes.subarray(257, 262)) === "ustar") return "tar";
  // PROTO, a version, then an opcode: never 0.
  if (bytes[0] === 0x80 && isBetween(bytes[1], 2, 5) && isBetween(bytes[2], 1, 255)) return "pickle";
  return recogniseText(bytes) ?? (isProtobuf(bytes, isWhole) ? "protobuf (ONNX or TensorFlow)" : "unknown");
}

/** No signature and no text that tells a kind stands behind these. */
export const START_BYTES = 512;

/** How a kind is named inside a sentence, and what a reader who expected weights can do about it. */
export function describeKind(kind: FileKind): { readonly phrase: string; readonly advice: string } {
  return DESCRIPTIONS[kind];
}

const CONVERT = "Read it with the reader of that format, or convert it to safetensors where it was made.";
const UNPACK = "Unpack it first and pass the file inside.";

const DESCRIPTIONS = {
  safetensors: { phrase: "safetensors data", advice: "Read it with readSafetensors." },
  HDF5: { phrase: "an HDF5 file (Keras .h5)", advice: CONVERT },
  "zip (PyTorch or Keras 3)": { phrase: "a zip archive (PyTorch .pt, .pth or Keras .keras)", advice: CONVERT },
  pickle: { phrase: "a Python pickle (PyTorch before 1.6)", advice: CONVERT },
  "TFLite flatbuffer": { phrase: "a TFLite flatbuffer", advice: CONVERT },
  "protobuf (ONNX or TensorFlow)": { phrase: "a protobuf message (ONNX or TensorFlow .pb)", advice: CONVERT },
  JSON: {
    phrase: "JSON text",
    advice: "A TensorFlow.js model.json holds no weights itself: its shards lie beside it.",
  },
  "Git LFS pointer": {
    phrase: "a Git LFS pointer",
    advice: "The weights themselves were not fetched: run `git lfs pull`, or download the file from its page.",
  },
  "HTML page": {
    phrase: "an HTML page",
    advice: "The server answered with a page in place of the file: check the address, and whether it asks for a login.",
  },
  "XML document": {
    phrase: "an XML document",
    advice: "It is most likely a storage server's error message: open it as text, and check the address.",
  },
  "plain text": {
    phrase: "plain text",
    advice: "It may be a server's error message: open it as text, and check the address.",
  },
  gzip: { phrase: "gzip data", advice: UNPACK },
  tar: { phrase: "a tar archive", advice: UNPACK },
  unknown: {
    phrase: "a file of no known kind",
    advice: "Check that it is the file you meant, and that it is complete.",
  },
} as const satisfies Record<FileKind, { phrase: string; advice: string }>;

function recogniseText(bytes: Uint8Array): FileKind | undefined {
  // Fewer bytes prove nothing: the first byte of a header's length is often a letter.
  if (bytes.length < 8) return undefined;
  const isText = bytes.subarray(0, 64).every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
  if (!isText) return undefined;
  const text = latin1(bytes.subarray(0, START_BYTES))
    .replace(/^\u00ef\u00bb\u00bf/, "")
    .trimStart()
    .toLowerCase();
  if (text.startsWith("version https://git-lfs")) return "Git LFS pointer";
  if (/^(<!doctype html|<html|<head|<body)/.test(text)) return "HTML page";
  if (text.startsWith("<?xml")) return /<!doctype html|<html/.test(text) ? "HTML page" : "XML document";
  if (/^(\{\s*["}]|\[\s*[[\]{"\d-])/.test(text)) return "JSON";
  return /^[\x20-\x7e\s]+$/.test(latin1(bytes.subarray(0, 64))) ? "plain text" : undefined;
}

/** Whether the first fields parse: small field numbers, known wire types, lengths inside the file as far as it is there. */
function isProtobuf(bytes: Uint8Array, isWhole: boolean): boolean {
  let at = 0;
  let hasMessage = false;
  for (let field = 0; field < 4 && at < bytes.length; field++) {
    const tag = varint(bytes, at);
    if (tag === undefined) return !isWhole && at + LONGEST_VARINT > bytes.length;
    if (!isBetween(tag.value >>> 3, 1, 100)) return false;
    at = tag.next;
    const wireType = tag.value & 7;
    if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 0 || wireType === 2) {
      const number = varint(bytes, at);
      if (number === undefined) return !isWhole && tag.next + LONGEST_VARINT > bytes.length;
      hasMessage ||= wireType === 2;
      at = number.next + (wireType === 2 ? number.value : 0);
    } else return false;
    if (at > bytes.length) return !isWhole;
  }
  return hasMessage || (!isWhole && at >= bytes.length);
}

const LONGEST_VARINT = 5;

function varint(bytes: Uint8Array, start: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = 0; i < LONGEST_VARINT; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: start + i + 1 };
  }
  return undefined;
}

function isBetween(value: number | undefined, low: number, high: number): boolean {
  return value !== undefined && value >= low && value <= high;
}
