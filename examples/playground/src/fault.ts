/** What went wrong, as plain data. */

/** Of the page's own codes `words.faults` has sentences, and of some of the library's. */
export interface Fault {
  /** Of an error of the library its own. */
  readonly code: string;
  /** In English; empty where the sentence says all. */
  readonly message: string;
}

/** An error of a question to the worker, which knows its code. */
export class ComputeError extends Error {
  readonly code: string;

  constructor({ code, message }: Fault) {
    super(message);
    this.name = "ComputeError";
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function faultOf(error: unknown): Fault {
  return { code: error instanceof ComputeError ? error.code : "UNKNOWN", message: messageOf(error) };
}
