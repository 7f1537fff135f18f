/** Names of files beside a model, which stand in the model: hostile until shown to stay where they should. */

import { DepthwiseError } from "../core/errors.ts";

/**
 * The parts of a relative path, such as `["shards", "group1.bin"]`.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for a path that is absolute, climbs, or is an address
 */
export function relativeParts(owner: string, path: string): readonly string[] {
  const refuse = (found: string) =>
    new DepthwiseError("FILE_CORRUPT", {
      what: `${owner}: it names the file ${JSON.stringify(path.slice(0, 200))}`,
      expected: "a path inside the directory of the model",
      found,
      advice: "It was not followed. Nothing was loaded.",
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
    what: `${name}: the file ${JSON.stringify(path.slice(0, 200))} belongs to it, but there is no place to look beside it`,
    advice: "Pass a path or an address, or all files as a list of File objects.",
    fields: { path },
  });
}
