/** What may be sent as a header. Values are secrets: no message and no field of an error has one in it. */

import { DepthwiseError } from "../core/errors.ts";
import { className } from "../core/realms.ts";

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
export function checkHeaders(headers: unknown): Readonly<Record<string, string>> {
  const isObject = typeof headers === "object" && headers !== null;
  if (!isObject || (!isHeaders(headers) && Symbol.iterator in headers)) {
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
export function checkToken(token: unknown): string | undefined {
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
  const facts = found === "" ? {} : { found };
  return new DepthwiseError("OPTION_INVALID", { what: `source: ${what}`, expected, ...facts });
}
