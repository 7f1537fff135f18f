/** One file from one address: asked for again when it fails, going on where it ended, checked at the end. */

import { shownAddress } from "../core/address.ts";
import type { ErrorCode } from "../core/errors.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { pause, sleep } from "./clock.ts";
import { mismatch, sha256Of } from "./digest.ts";
import { request } from "./request.ts";
import type { Job } from "./transfer.ts";
import { startTransfer, type Transfer } from "./transfer.ts";

export interface Downloaded {
  readonly type: "complete";
  readonly bytes: Uint8Array;
  readonly sha256: string | undefined;
  readonly etag: string | undefined;
}

export interface Failure {
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
export async function download(job: Job): Promise<Downloaded | Failure | { readonly type: "unchanged" }> {
  const { clock, settings } = job.opening;
  const transfer = await startTransfer(job);
  try {
    for (let tries = 1; ; tries++) {
      const outcome = await request(job, transfer);
      if (outcome.type === "unchanged") return outcome;
      if (outcome.type === "complete") {
        const done = await finish(job, transfer, tries);
        if (done !== undefined) return done;
      } else if (outcome.type === "failed") {
        if (!outcome.canRetry || tries > settings.retries) {
          transfer.giveUp();
          return { ...outcome, url: shownAddress(job.url), tries };
        }
        await sleep(clock, pause(clock, tries - 1, outcome.retryAfter), settings.signal);
      }
      // What was held is of no use: the same request from the start, which happens once and does not count.
      if (outcome.type !== "failed") {
        await transfer.startOver();
        tries -= 1;
      }
    }
  } catch (cause) {
    transfer.giveUp();
    throw cause;
  }
}

/** The checked file; undefined if it is wrong but was put together from two answers, so that a whole one may be right. */
async function finish(job: Job, transfer: Transfer, tries: number): Promise<Downloaded | Failure | undefined> {
  const bytes = transfer.bytes();
  const digest =
    job.needsDigest || job.expected.sha256 !== undefined
      ? await untilAborted(sha256Of(bytes), job.opening.settings.signal)
      : undefined;
  job.opening.settings.signal?.throwIfAborted();
  const wrong = mismatch(job.expected, bytes.length, digest);
  if (wrong === undefined) {
    // Once more where it was long enough to be looked at on the way: by an earlier call, maybe, which did not look.
    await transfer.checkHead(bytes);
    return { type: "complete", bytes, sha256: digest, etag: transfer.etag };
  }
  if (transfer.isPatched) return undefined;
  transfer.giveUp();
  await transfer.dropPartial();
  const failure = {
    code: "FILE_CORRUPT",
    answer: wrong,
    status: undefined,
    canRetry: false,
    cause: undefined,
  } as const;
  return { type: "failed", url: shownAddress(job.url), tries, ...failure };
}
