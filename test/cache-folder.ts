/** Downloads of the tests go to a folder of their own, never to the user's cache, and it is removed at the end. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-cache-"));
  process.env["DEPTHWISE_CACHE"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
