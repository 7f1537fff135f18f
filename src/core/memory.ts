/** Memory that is asked for: counted before, and a refusal of the system is an error with a name. */

import { DepthwiseError } from "./errors.ts";

/** What 32 bits address: the most that a session, or the parameters of a network, may take. */
export const MOST_BYTES = 2 ** 32;

/**
 * Refuses what nothing here can hold, from its size alone.
 *
 * @param what   what would be allocated, for the error
 * @param fields what else the error carries
 * @throws {DepthwiseError} `MEMORY_EXCEEDED`, with the bytes
 */
export function checkBytes(what: string, bytes: number, advice: string, fields: object = {}): void {
  if (bytes <= MOST_BYTES) return;
  throw new DepthwiseError("MEMORY_EXCEEDED", {
    what,
    expected: `at most ${MOST_BYTES.toLocaleString("en-US")} bytes`,
    found: bytes.toLocaleString("en-US"),
    advice: `${advice} Nothing was allocated.`,
    fields: { bytes, ...fields },
  });
}

/**
 * Allocates by `make`, which does nothing else that could throw a RangeError.
 *
 * @throws {DepthwiseError} `MEMORY_EXCEEDED` if the system refuses
 */
export function allocated<Made>(what: string, bytes: number, advice: string, make: () => Made): Made {
  try {
    return make();
  } catch (cause) {
    throw refusal(cause, what, bytes, advice);
  }
}

/** `MEMORY_EXCEEDED` in place of a RangeError, by which engines refuse memory; any other error as it is. */
export function refusal(cause: unknown, what: string, bytes: number, advice: string, fields: object = {}): unknown {
  if (!(cause instanceof RangeError)) return cause;
  return new DepthwiseError("MEMORY_EXCEEDED", {
    what: `${what}: the system refused ${bytes.toLocaleString("en-US")} bytes`,
    advice,
    fields: { bytes, ...fields },
    cause,
  });
}
