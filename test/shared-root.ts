/** Where the test vectors beside the project stand. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";

const candidate = resolve(import.meta.dirname, "../../shared");

/** The folder, or undefined where it does not stand. */
export const sharedRoot: string | undefined = existsSync(resolve(candidate, "README.md")) ? candidate : undefined;
