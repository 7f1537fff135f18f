/** Unpacking a gzip file whose content says at its front how large it is: refused before memory is asked for. */

import { DepthwiseError } from "../../core/errors.ts";
import { damaged, grouped } from "../../core/file-error.ts";
import { allocated } from "../../core/memory.ts";
import { untilAborted } from "../../core/until-aborted.ts";

/** Deflate packs 258 bytes into two bits at best. */
const LARGEST_RATIO = 1032;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * @param headBytes what `sizeOf` wants to see of the content; fewer if there are no more
 * @param sizeOf    bytes of the content, as its head says; throws if the head is none
 * @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED`, `PACKAGE_MISSING` where nothing unpacks; what `sizeOf` throws
 */
export async function gunzip(
  packed: Uint8Array,
  name: string,
  headBytes: number,
  sizeOf: (head: Uint8Array) => number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (typeof DecompressionStream === "undefined") {
    throw new DepthwiseError("PACKAGE_MISSING", {
      what: `${name}: it is packed with gzip, and nothing here unpacks it (no DecompressionStream)`,
      advice: "Unpack the file first.",
      fields: { file: name },
    });
  }
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream();
  const reader = stream.pipeThrough(new DecompressionStream("gzip")).getReader();
  const next = () =>
    untilAborted(reader.read(), signal).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw damaged(name, "it cannot be unpacked", { cause });
    });
  try {
    const { head, rest } = await readHead(next, headBytes);
    const size = sizeOf(head);
    const wrong = (found: string) =>
      damaged(name, "what it unpacks to", { expected: `the ${grouped(size)} bytes that its head claims`, found });
    if (size > packed.length * LARGEST_RATIO)
      throw wrong(`${grouped(packed.length)} packed bytes, which cannot hold them`);
    const whole = allocated(name, size, "Use a smaller part of the data.", () => new Uint8Array(size));
    let at = 0;
    const put = (part: Uint8Array) => {
      if (at + part.length > size) throw wrong("more");
      whole.set(part, at);
      at += part.length;
    };
    put(head);
    put(rest);
    for (let part = await next(); part.value !== undefined; part = await next()) put(part.value);
    if (at < size) throw wrong(grouped(at));
    return whole;
  } finally {
    // After its end, or an error, there is nothing to cancel.
    await reader.cancel().catch(() => undefined);
  }
}

type Next = () => Promise<{ readonly value?: Uint8Array | undefined }>;

async function readHead(next: Next, headBytes: number) {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < headBytes) {
    const { value } = await next();
    if (value === undefined) break;
    const longer = new Uint8Array(head.length + value.length);
    longer.set(head);
    longer.set(value, head.length);
    head = longer;
  }
  return { head: head.subarray(0, headBytes), rest: head.subarray(headBytes) };
}
