/** Runs in a worker of the page, bundled by its test: does what it is asked, one thing at a time. */

import { isDepthwiseError } from "depthwise";
import type { Asked } from "./training-page.ts";
import { tenSteps } from "./training-steps.ts";

self.addEventListener("message", async ({ data }: MessageEvent<Asked>) => {
  try {
    self.postMessage(await tenSteps(data));
  } catch (error) {
    self.postMessage({ failure: isDepthwiseError(error) ? `${error.code}: ${error.message}` : String(error) });
  }
});
