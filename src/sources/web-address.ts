/** Models at a web address, and the files beside it. */

import { requestOf, shownAddress } from "../core/address.ts";
import { headersFor } from "../core/follow.ts";
import type { Settings } from "./options.ts";
import { noPlace, relativeParts } from "./relative-path.ts";

export interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RemoteFile {
  readonly name: string;
  /** Of the same file, the first is the one it is kept under. */
  readonly addresses: readonly Address[];
}

export interface RemotePlace {
  /** For messages. */
  readonly name: string;
  /** Whether another model may stand there tomorrow: at an address, unlike under a name of a collection. */
  readonly mayChange: boolean;
  /** What may be the model: the first that exists is. */
  readonly heads: readonly RemoteFile[];
  /** Where a file beside the chosen head may be, likewise. */
  beside(head: number, path: string): readonly RemoteFile[];
}

/** @param addresses of the same file, the first the one that headers were given for */
export function addressPlace(name: string, addresses: readonly string[], settings: Settings): RemotePlace {
  const file = (fileName: string, urls: readonly string[]): RemoteFile => ({
    name: fileName,
    addresses: urls.map((url) => requestTo(url, headersFor(settings.headers, addresses[0] ?? url, url))),
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
      return [file(shownAddress(urls[0] ?? name), urls)];
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

/** A user and password in the address become a header, unless the caller has one already. */
export function requestTo(address: string, headers: Readonly<Record<string, string>>): Address {
  const { url, authorization } = requestOf(address);
  return { url, headers: authorization === undefined ? headers : { authorization, ...headers } };
}
