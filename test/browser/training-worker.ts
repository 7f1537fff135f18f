/** Runs in a worker of the page, bundled by its test: does what it is asked, and tells of events and of the end. */

import { isDepthwiseError } from "depthwise";
import { type DigitsAsked, type DigitsLearnt, learnDigits } from "./training-digits.ts";
import { type FitAsked, type Fitted, fitShortly } from "./training-fit.ts";
import { type StepsAsked, type Trained, tenSteps } from "./training-steps.ts";

export type Asked = StepsAsked | FitAsked | DigitsAsked;
export type Answer<Of extends Asked> = Of extends StepsAsked ? Trained : Of extends FitAsked ? Fitted : DigitsLearnt;

/** What it says: an event, its answer, or what went wrong. */
export interface Said {
  readonly event?: string;
  readonly answer?: Answer<Asked>;
  readonly failure?: string;
}

export async function answerTo(asked: Asked, tell?: (event: string) => void): Promise<Answer<Asked>> {
  if (asked.type === "steps") return tenSteps(asked);
  return asked.type === "fit" ? fitShortly(asked, tell) : learnDigits(asked);
}

export const failureOf = (error: unknown) =>
  isDepthwiseError(error) ? `${error.code}: ${error.message}` : `not typed: ${String(error)}`;

if (typeof document === "undefined") {
  self.addEventListener("message", async ({ data }: MessageEvent<Asked>) => {
    const say = (said: Said) => self.postMessage(said);
    try {
      say({ answer: await answerTo(data, (event) => say({ event })) });
    } catch (error) {
      say({ failure: failureOf(error) });
    }
  });
}
