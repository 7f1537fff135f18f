/** Which of several files is the model, where those beside it may lie, and whether one is what was expected. */

import { ownBytes } from "../core/buffers.ts";
import { DepthwiseError, listed } from "../core/errors.ts";
import { damaged, grouped, quoted } from "../core/file-error.ts";
import type { Expected } from "./options.ts";

interface Kind {
  readonly matches: (name: string) => boolean;
  /** The one to take when there are several. */
  readonly preferred?: readonly string[];
}

const isKerasWeights = (name: string) => name.endsWith(".weights.h5");

/** The best first: what says most of the network before what is bare weights. Names are in lower case. */
const KINDS: readonly Kind[] = [
  { matches: (name) => name === "model.json" },
  { matches: (name) => name.endsWith(".safetensors"), preferred: ["model.safetensors"] },
  {
    matches: (name) => /\.(h5|hdf5|keras)$/.test(name) && !isKerasWeights(name),
    preferred: ["model.keras", "tf_model.h5"],
  },
  { matches: (name) => name.endsWith(".tflite"), preferred: ["model.tflite"] },
  { matches: (name) => name.endsWith(".onnx"), preferred: ["model.onnx"] },
  { matches: (name) => name.endsWith(".pb"), preferred: ["saved_model.pb"] },
  { matches: (name) => /\.(pt|pth|bin)$/.test(name), preferred: ["pytorch_model.bin"] },
  { matches: isKerasWeights },
];

/**
 * The index of the model among files, given by their names without directories.
 *
 * @param place how the directory or list is called in messages
 * @throws {DepthwiseError} `FILE_NOT_FOUND` if none looks like a model or several do, listing what is there
 */
export function chooseMain(place: string, names: readonly string[]): number {
  const lower = names.map((name) => name.toLowerCase());
  for (const { matches, preferred = [] } of KINDS) {
    const found = [...lower.keys()].filter((index) => matches(lower[index] ?? ""));
    const favourite = preferred
      .map((name) => found.filter((index) => lower[index] === name))
      .find((few) => few.length === 1);
    const [main] = favourite ?? found;
    if (main === undefined) continue;
    if (favourite !== undefined || found.length === 1) return main;
    const several = found.map((index) => names[index] ?? "");
    throw notChosen(place, "one model", `${found.length}: ${fileList(several)}`, names);
  }
  throw notChosen(
    place,
    "a model (model.json, .safetensors, .h5, .keras, .tflite, .onnx, .pb, .pt, .pth)",
    fileList(names),
    names,
  );
}

/** Names for a message, not too many. */
export function fileList(names: readonly string[]): string {
  return listed(names, ", ", 20) || "no file";
}

function notChosen(place: string, expected: string, found: string, names: readonly string[]): DepthwiseError {
  return new DepthwiseError("FILE_NOT_FOUND", {
    what: place,
    expected,
    found,
    advice: "Pass the file itself.",
    fields: { names: [...names] },
  });
}

/**
 * The parts of a relative path, such as `["shards", "group1.bin"]`.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for a path that is absolute, climbs, or is an address
 */
export function relativeParts(owner: string, path: string): readonly string[] {
  const refuse = (found: string) =>
    damaged(owner, `it names the file ${quoted(path)}`, {
      expected: "a path inside the directory of the model",
      found,
      advice: "It was not followed.",
      fields: { path },
    });
  if (path === "" || path.length > 4096) throw refuse(path === "" ? "nothing" : "a very long one");
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) throw refuse("an address or a drive");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: such names are refused
  if (/[\\\u0000-\u001f]/.test(path)) throw refuse("a backslash or a control character");
  // Half a letter, which no address can have.
  if (/[\ud800-\udfff]/u.test(path)) throw refuse("a broken letter");
  if (path.startsWith("/")) throw refuse("an absolute path");
  const parts = path.split("/").filter((part) => part !== ".");
  // Addresses know the encoded forms of a dot as well.
  if (parts.some((part) => /^(\.|%2e){1,2}$/i.test(part))) throw refuse("a path that climbs");
  if (parts.some((part) => part === "") || parts.length === 0) throw refuse("an empty name");
  return parts;
}

/** For bytes that came without a place: there is nothing to look beside. */
export function noPlace(name: string, path: string): DepthwiseError {
  return new DepthwiseError("FILE_NOT_FOUND", {
    what: `${name}: the file ${quoted(path)} belongs to it, but there is no place to look beside it`,
    advice: "Pass a path or an address, or all files as a list of File objects.",
    fields: { path },
  });
}

/** SHA-256 in hexadecimal; undefined where the platform has none, as on an insecure page. */
export async function sha256Of(bytes: Uint8Array): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const digest = new Uint8Array(await subtle.digest("SHA-256", ownBytes(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is wrong about a file of this size and digest, in words; undefined if nothing is. */
export function mismatch({ size, sha256 }: Expected, bytes: number, digest: string | undefined): string | undefined {
  if (size !== undefined && size !== bytes) return `expected ${grouped(size)} bytes, found ${grouped(bytes)}`;
  if (sha256 !== undefined && sha256 !== digest) return `expected sha256 ${sha256}, found ${digest ?? "none"}`;
  return undefined;
}

/** @throws {DepthwiseError} `FILE_CORRUPT` */
export async function verify(name: string, bytes: Uint8Array, expected: Expected): Promise<void> {
  const digest = expected.sha256 === undefined ? undefined : await sha256Of(bytes);
  const wrong = mismatch(expected, bytes.length, digest);
  if (wrong !== undefined) throw otherFile(name, wrong);
}

/** The error for a file of another size or digest. */
export function otherFile(name: string, wrong: string): DepthwiseError {
  const advice = "The file is damaged, was changed, or the size or sha256 given is another file's.";
  return damaged(name, `it is not the file that was asked for: ${wrong}`, { advice });
}
