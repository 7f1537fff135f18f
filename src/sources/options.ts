/** Options of a source, checked once: below this nobody asks what is undefined. */

import { shownAddress } from "../core/address.ts";
import { DepthwiseError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { booleanOption, checkKnownOptions, optionError, positiveInteger, signalOption } from "../core/options.ts";
import { className } from "../core/realms.ts";
import { paceOf } from "../core/stall-watch.ts";

/** How far the reading of a model is. */
export interface Progress {
  /** The file in question: the model's own, or one beside it. */
  readonly file: string;
  /** Bytes so far. */
  readonly received: number;
  /** Bytes in all, where the server or the source says. */
  readonly total: number | undefined;
  readonly fromCache: boolean;
  /** What went wrong without harm: why the file could not be kept in the cache. */
  readonly note?: string;
}

/** How a model's files are fetched, checked and kept. */
export interface SourceOptions {
  /** Most bytes that are read, the files beside the model included. Default 2 GiB. */
  readonly maxBytes?: number;
  /**
   * Most bytes that a load may make of the files: what they unpack to, as numbers, text and objects. Default 48 MiB and
   * four bytes for each byte of the files, or eight for each byte if that is more.
   */
  readonly maxDecodedBytes?: number;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Called as bytes arrive, and once when a file is whole. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Whether downloads are kept and found again. Default true. A string is the directory in Node, a path or a `file:`
   * URL (otherwise `$DEPTHWISE_CACHE`, or `depthwise` in the user's folder for caches), and the name of the cache in a
   * browser. Files are for their owner alone: an address is kept with its query, which may be a signature.
   */
  readonly cache?: boolean | string;
  /**
   * Whether the server is asked although the cache has the file; it answers in a few bytes if nothing changed. Default:
   * an address is asked, and if it cannot be reached the cache answers; a name (`hf:`, `keras:`) and a file whose
   * sha256 is given are not asked.
   */
  readonly refresh?: boolean;
  /** Never use the network. Default false. */
  readonly offline?: boolean;
  /** How often a failed request to one address is repeated, going on where it ended. Default 3. */
  readonly retries?: number;
  /** Milliseconds without an answer, or without enough bytes of it, after which a request counts as failed. Default 30,000. */
  readonly stallTimeout?: number;
  /**
   * Bytes a second that have to come, over each `stallTimeout`; of 0 a single byte in that time is enough. Default 100,
   * which a telephone line keeps up.
   */
  readonly minBytesPerSecond?: number;
  /**
   * Addresses to try in order when the first fails: of the same file for a web address, and in place of `hubUrl` or
   * `kerasUrl` for a name. Default none.
   */
  readonly mirrors?: readonly string[];
  /** Bytes that the file must have. */
  readonly size?: number;
  /** SHA-256 that the file must have, as 64 hexadecimal digits. */
  readonly sha256?: string;
  /**
   * Sent to the address given (or `hubUrl`, `kerasUrl`), and to mirrors and along redirects of the same origin; others
   * get `accept`, `accept-language` and `user-agent` alone. In a page, which cannot see where redirects lead, none is
   * followed with headers other than these and `authorization`.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Access token for Hugging Face, sent to `hubUrl` alone: to no mirror, and to no other origin that it redirects to. */
  readonly token?: string;
  /** Default `$HF_ENDPOINT` in Node, otherwise `https://huggingface.co`. */
  readonly hubUrl?: string;
  /** Default `https://storage.googleapis.com/tensorflow/keras-applications`. */
  readonly kerasUrl?: string;
}

/** The names of `SourceOptions`, for whoever takes more options than these. */
export const SOURCE_OPTIONS = [
  "maxBytes",
  "maxDecodedBytes",
  "signal",
  "onProgress",
  "cache",
  "refresh",
  "offline",
  "retries",
  "stallTimeout",
  "minBytesPerSecond",
  "mirrors",
  "size",
  "sha256",
  "headers",
  "token",
  "hubUrl",
  "kerasUrl",
] as const satisfies readonly (keyof SourceOptions)[];

/** What the file must be, if the caller knows. */
export interface Expected {
  readonly size: number | undefined;
  readonly sha256: string | undefined;
}

export interface Settings
  extends Required<
    Omit<
      SourceOptions,
      "signal" | "onProgress" | "size" | "sha256" | "token" | "refresh" | "maxDecodedBytes" | "hubUrl"
    >
  > {
  /** As it was given: see `hubOf`. */
  readonly hubUrl: string | undefined;
  readonly refresh: boolean | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly token: string | undefined;
  readonly expected: Expected;
}

const OWNER = "source";

/** @throws {DepthwiseError} `OPTION_INVALID` */
export function checkSourceOptions(options: SourceOptions): Settings {
  checkKnownOptions(OWNER, options, SOURCE_OPTIONS);
  const { cache = true, retries = 3, mirrors = [], headers = {} } = options;
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw optionError(OWNER, "retries", "a whole number from 0", retries);
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== "function") {
    throw optionError(OWNER, "onProgress", "a function", options.onProgress);
  }
  if (!Array.isArray(mirrors)) throw optionError(OWNER, "mirrors", "a list of web addresses", mirrors);
  if (options.maxDecodedBytes !== undefined) positiveInteger(OWNER, "maxDecodedBytes", options.maxDecodedBytes);
  return {
    maxBytes: positiveInteger(OWNER, "maxBytes", options.maxBytes ?? 2 ** 31),
    signal: signalOption(OWNER, options.signal),
    onProgress: options.onProgress,
    cache: cacheOption(OWNER, cache),
    refresh: options.refresh === undefined ? undefined : booleanOption(OWNER, "refresh", options.refresh),
    offline: booleanOption(OWNER, "offline", options.offline ?? false),
    retries,
    ...paceOf(OWNER, options),
    mirrors: mirrors.map((mirror: unknown) => webAddress("mirrors", mirror)),
    headers: checkHeaders(headers),
    token: checkToken(options.token),
    hubUrl: options.hubUrl === undefined ? undefined : webAddress("hubUrl", options.hubUrl),
    kerasUrl: webAddress(
      "kerasUrl",
      options.kerasUrl ?? "https://storage.googleapis.com/tensorflow/keras-applications",
    ),
    expected: { size: checkByteCount(options.size), sha256: checkDigest(options.sha256) },
  };
}

/** Where a repository's files are. The environment is asked for `hf:` alone: Deno asks its user before it tells. */
export function hubOf({ hubUrl }: Pick<Settings, "hubUrl">): string {
  return hubUrl ?? webAddress("hubUrl", hubFromEnvironment() ?? "https://huggingface.co");
}

function hubFromEnvironment(): string | undefined {
  try {
    return (typeof process === "undefined" ? undefined : process.env?.["HF_ENDPOINT"]) || undefined;
  } catch {
    // Not told.
    return undefined;
  }
}

function webAddress(option: string, value: unknown): string {
  if (typeof value === "string" && /^https?:\/\/[^/]/i.test(value) && URL.canParse(value)) return value;
  const found = typeof value === "string" ? shownAddress(value) : value;
  throw optionError(OWNER, option, "an address that begins with https:// or http://", found);
}

export function cacheOption(owner: string, cache: unknown): boolean | string {
  if (typeof cache === "boolean" || (typeof cache === "string" && cache !== "")) return cache;
  throw optionError(owner, "cache", "true, false or the name of a directory", cache);
}

function checkByteCount(size: number | undefined): number | undefined {
  return size === undefined ? undefined : positiveInteger(OWNER, "size", size);
}

function checkDigest(sha256: unknown): string | undefined {
  if (sha256 === undefined) return undefined;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw optionError(OWNER, "sha256", "64 hexadecimal digits", sha256);
  }
  if (globalThis.crypto?.subtle === undefined) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "source: sha256 cannot be checked here, since crypto.subtle is missing: the page is not a secure one",
      advice: "Serve the page over https, or give size alone.",
      fields: { owner: OWNER, option: "sha256" },
    });
  }
  return sha256.toLowerCase();
}

/** Values of headers are secrets: no message and no field of an error has one in it. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** The connection's own, which `fetch` refuses or a server waits for. */
const CONNECTION = /^(connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/;

/** Whether a value can be sent: one line, and no letter beyond Latin-1. */
export function isSendable(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/**
 * Headers with their names in lower case.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
function checkHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (!isObject(headers) || (!isHeaders(headers) && Symbol.iterator in headers)) {
    throw refused("headers", "an object of strings", "");
  }
  const entries: (readonly [string, unknown])[] = isHeaders(headers) ? [...headers] : Object.entries(headers);
  return Object.fromEntries(
    entries.map(([given, value]) => {
      const name = given.toLowerCase();
      // Not shown: a whole header may have slipped into it.
      if (!NAME.test(name)) throw refused("headers", "names of headers", "one with other letters");
      const what = `headers: ${name.slice(0, 100)}`;
      if (CONNECTION.test(name)) throw refused(what, "the name of a header that can be set", "");
      if (typeof value !== "string") throw refused(what, "a string", typeof value);
      if (!isSendable(value)) throw refused(what, "a value of one line, in Latin-1", unsendable(value));
      return [name, value];
    }),
  );
}

/** By its name: asking for the class itself makes Node load all of `fetch`, 20 ms of a cold start from disk. */
function isHeaders(value: object): value is Headers {
  return className(value) === "Headers";
}

/** @throws {DepthwiseError} `OPTION_INVALID` */
function checkToken(token: unknown): string | undefined {
  if (token === undefined) return undefined;
  if (typeof token !== "string") throw refused("token", "a string", typeof token);
  if (!isSendable(token)) throw refused("token", "one line, in Latin-1", unsendable(token));
  return token;
}

function unsendable(value: string): string {
  const found = /[\r\n]/.test(value) ? "a line break" : "a letter that cannot be sent";
  return `${found} in one of ${value.length} letters`;
}

function refused(what: string, expected: string, found: string): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", { what: `source: ${what}`, expected, found: found || undefined });
}
