/** What becomes of whoever asks a session that was closed. */

import { DepthwiseError } from "../core/errors.ts";

export function closedError(network: string): DepthwiseError {
  return new DepthwiseError("SESSION_CLOSED", {
    what: `session of ${network}: it was closed`,
    advice: "Compile the network again to run it.",
  });
}
