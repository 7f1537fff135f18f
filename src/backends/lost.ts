/** Errors of what is gone: a session that was closed, a worker that ended or never came. */

import { DepthwiseError } from "../core/errors.ts";

export function closedError(network: string): DepthwiseError {
  return new DepthwiseError("SESSION_CLOSED", {
    what: `session of ${network}: it was closed`,
    advice: "Compile the network again to run it.",
  });
}

/**
 * @param script  which could not be started; undefined where one ran
 * @param owner   whose worker is lost, where one ran
 * @param advice  what to do then
 */
export function lostError(
  cause: unknown,
  { script, owner, advice }: { readonly script?: string; readonly owner: string; readonly advice: string },
): DepthwiseError {
  const reason = reasonOf(cause);
  const file = script?.replace(/^.*\//, "");
  return new DepthwiseError("WORKER_LOST", {
    what: script === undefined ? `${owner} is lost: ${reason}` : `a worker cannot be started: ${reason}`,
    advice:
      script === undefined
        ? advice
        : `If a bundler left ${script} out, make it an entry of its own and pass ` +
          `worker: () => new Worker(new URL("./${file}.js", ${ADDRESS}), { type: "module" }).`,
    fields: { reason, started: script === undefined },
    cause,
  });
}

/** In pieces: tools that look for words take a CommonJS file that has it for an ES module. */
const ADDRESS = /* @__PURE__ */ ["import", "meta", "url"].join(".");

/**
 * What is thrown by a caller's own worker may fail at being looked at. Neither an error nor a text is what some other
 * script says, that of the page's own worker, say, which lies where this one was looked for.
 */
function reasonOf(cause: unknown): string {
  try {
    return cause instanceof Error
      ? String(cause.message)
      : typeof cause === "string"
        ? cause
        : "another script answers";
  } catch {
    return "it cannot be said why";
  }
}
