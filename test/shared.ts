/** Tests on the vectors beside the project; where they do not stand, `left-out.ts` says how many were left out. */

import { describe } from "vitest";
import { sharedRoot } from "./shared-root.ts";

export { sharedRoot };

/** `describe` that runs only where the shared folder stands. */
export function describeShared(name: string, body: () => void): void {
  describe.runIf(sharedRoot !== undefined)(`${name} [shared]`, body);
}
