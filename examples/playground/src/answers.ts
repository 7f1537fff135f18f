/** Where each question's answer is seen. */

import type { QuestionName, State } from "./state.ts";

/** What each sets up, beside what is usual. */
export const ANSWERS: Readonly<Record<QuestionName, Partial<State>>> = {
  mixing: { view: "why", mixing: "off", changed: 1, inputChannels: 3, size: 3, at: 100_000 },
  separable: { view: "why", at: 19 },
  channels: { view: "why", inputChannels: 2, multiplier: 2, filters: 6, size: 3, at: 100_000 },
  stride: { view: "why", stride: 2, size: 6, at: 60 },
  letters: { view: "why", inputChannels: 3, filters: 5, size: 3, at: 30 },
  ratio: { view: "why", filters: 8, at: 100_000 },
  speed: { view: "speed" },
  alpha: { view: "widths", alpha: 0.5 },
  macs: { view: "widths", convention: "hardware" },
  memory: { view: "widths", twin: "beside" },
};
