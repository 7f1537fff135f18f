/** The test vectors beside the project. Where they are absent, tests on them are left out and counted. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe } from "vitest";

const candidate = resolve(import.meta.dirname, "../../shared");

/** The folder, or undefined where it does not stand. */
export const sharedRoot: string | undefined = existsSync(resolve(candidate, "README.md")) ? candidate : undefined;

/** `describe` that runs only where the shared folder stands. */
export function describeShared(name: string, body: () => void): void {
  describe.runIf(sharedRoot !== undefined)(`${name} [shared]`, body);
}
