/** The bytes of an answer of `fetch` that the caller has in hand: its body is ours from the call on. */

import { shownAddress } from "../core/address.ts";
import { checkSize, lengthOf, type ReadBytesOptions } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { Parts } from "../core/parts.ts";
import { isUint8Array } from "../core/realms.ts";
import { type Pace, startWatch } from "../core/stall-watch.ts";
import { untilAborted } from "../core/until-aborted.ts";

interface HttpAnswer extends Pick<Response, "ok" | "status" | "url" | "type" | "bodyUsed" | "headers"> {
  /** Null for none. Some that are made by packages have another kind of stream, or do not show it. */
  readonly body?: { readonly locked?: boolean; getReader?(): BodyReader } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(): Promise<void>;
}

const UNWATCHED: Pace = { stallTimeout: Number.MAX_SAFE_INTEGER, minBytesPerSecond: 0 };

const SHUT = "Pass response.clone(), or what you read.";

export class HeldResponse {
  /** How it is called in messages. */
  readonly name: string;
  readonly #answer: HttpAnswer;
  readonly #reader: BodyReader | undefined;

  /** @throws {DepthwiseError} `FILE_UNREADABLE` for an answer that is no success, or whose body is not to be had */
  constructor(given: object) {
    const answer = given as HttpAnswer;
    const { ok, status, type, bodyUsed, url, body } = answer;
    this.name = url === "" ? "Response" : `Response of ${shownAddress(url)}`;
    this.#answer = answer;
    if (type === "opaque") {
      const advice = 'Fetch it with mode: "cors", and have the server send Access-Control-Allow-Origin.';
      throw this.#refusal("it is opaque: it comes from another origin", advice);
    }
    if (type === "error") throw this.#refusal("the request failed", "Fetch it again.");
    if (!ok) throw this.#refusal(`the server answered ${status}`, "Check response.ok before passing it.");
    if (bodyUsed) throw this.#refusal("its body was read already", SHUT);
    if (body?.locked) throw this.#refusal("its body is locked: somebody else reads it", SHUT);
    this.#reader = body?.getReader?.();
  }

  /**
   * A body that shows no stream (of packages that make answers of their own) comes in one piece: neither its pace nor,
   * before it is there, its size is seen.
   *
   * @throws {DepthwiseError} `FILE_TOO_LARGE`, by what the server announced or as soon as more has come;
   *         `FILE_UNREADABLE` for a body that breaks off, stalls or is none of bytes; `signal.reason`
   */
  async read({ maxBytes, signal, ...pace }: ReadBytesOptions & Pace): Promise<Uint8Array> {
    // Of a body that is read in one piece nobody sees how far it is.
    const watch = startWatch(this.#reader === undefined ? UNWATCHED : pace, signal);
    const parts = new Parts();
    try {
      signal?.throwIfAborted();
      checkSize(this.name, lengthOf(this.#answer) ?? 0, maxBytes);
      // The head of the answer is there: it is the body that may stall.
      watch.hear(0);
      for (let isWhole = false; !isWhole; ) {
        const part = await untilAborted(this.#next(), watch.signal);
        isWhole = part.done;
        if (part.value === undefined) continue;
        if (!isUint8Array(part.value)) throw this.#refusal("its body is not of bytes", "Fetch it again.");
        watch.hear(part.value.length);
        parts.add(part.value);
        checkSize(this.name, parts.length, maxBytes);
        if (parts.empty !== undefined) {
          throw this.#refusal(`it sent ${parts.empty} parts without a byte`, "Fetch it again.");
        }
        await parts.turn(watch.signal);
      }
      return parts.joined();
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof DepthwiseError) throw cause;
      throw this.#refusal(
        `${watch.stall ?? "its body breaks off"} after ${parts.length} bytes`,
        "Fetch it again.",
        cause,
      );
    } finally {
      watch.stop();
    }
  }

  /** Ends the transfer. Of no effect on a body that was read to its end. */
  cancel(): void {
    // Of a reader that a package made it may be no promise.
    Promise.resolve(this.#reader?.cancel()).catch(() => undefined);
  }

  async #next(): ReturnType<BodyReader["read"]> {
    if (this.#reader !== undefined) return this.#reader.read();
    if (this.#answer.body === null) return { done: true };
    return { done: true, value: new Uint8Array(await this.#answer.arrayBuffer()) };
  }

  #refusal(reason: string, advice: string, cause?: unknown): DepthwiseError {
    const { status } = this.#answer;
    return new DepthwiseError("FILE_UNREADABLE", {
      what: `${this.name}: ${reason}`,
      advice,
      fields: { status },
      cause,
    });
  }
}
