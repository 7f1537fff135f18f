/** Whether bytes are the ones that were expected. */

import type { DepthwiseError } from "../core/errors.ts";
import { fileError, grouped } from "../core/file-error.ts";
import type { Expected } from "./options.ts";
import { ownBytes } from "./own-bytes.ts";

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
  if (wrong !== undefined) throw corrupt(name, wrong);
}

export function corrupt(name: string, wrong: string): DepthwiseError {
  const advice = "The file is damaged, was changed, or the size or sha256 given is another file's.";
  return fileError("FILE_CORRUPT", name, `it is not the file that was asked for: ${wrong}`, advice);
}
