/** What is told of a trainer or of a store of shots that was closed. */

import { DepthwiseError } from "../core/errors.ts";

/** How another is had. */
const ANOTHER = {
  trainer: "Make another with createTrainer, and go on from a state that you have with restore.",
  fewShot: "Call fewShot again, with what save gave as from.",
} as const;

export function closedForTraining(what: keyof typeof ANOTHER, network: string): DepthwiseError {
  return new DepthwiseError("SESSION_CLOSED", { what: `${what} of ${network}: it was closed`, advice: ANOTHER[what] });
}
