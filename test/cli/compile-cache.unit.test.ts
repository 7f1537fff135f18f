/** The command keeps what the engine compiled, where the engine can: a second start is a faster one. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "./command.ts";

it.each([
  [{}, "enableCompileCache" in module],
  [{ NODE_DISABLE_COMPILE_CACHE: "1" }, false],
])("with %j it is on: %s", async (env, isOn) => {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-compile-cache-"));
  try {
    const { code, stderr } = await run(["--version"], { env: { ...env, TMPDIR: folder } });
    expect([code, stderr]).toEqual([0, ""]);
    expect(existsSync(join(folder, "node-compile-cache"))).toBe(isOn);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("a cache that cannot be written is no error", async () => {
  const { code, stderr } = await run(["--version"], { env: { TMPDIR: "/dev/null/nowhere" } });
  expect([code, stderr]).toEqual([0, ""]);
});
