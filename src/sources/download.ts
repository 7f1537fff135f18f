/** One file from one address: asked for again when it fails, going on where it ended, checked at the end. */

import { shownAddress } from "../core/address.ts";
import type { ErrorCode } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { follow } from "../core/follow.ts";
import { isError, systemCode } from "../core/realms.ts";
import { startWatch, type Watch } from "../core/stall-watch.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { type DownloadState, downloadState, type Job } from "./download-state.ts";
import { mismatch, sha256Of } from "./model-files.ts";
import type { Clock } from "./open-file.ts";
import { isNetwork } from "./places.ts";

export interface Downloaded {
  readonly type: "complete";
  readonly bytes: Uint8Array;
  readonly sha256: string | undefined;
  readonly etag: string | undefined;
}

export interface DownloadFailure {
  readonly type: "failed";
  /** As messages show it. */
  readonly url: string;
  readonly code: ErrorCode;
  /** What the server did, to be read after its address. */
  readonly answer: string;
  readonly status: number | undefined;
  readonly tries: number;
  /** Whether it may succeed another time. */
  readonly canRetry: boolean;
  readonly cause: unknown;
}

/**
 * @returns the bytes, or why there are none; `unchanged` if the server says that `etag` is still right
 * @throws {DepthwiseError} `FILE_TOO_LARGE`; `signal.reason`
 */
export async function download(job: Job): Promise<Downloaded | DownloadFailure | { readonly type: "unchanged" }> {
  const { clock, settings } = job.opening;
  const state = await downloadState(job);
  try {
    for (let tries = 1; ; tries++) {
      const outcome = await request(job, state);
      if (outcome.type === "unchanged") return outcome;
      if (outcome.type === "complete") {
        const done = await finish(job, state, tries);
        if (done !== undefined) return done;
      } else if (outcome.type === "failed") {
        if (!outcome.canRetry || tries > settings.retries) {
          state.giveUp();
          return { ...outcome, url: shownAddress(job.url), tries };
        }
        await sleep(clock, pause(clock, tries - 1, outcome.retryAfter), settings.signal);
      }
      // What was held is of no use: the same request from the start, which happens once and does not count.
      if (outcome.type !== "failed") {
        await state.startOver();
        tries -= 1;
      }
    }
  } catch (cause) {
    state.giveUp();
    throw cause;
  }
}

/** The checked file; undefined if it is wrong but was put together from two answers, so that a whole one may be right. */
async function finish(
  job: Job,
  state: DownloadState,
  tries: number,
): Promise<Downloaded | DownloadFailure | undefined> {
  const bytes = state.bytes();
  const digest =
    job.needsDigest || job.expected.sha256 !== undefined
      ? await untilAborted(sha256Of(bytes), job.opening.settings.signal)
      : undefined;
  job.opening.settings.signal?.throwIfAborted();
  const wrong = mismatch(job.expected, bytes.length, digest);
  if (wrong === undefined) {
    // Once more where it was long enough to be looked at on the way: by an earlier call, maybe, which did not look.
    await state.checkStart(bytes);
    return { type: "complete", bytes, sha256: digest, etag: state.etag };
  }
  if (state.isPatched) return undefined;
  state.giveUp();
  await state.dropPartial();
  const failure = {
    code: "FILE_CORRUPT",
    answer: wrong,
    status: undefined,
    canRetry: false,
    cause: undefined,
  } as const;
  return { type: "failed", url: shownAddress(job.url), tries, ...failure };
}

interface Failed {
  readonly type: "failed";
  readonly code: ErrorCode;
  /** To be read after the address. */
  readonly answer: string;
  readonly canRetry: boolean;
  readonly retryAfter: string | null;
  readonly status: number | undefined;
  readonly cause: unknown;
}

type RequestOutcome =
  | { readonly type: "complete" }
  /** The copy that `etag` belongs to is still right. */
  | { readonly type: "unchanged" }
  /** What is held cannot be continued. */
  | { readonly type: "restart" }
  | Failed;

/**
 * One request: what came of it, in words and as bytes in the state. Nothing is repeated here.
 *
 * @throws {DepthwiseError} `FILE_TOO_LARGE`; `signal.reason`
 */
async function request(job: Job, state: DownloadState): Promise<RequestOutcome> {
  const { settings, clock } = job.opening;
  const offset = state.validator === undefined ? 0 : state.received;
  // It broke with its last byte. What another download left is never whole.
  if (offset > 0 && offset === state.total) return { type: "complete" };
  const watch = startWatch(settings, settings.signal, clock);
  try {
    const asked = await ask(job, state, offset, watch);
    if (asked.type === "failed") return asked;
    watch.hear(0);
    const { response } = asked;
    const { status } = response;
    const isRange = offset > 0 && (status === 206 || status === 416);
    const early = isRange ? checkRange(response, state, offset) : checkStatus(response, job);
    if (early !== undefined) return early;
    if (isRange) state.goOn(rangeOf(response).all);
    else await state.begin(factsOf(response));
    // Announced, so refused before a byte is read.
    job.opening.budget.check(job.name, Math.max((state.total ?? 0) - state.received, 0));
    return otherSize(job, state) ?? (await receive(response, job, state, watch));
  } finally {
    // Also ends what was not read to its end.
    watch.stop();
  }
}

type Asked = { readonly type: "answered"; readonly response: Response } | Failed;

async function ask(job: Job, state: DownloadState, offset: number, watch: Watch): Promise<Asked> {
  const { settings } = job.opening;
  // Ranges and lengths count the bytes of the file only if nothing is packed on the way.
  const own: Record<string, string> = { "accept-encoding": "identity" };
  if (offset > 0) own["range"] = `bytes=${offset}-`;
  if (!isElsewhere(job.url)) {
    if (offset > 0 && state.validator !== undefined) own["if-range"] = state.validator;
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
    const canRetry = isNetwork(job.url);
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
function checkRange({ headers }: Response, state: DownloadState, offset: number): RequestOutcome | undefined {
  const validators = [headers.get("etag"), headers.get("last-modified")];
  const { first, last, all } = rangeOf({ headers });
  const isRight =
    validators.includes(state.validator ?? "") &&
    first === offset &&
    last === all - 1 &&
    (state.total === undefined || all === state.total) &&
    (headers.get("content-encoding") ?? "identity") === "identity";
  return isRight ? undefined : { type: "restart" };
}

/** NaN where the header is missing or says something else. */
function rangeOf({ headers }: Pick<Response, "headers">) {
  const [, first, last, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  return { first: Number(first), last: Number(last), all: Number(all) };
}

function checkStatus({ status, statusText, ok, headers }: Response, job: Job): RequestOutcome | undefined {
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
function otherSize({ expected, url }: Job, { total }: DownloadState): Failed | undefined {
  if (expected.size === undefined || total === undefined || total === expected.size) return undefined;
  if (isElsewhere(url)) return undefined;
  return failed(`expected ${grouped(expected.size)} bytes, found ${grouped(total)}`, { code: "FILE_CORRUPT" });
}

async function receive(response: Response, job: Job, state: DownloadState, watch: Watch): Promise<RequestOutcome> {
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
      return failed(`${how} after ${amount(state)}`, { canRetry: true, status, cause });
    }
    // A server that is asked to stop may still have delivered.
    settings.signal?.throwIfAborted();
    if (part === undefined || part.done || part.value === undefined) break;
    watch.hear(part.value.length);
    // More than is missing: the two answers are not of one file.
    if (state.isPatched && state.received + part.value.length > (state.total ?? Infinity)) {
      return { type: "restart" };
    }
    await state.add(part.value);
  }
  if (state.total === undefined || state.received === state.total) return { type: "complete" };
  return failed(`it sent ${amount(state)}`, { code: "FILE_TRUNCATED", canRetry: true, status });
}

function amount({ received, total }: DownloadState): string {
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

/** @throws `signal.reason` as soon as it is aborted */
async function sleep(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((done) => {
    cancel = clock.after(ms, done);
  });
  await untilAborted(over, signal).finally(cancel);
}

/** Longest pause, also where a server asks for more. */
const LONGEST_PAUSE_MS = 60_000;
const FIRST_PAUSE_MS = 500;

/**
 * Milliseconds before a request is repeated: twice as long each time, a random half of it less so that many clients
 * do not come back together; or what the server asks for.
 *
 * @param attempt 0 for the first repetition
 * @param retryAfter the header `Retry-After`: seconds or a date
 */
function pause(clock: Clock, attempt: number, retryAfter: string | null): number {
  if (retryAfter !== null) {
    const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - clock.now();
    if (!Number.isNaN(asked)) return Math.min(Math.max(asked, 0), LONGEST_PAUSE_MS);
  }
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
  return longest * (1 - clock.random() / 2);
}
