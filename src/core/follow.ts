/** `fetch` that follows redirects by hand, so that what is sent to one origin is not sent to another. */

/** Of one request. */
export interface Asking {
  /** The caller's headers, by names in lower case: for the origin of the address alone. */
  readonly given: Readonly<Record<string, string>>;
  /** What the request itself is: for whoever answers it. */
  readonly own?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly cache?: RequestCache;
}

/** As many as `fetch` follows. */
const MOST_REDIRECTS = 20;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Headers that say nothing secret. */
const HARMLESS: readonly string[] = ["accept", "accept-language", "user-agent"];

/** Of headers given for one address what another may be sent: on the same origin all, elsewhere what is no secret. */
export function headersFor(headers: Readonly<Record<string, string>>, address: string, other: string) {
  if (new URL(address).origin === new URL(other).origin) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.includes(name)));
}

/**
 * What an address answers in the end. Once a redirect leaves the origin (scheme, host and port) the headers given stay
 * behind, but for `accept`, `accept-language` and `user-agent`. A page cannot see where a redirect leads: it takes
 * `authorization` along by itself or not, as the standard of `fetch` says (not to another origin), and with other
 * headers no redirect is followed.
 *
 * @param address without a password in it, which `requestOf` takes out
 * @returns the answer; or in words why a redirect was not followed
 * @throws what `fetch` throws
 */
export async function follow(address: string, { given, own = {}, signal, cache = "default" }: Asking) {
  const isPage = typeof process === "undefined" || process.getBuiltinModule?.("node:fs") === undefined;
  const tied = Object.keys(given).filter((name) => !HARMLESS.includes(name) && !(isPage && name === "authorization"));
  const redirect = isPage && tied.length === 0 ? "follow" : "manual";
  let headers = given;
  let url = address;
  for (let count = 0; count <= MOST_REDIRECTS; count++) {
    const response = await fetch(url, { headers: { ...headers, ...own }, signal, cache, redirect });
    if (response.type === "opaqueredirect" && response.status === 0) {
      return `it redirects, and a page cannot see whether to another origin, which must not get the headers given (${tied.join(", ")}): pass the address it leads to`;
    }
    const to = REDIRECTS.includes(response.status) ? response.headers.get("location") : null;
    if (to === null || redirect === "follow") return response;
    void response.body?.cancel().catch(() => {});
    const next = URL.canParse(to, url) ? new URL(to, url) : undefined;
    if (next === undefined || !/^https?:$/.test(next.protocol)) {
      return `it redirects to ${next === undefined ? "what is no address" : `a ${next.protocol} address`}`;
    }
    headers = headersFor(headers, url, next.href);
    // `fetch` refuses them, and nobody passed them.
    next.username = "";
    next.password = "";
    url = next.href;
  }
  return `it redirects in a circle, or more than ${MOST_REDIRECTS} times`;
}
