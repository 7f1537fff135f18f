/** The page's measurement ends when it is withdrawn. */

import { expect, it } from "vitest";
import { measure } from "../../examples/playground/src/compute/measure.ts";

it("ends at a signal that comes while the network runs, and does not begin at one that came before", async () => {
  const given = { alpha: 1, resolution: 224, standardConvolution: true } as const;
  const withdrawn = new AbortController();
  const measuring = measure(given, withdrawn.signal);
  // Timers have their turn between the steps of a run.
  setTimeout(() => withdrawn.abort(new Error("withdrawn")), 0);
  await expect(measuring).rejects.toThrow("withdrawn");
  await expect(measure(given, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
});
