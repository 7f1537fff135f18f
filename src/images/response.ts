/** The bytes of an answer of `fetch` that the caller has in hand. */

import { DepthwiseError } from "../core/errors.ts";
import { untilAborted } from "../core/until-aborted.ts";

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  readonly bodyUsed: boolean;
  blob(): Promise<Blob>;
}

/**
 * @throws {DepthwiseError} `FILE_UNREADABLE` for an answer that is no success, was read already or breaks off
 */
export async function responseBlob(answer: object, signal: AbortSignal | undefined): Promise<Blob> {
  const { ok, status, bodyUsed, url } = answer as Answer;
  const what = url === "" ? "Response" : `Response of ${url.replace(/[?#].*$/, "")}`;
  const refuse = (reason: string, advice: string, cause?: unknown) =>
    new DepthwiseError("FILE_UNREADABLE", { what: `${what}: ${reason}`, advice, fields: { status }, cause });
  if (!ok) throw refuse(`the server answered ${status}`, "Check response.ok before passing it.");
  if (bodyUsed) throw refuse("its body was read already", "Pass response.clone(), or what you read.");
  try {
    return await untilAborted((answer as Answer).blob(), signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw refuse("its body cannot be read", "Fetch it again.", cause);
  }
}
