/** Files on servers: from the cache if they are there, otherwise fetched from one address after the other and kept. */

import { shownAddress } from "../core/address.ts";
import { DepthwiseError, type ErrorCode } from "../core/errors.ts";
import { fileError } from "../core/file-error.ts";
import type { PartialFile, SourceCache } from "./cache.ts";
import { type Downloaded, type DownloadFailure, download } from "./download.ts";
import { mismatch, otherFile } from "./model-files.ts";
import type { OpenFile, Opening, StartCheck } from "./open-file.ts";
import type { Expected } from "./options.ts";
import { isNetwork, placeOf, type RemoteFile } from "./places.ts";
import { describeKind, recognise, START_BYTES } from "./recognise.ts";

const ANYTHING: Expected = { size: undefined, sha256: undefined };

export async function openRemoteFile(type: "hub" | "keras" | "web", text: string, given: Opening): Promise<OpenFile> {
  const place = placeOf(type, text, given.settings);
  const { refresh, expected } = given.settings;
  const opening: RemoteOpening = {
    ...given,
    settings: { ...given.settings, refresh: refresh ?? (place.mayChange && expected.sha256 === undefined) },
    mayFallBack: refresh === undefined,
  };
  const { index, name, bytes } = await fetchFirst(place.name, place.candidates, opening.settings.expected, opening);
  const beside = { ...opening, checkStart: checkBeside };
  return {
    name,
    bytes,
    async sibling(path) {
      const files = place.beside(index, path);
      return (await fetchFirst(files[0]?.name ?? place.name, files, ANYTHING, beside)).bytes;
    },
  };
}

interface RemoteOpening extends Opening {
  /** Whether the cache may answer where the server, asked again, cannot be reached. */
  readonly mayFallBack: boolean;
}

interface Fetched {
  /** Which of the files it is. */
  readonly index: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The first of the files that exists. One that cannot be had for another reason ends the search. */
async function fetchFirst(
  name: string,
  files: readonly RemoteFile[],
  expected: Expected,
  opening: RemoteOpening,
): Promise<Fetched> {
  const { offline, refresh } = opening.settings;
  const cache = await opening.cache();
  if (cache !== undefined && (offline || !refresh)) {
    for (const [index, file] of files.entries()) {
      const bytes = await fromCache(file, cache, expected, opening);
      if (bytes !== undefined) return { index, name: file.name, bytes };
    }
  }
  const failures: DownloadFailure[] = [];
  for (const [index, file] of files.entries()) {
    const usable = file.addresses.filter(({ url }) => !offline || !isNetwork(url));
    if (usable.length === 0) continue;
    const result = await fetchFile({ ...file, addresses: usable }, cache, expected, opening);
    if (result.type === "bytes") return { index, name: file.name, bytes: result.bytes };
    failures.push(...result.failures);
    if (result.failures.some(({ code }) => code !== "FILE_NOT_FOUND")) break;
  }
  if (cache !== undefined && refresh && opening.mayFallBack && failures.some(({ canRetry }) => canRetry)) {
    for (const [index, file] of files.entries()) {
      const bytes = await fromCache(file, cache, expected, opening, "the server could not be asked whether it changed");
      if (bytes !== undefined) return { index, name: file.name, bytes };
    }
  }
  throw failures.length === 0 ? notOffline(name, files, cache) : notFetched(name, failures);
}

/** The address that a file is kept under. */
function addressOf({ addresses }: RemoteFile): string {
  return addresses[0]?.url ?? "";
}

async function fromCache(
  file: RemoteFile,
  cache: SourceCache,
  expected: Expected,
  { budget, settings, checkStart }: Opening,
  note?: string,
): Promise<Uint8Array | undefined> {
  const kept = await cache.find(addressOf(file));
  if (kept === undefined || mismatch(expected, kept.size, kept.sha256) !== undefined) return undefined;
  budget.take(file.name, kept.size);
  const bytes = await kept.load();
  settings.signal?.throwIfAborted();
  if (bytes === undefined || !looksRight(file.name, bytes, checkStart)) {
    budget.giveBack(kept.size);
    // An older version kept whatever was short.
    if (bytes !== undefined) await kept.drop();
    return undefined;
  }
  const told = note === undefined ? {} : { note };
  settings.onProgress?.({ file: file.name, received: kept.size, total: kept.size, fromCache: true, ...told });
  return bytes;
}

/** Whether a file from the cache may be what is looked for. */
function looksRight(name: string, bytes: Uint8Array, checkStart: StartCheck | undefined): boolean {
  try {
    checkStart?.(name, bytes.subarray(0, START_BYTES));
    return true;
  } catch {
    return false;
  }
}

/** Beside a model anything may lie, as raw weights, but no page: that is of a login, or says that something is gone. */
function checkBeside(name: string, start: Uint8Array): void {
  const kind = recognise(start, false);
  if (kind !== "HTML page") return;
  const { phrase, advice } = describeKind(kind);
  const facts = { expected: "a file that belongs to a model", found: phrase, fields: { kind } };
  throw fileError("FORMAT_UNKNOWN", name, "", advice, facts);
}

type FetchResult =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "failed"; readonly failures: readonly DownloadFailure[] };

async function fetchFile(
  file: RemoteFile,
  cache: SourceCache | undefined,
  expected: Expected,
  opening: Opening,
): Promise<FetchResult> {
  const key = addressOf(file);
  const kept = isNetwork(key) ? cache : undefined;
  const known = opening.settings.refresh ? await kept?.find(key) : undefined;
  const isFit = known !== undefined && mismatch(expected, known.size, known.sha256) === undefined;
  let etag = isFit ? known.etag : undefined;
  const { signal } = opening.settings;
  const partial = await kept?.partial?.(key).catch(() => undefined);
  signal?.throwIfAborted();
  // What is left of a newer file than the cache has: that one is gone on with, the old one not asked about.
  if (partial?.left?.source.address === key && partial.left.source.etag !== etag) etag = undefined;
  const failures: DownloadFailure[] = [];
  try {
    for (const { url, headers } of file.addresses) {
      const job = { name: file.name, url, headers, expected, partial, opening, needsDigest: kept !== undefined };
      let result = await download({ ...job, etag: url === key ? etag : undefined });
      if (result.type === "unchanged") {
        const bytes = kept && (await fromCache(file, kept, expected, opening));
        if (bytes !== undefined) return { type: "bytes", bytes };
        etag = undefined;
        result = await download({ ...job, etag });
      }
      if (result.type === "complete") {
        await keep(file, result, url === key ? result.etag : undefined, kept, opening);
        return { type: "bytes", bytes: result.bytes };
      }
      if (result.type === "failed") failures.push(result);
    }
    // The next one goes on where this one ended. What was wrong has gone already.
    await leave(partial);
    return { type: "failed", failures };
  } catch (cause) {
    // Likewise, as a kill would leave it.
    await leave(partial);
    throw cause;
  } finally {
    await partial?.drop().catch(() => {});
  }
}

async function leave(partial: PartialFile | undefined): Promise<void> {
  await partial?.leave().catch(() => {});
}

/** A cache that is full, forbidden or broken costs the next download, not this one. */
async function keep(
  file: RemoteFile,
  { bytes, sha256 }: Downloaded,
  etag: string | undefined,
  cache: SourceCache | undefined,
  { settings }: Opening,
): Promise<void> {
  const wants = settings.cache !== false && isNetwork(addressOf(file));
  let lack = cache === undefined && wants ? "there is none here, or its use is refused (a private window?)" : undefined;
  try {
    await cache?.save(addressOf(file), bytes, { sha256, etag });
  } catch (cause) {
    lack = cause instanceof Error ? cause.message : String(cause);
  }
  if (lack !== undefined) {
    const note = `it could not be kept in the cache: ${lack}`;
    settings.onProgress?.({ file: file.name, received: bytes.length, total: bytes.length, fromCache: false, note });
  }
  settings.signal?.throwIfAborted();
}

function notOffline(name: string, files: readonly RemoteFile[], cache: SourceCache | undefined): DepthwiseError {
  const urls = files.map((file) => shownAddress(addressOf(file)));
  return new DepthwiseError("FILE_NOT_FOUND", {
    what: `${name}: it is not in the cache${cache === undefined ? "" : ` (${cache.place})`}, and offline: true forbids to fetch it`,
    advice: "Load it once without offline, or download the file and pass its path.",
    fields: { urls },
  });
}

function notFetched(name: string, failures: readonly DownloadFailure[]): DepthwiseError {
  const wrong = failures.find(({ code }) => code === "FILE_CORRUPT");
  if (wrong !== undefined && failures.length === 1) return otherFile(wrong.url, wrong.answer);
  const codes = new Set(failures.map(({ code }) => code));
  const code: ErrorCode = codes.size === 1 ? (failures[0]?.code ?? "FILE_UNREADABLE") : "FILE_UNREADABLE";
  const answers = failures.map(({ url, answer, tries }) => `${url}: ${answer}${tries > 1 ? `, ${tries} times` : ""}`);
  return new DepthwiseError(wrong === undefined ? code : "FILE_CORRUPT", {
    what:
      failures.length === 1
        ? `${answers[0]}`
        : `${name}: none of ${failures.length} addresses has it: ${answers.join("; ")}`,
    advice: adviceFor(failures),
    fields: { failures: failures.map(({ url, status, answer, tries }) => ({ url, status, answer, tries })) },
    cause: failures.find(({ cause }) => cause !== undefined)?.cause,
  });
}

function adviceFor(failures: readonly DownloadFailure[]): string {
  if (failures.every(({ url }) => /^file:/i.test(url))) {
    return 'A page that was opened from a disk may not fetch files: take it from an <input type="file">, or serve the page.';
  }
  if (failures.some(({ status }) => status === 401 || status === 403)) {
    return "Check the address, and whether it asks for a login: pass headers, or token for Hugging Face.";
  }
  if (failures.every(({ code }) => code === "FILE_NOT_FOUND")) return "Check the address.";
  return "Check the address and the network, or download the file and pass its path.";
}
