/** Addresses: where a source points, how one is shown, and what in it is nobody else's business. */

import { DepthwiseError } from "./errors.ts";
import { isURL } from "./realms.ts";

/** Longest address in a message. */
const SHOWN = 400;
const SECRET = /key|token|sig|secret|pass|pwd|auth|cred|policy|session|code/i;
/** Longer values tell a reader nothing, and may be signatures whatever they are called. */
const SHOWN_VALUE = 20;

/**
 * An address as it may be printed or saved: without user, password and fragment, and with `…` for values of its query
 * that are called a key, token, signature or the like, or are longer than 20 letters. A path stays as it is.
 */
export function shownAddress(address: string): string {
  if (/^\s*data:/i.test(address)) return `${address.trimStart().slice(0, 40).replace(/,.*/s, "")}…`;
  if (!/^\s*https?:|:[\\/]{2}/i.test(address)) return address;
  const { protocol, host, pathname, search } = URL.canParse(address) ? new URL(address) : NOTHING;
  if (protocol === "file:" || protocol === "blob:") return cut(address);
  if (protocol === "") return cut(withoutSecrets(masked(address)));
  return cut(`${protocol}//${host}${pathname}${withoutSecrets(search)}`);
}

/** What cannot be parsed may have its password anywhere before an @. */
function masked(address: string): string {
  const [colon, at] = [address.indexOf(":"), address.lastIndexOf("@")];
  return at < colon ? address : `${address.slice(0, colon)}://…${address.slice(at)}`;
}

const NOTHING = { protocol: "", host: "", pathname: "", search: "" } as const;

function withoutSecrets(query: string): string {
  return query.replace(/([?&;][^=&;?]*=?)([^&;]*)/g, (_, name: string, value: string) => {
    if (name.length > 2 * SHOWN_VALUE) return `${name.slice(0, SHOWN_VALUE)}…`;
    return value !== "" && (value.length > SHOWN_VALUE || SECRET.test(name)) ? `${name}…` : name + value;
  });
}

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/**
 * Where a string or URL points: an address for `fetch`, or the path of a file. Strings are paths where there is a disk,
 * unless they begin with `https://`, `http://`, `file:`, `blob:` or `data:`; in a page they are relative to it.
 *
 * @param expected what may be passed, and `what` it is called, for the error
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
export function locate(source: string | URL, expected: string, hasDisk: boolean, what = "source"): URL | string {
  const text = String(source);
  if (/^file:/i.test(text)) return pathIn(text, what);
  const isAddress = /^(https?:\/\/|blob:|data:)/i.test(text);
  const isOther = text === "" || isURL(source) || /^[a-z][a-z0-9+.-]+:\/\//i.test(text);
  if (hasDisk && !isAddress && !isOther) return text;
  const base = typeof location === "undefined" ? undefined : location.href;
  if ((isAddress || !isOther) && URL.canParse(text, base)) return new URL(text, base);
  throw noPlace(text, expected, what);
}

/**
 * The path that something is written to, by the rules of `locate`.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for an address of anything but a file
 */
export function locatePath(source: string | URL, what: string): string {
  const expected = "a path or a file: URL of this machine";
  const place = locate(source, expected, true, what);
  if (typeof place === "string") return place;
  throw noPlace(place.href, expected, what);
}

function noPlace(text: string, expected: string, what: string): DepthwiseError {
  const found = text === "" ? "an empty string" : JSON.stringify(cut(shownAddress(text)));
  return new DepthwiseError("OPTION_INVALID", { what, expected, found, fields: { found } });
}

function pathIn(address: string, what: string): string {
  if (URL.canParse(address)) return filePath(new URL(address), what);
  throw noFile(address, what, undefined);
}

/**
 * The path of a `file:` address.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for one on another machine, and one that names no path
 */
export function filePath(url: URL, what = "source"): string {
  const node = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:url");
  try {
    return node === undefined ? url.pathname : node.fileURLToPath(url);
  } catch (cause) {
    throw noFile(url.href, what, cause);
  }
}

function noFile(address: string, what: string, cause: unknown): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", {
    what: `${what}: ${cut(shownAddress(address))} is no address of a file on this machine`,
    advice: "Pass a path, or a file: URL like file:///folder/name.",
    cause,
  });
}

/**
 * An address as `fetch` takes it, which refuses one with a password in it: user and password go into a header, as with
 * curl.
 */
export function requestOf(address: string): { readonly url: string; readonly authorization: string | undefined } {
  const url = new URL(address);
  const { username, password } = url;
  if (username === "" && password === "") return { url: address, authorization: undefined };
  url.username = "";
  url.password = "";
  const utf8 = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`);
  const binary = Array.from(utf8, (byte) => String.fromCharCode(byte)).join("");
  return { url: url.href, authorization: `Basic ${btoa(binary)}` };
}

/** The text of a part of an address; as it is if its escapes are no UTF-8. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
