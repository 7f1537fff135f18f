/** Models at a web address, and the files beside it. */

import { DepthwiseError } from "../../core/errors.ts";
import type { Settings } from "./options.ts";
import { noPlace, relativeParts } from "./relative-path.ts";
import type { RemoteFile, RemotePlace } from "./remote.ts";

/**
 * @param addresses of the same file
 * @throws {DepthwiseError} `OPTION_INVALID` for an address with a password in it, which `fetch` does not take
 */
export function addressPlace(name: string, addresses: readonly string[], settings: Settings): RemotePlace {
  for (const address of addresses) refuseCredentials(address);
  const file = (fileName: string, urls: readonly string[]): RemoteFile => ({
    name: fileName,
    addresses: urls.map((url) => ({ url, headers: settings.headers })),
  });
  return {
    name,
    mayChange: true,
    heads: [file(name, addresses)],
    beside(_head, path) {
      const places = addresses.filter(hasPlace);
      if (places.length === 0) throw noPlace(name, path);
      const parts = relativeParts(name, path).map((part) => encodeURIComponent(part));
      const urls = places.map((address) => besides(address, parts));
      return [file(urls[0] ?? name, urls)];
    },
  };
}

/** Unlike `blob:` and `data:`. */
function hasPlace(address: string): boolean {
  return /^https?:/i.test(address);
}

/** The query stays: it may be the signature of the whole folder. */
function besides(address: string, parts: readonly string[]): string {
  const url = new URL(address);
  url.pathname = url.pathname.replace(/[^/]*$/, parts.join("/"));
  return url.href;
}

function refuseCredentials(address: string): void {
  const { username, password, host } = new URL(address);
  if (username === "" && password === "") return;
  throw new DepthwiseError("OPTION_INVALID", {
    what: `source: the address at ${host} has a user and password in it`,
    advice: "Pass them as headers: { authorization: … } in place.",
  });
}
