/** Says what could not run: the tests on ../shared, where it does not stand. */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { sharedRoot } from "./shared-root.ts";

export default function setup(): (() => void) | undefined {
  if (sharedRoot !== undefined) return undefined;
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" });
  const groups = files
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(resolve(import.meta.dirname, file), "utf8").match(/^ *describeShared\(/gm)?.length ?? 0)
    .filter((count) => count > 0);
  const total = groups.reduce((sum, count) => sum + count, 0);
  return () => {
    process.stdout.write(
      `\n../shared does not stand beside the project: ${total} groups of tests in ${groups.length} files were left out.\n`,
    );
  };
}
