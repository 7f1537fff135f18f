/** A session in a worker of its own, in Chromium and Firefox: isolated or not, threads of its own, module and classic. */

import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeInBrowsers } from "./browsers.ts";
import { root, serve, stopServers } from "./chromium.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-in-worker-"));
const addresses: Record<string, string> = {};

beforeAll(async () => {
  const options = { absWorkingDir: root, bundle: true, target: "es2022", outdir: folder, logLevel: "error" } as const;
  const page = resolve(import.meta.dirname, "in-worker-page.ts");
  await build({ ...options, entryPoints: { page }, splitting: true, format: "esm" });
  await build({ ...options, entryPoints: { classic: "dist/esm/session-worker.js" }, format: "iife" });
  copyFileSync(join(root, "dist/esm/session-worker.js"), join(folder, "session-worker.js"));
  writeFileSync(join(folder, "foreign.js"), "postMessage('hello');");
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  for (const isolated of [true, false]) {
    addresses[String(isolated)] = await serve({ mounts: { "/in-worker": folder }, isolated });
  }
});
afterAll(() => {
  stopServers();
  rmSync(folder, { recursive: true, force: true });
});

describeInBrowsers("a session in a worker", (kind) => {
  it.each([true, false])("gives the bits of one on the page's thread, isolated: %s", async (isolated) => {
    const browser = await kind.launch();
    try {
      const page = await browser.open(`${addresses[String(isolated)]}/in-worker/index.html`, "ask");
      for (const [script, classic] of [
        // Where the library looks, beside the page's script.
        [undefined, false],
        ["session-worker.js", false],
        ["classic.js", true],
      ] as const) {
        const answers = await page.ask((asked) => window.ask(asked), { threads: 2, script, classic });
        const wanted = { equal: true, inWorker: true, threads: isolated ? 2 : 1, aborted: "AbortError" };
        for (const answer of answers)
          expect([script, answer]).toMatchObject([script, { ...wanted, closed: "SESSION_CLOSED" }]);
      }
      for (const script of ["none.js", "index.html", "foreign.js"]) {
        const answers = await page.ask((asked) => window.ask(asked), { threads: 2, script, classic: false });
        for (const answer of answers) {
          expect([script, answer]).toMatchObject([script, { equal: true, inWorker: false, threads: 1 }]);
          expect(answer.reasons.join()).toMatch(
            /on this thread: a worker cannot be started: .*(could not be loaded|hello)/,
          );
        }
      }
      await expect.poll(() => page.workers(), { timeout: 60_000 }).toBe(0);
    } finally {
      await browser.close();
    }
  });
});
