/** One request to one address: what came of it, in words and as bytes in the transfer. Nothing is repeated here. */

import type { ErrorCode } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { follow } from "../core/follow.ts";
import { isError, systemCode } from "../core/realms.ts";
import { startWatch, type Watch } from "../core/stall-watch.ts";
import { untilAborted } from "../core/until-aborted.ts";
import type { Job, Transfer } from "./transfer.ts";

export interface Failed {
  readonly type: "failed";
  readonly code: ErrorCode;
  /** To be read after the address. */
  readonly answer: string;
  readonly canRetry: boolean;
  readonly retryAfter: string | null;
  readonly status: number | undefined;
  readonly cause: unknown;
}

export type Outcome =
  | { readonly type: "complete" }
  /** The copy that `etag` belongs to is still right. */
  | { readonly type: "unchanged" }
  /** What is held cannot be continued. */
  | { readonly type: "restart" }
  | Failed;

/** @throws {DepthwiseError} `FILE_TOO_LARGE`; `signal.reason` */
export async function request(job: Job, transfer: Transfer): Promise<Outcome> {
  const { settings, clock } = job.opening;
  const offset = transfer.validator === undefined ? 0 : transfer.received;
  // It broke with its last byte. What another download left is never whole.
  if (offset > 0 && offset === transfer.total) return { type: "complete" };
  const watch = startWatch(settings, settings.signal, clock);
  try {
    const asked = await ask(job, transfer, offset, watch);
    if (asked.type === "failed") return asked;
    watch.hear(0);
    const { response } = asked;
    const { status } = response;
    const isRange = offset > 0 && (status === 206 || status === 416);
    const early = isRange ? checkRange(response, transfer, offset) : checkStatus(response, job);
    if (early !== undefined) return early;
    if (isRange) transfer.goOn(rangeOf(response).all);
    else await transfer.begin(factsOf(response));
    // Announced, so refused before a byte is read.
    job.opening.budget.check(job.name, Math.max((transfer.total ?? 0) - transfer.received, 0));
    return otherSize(job, transfer) ?? (await receive(response, job, transfer, watch));
  } finally {
    // Also ends what was not read to its end.
    watch.stop();
  }
}

type Asked = { readonly type: "answered"; readonly response: Response } | Failed;

async function ask(job: Job, transfer: Transfer, offset: number, watch: Watch): Promise<Asked> {
  const { settings } = job.opening;
  // Ranges and lengths count the bytes of the file only if nothing is packed on the way.
  const own: Record<string, string> = { "accept-encoding": "identity" };
  if (offset > 0) own["range"] = `bytes=${offset}-`;
  if (!isElsewhere(job.url)) {
    if (offset > 0 && transfer.validator !== undefined) own["if-range"] = transfer.validator;
    if (job.etag !== undefined) own["if-none-match"] = job.etag;
  }
  try {
    const cache = settings.refresh ? "no-cache" : "default";
    const response = await follow(job.url, { given: job.headers, own, signal: watch.signal, cache });
    return typeof response === "string" ? failed(response, {}) : { type: "answered", response };
  } catch (cause) {
    settings.signal?.throwIfAborted();
    if (watch.stall !== undefined) return failed(watch.stall, { canRetry: true, cause });
    const reason = reasonOf(cause);
    // A browser tells neither apart.
    const orDenied = isElsewhere(job.url) ? ", or does not let pages of other origins read it (CORS)" : "";
    const canRetry = /^https?:/i.test(job.url);
    return failed(`it cannot be reached${reason && ` (${reason})`}${orDenied}`, { canRetry, cause });
  }
}

/**
 * Whether it is another origin than the page's: a browser would first ask the server whether headers are welcome, which
 * many deny, and shows few of the answer, so that nobody knows whether its length is that of packed bytes.
 */
function isElsewhere(url: string): boolean {
  return typeof location !== "undefined" && new URL(url).origin !== location.origin;
}

function factsOf({ headers }: Response) {
  const etag = headers.get("etag") ?? undefined;
  const isPacked = (headers.get("content-encoding") ?? "identity") !== "identity";
  const length = headers.get("content-length");
  // A weak tag says "much the same", which is not enough to put two halves together.
  const strong = etag?.startsWith("W/") ? undefined : etag;
  return {
    etag,
    validator: isPacked ? undefined : (strong ?? headers.get("last-modified") ?? undefined),
    total: isPacked || length === null || !/^\d+$/.test(length) ? undefined : Number(length),
  };
}

/** Anything but the missing bytes of the same file is refused, a 416 among it: that the file has no such bytes. */
function checkRange({ headers }: Response, transfer: Transfer, offset: number): Outcome | undefined {
  const validators = [headers.get("etag"), headers.get("last-modified")];
  const { first, last, all } = rangeOf({ headers });
  const isRight =
    validators.includes(transfer.validator ?? "") &&
    first === offset &&
    last === all - 1 &&
    (transfer.total === undefined || all === transfer.total) &&
    (headers.get("content-encoding") ?? "identity") === "identity";
  return isRight ? undefined : { type: "restart" };
}

/** NaN where the header is missing or says something else. */
function rangeOf({ headers }: Pick<Response, "headers">) {
  const [, first, last, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  return { first: Number(first), last: Number(last), all: Number(all) };
}

function checkStatus({ status, statusText, ok, headers }: Response, job: Job): Outcome | undefined {
  if (status === 304 && job.etag !== undefined) return { type: "unchanged" };
  if (ok && status !== 206) return undefined;
  const answer = `the server answered ${status} ${statusText}`.trim();
  const isAbsent = status === 404 || status === 410;
  return failed(answer, {
    code: isAbsent ? "FILE_NOT_FOUND" : "FILE_UNREADABLE",
    canRetry: status === 408 || status === 429 || status >= 500,
    retryAfter: headers.get("retry-after"),
    status,
  });
}

/** Of no use to read on if the size announced is not the one that is wanted. */
function otherSize({ expected, url }: Job, { total }: Transfer): Failed | undefined {
  if (expected.size === undefined || total === undefined || total === expected.size) return undefined;
  if (isElsewhere(url)) return undefined;
  return failed(`expected ${grouped(expected.size)} bytes, found ${grouped(total)}`, { code: "FILE_CORRUPT" });
}

async function receive(response: Response, job: Job, transfer: Transfer, watch: Watch): Promise<Outcome> {
  const { settings } = job.opening;
  const reader = response.body?.getReader();
  const { status } = response;
  for (;;) {
    let part: { readonly done: boolean; readonly value?: Uint8Array | undefined } | undefined;
    try {
      // Not left to the stream: aborted with its last byte, Node's neither ends nor fails.
      part = reader && (await untilAborted(reader.read(), watch.signal));
    } catch (cause) {
      settings.signal?.throwIfAborted();
      const how = watch.stall ?? "the connection ended";
      return failed(`${how} after ${amount(transfer)}`, { canRetry: true, status, cause });
    }
    // A server that is asked to stop may still have delivered.
    settings.signal?.throwIfAborted();
    if (part === undefined || part.done || part.value === undefined) break;
    watch.hear(part.value.length);
    // More than is missing: the two answers are not of one file.
    if (transfer.isPatched && transfer.received + part.value.length > (transfer.total ?? Infinity)) {
      return { type: "restart" };
    }
    await transfer.add(part.value);
  }
  if (transfer.total === undefined || transfer.received === transfer.total) return { type: "complete" };
  return failed(`it sent ${amount(transfer)}`, { code: "FILE_TRUNCATED", canRetry: true, status });
}

function amount({ received, total }: Transfer): string {
  return `${grouped(received)}${total === undefined ? "" : ` of ${grouped(total)}`} bytes`;
}

function failed(answer: string, facts: Partial<Omit<Failed, "type" | "answer">>): Failed {
  const { code = "FILE_UNREADABLE", canRetry = false, retryAfter = null, status, cause } = facts;
  return { type: "failed", code, answer, canRetry, retryAfter, status, cause };
}

/** What stands behind Node's "fetch failed". */
function reasonOf(cause: unknown): string {
  const inner = isError(cause) && isError(cause.cause) ? cause.cause : cause;
  return isError(inner) ? (systemCode(inner) ?? inner.message) : "";
}
