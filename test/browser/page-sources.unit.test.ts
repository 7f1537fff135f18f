/** What a page has in hand is an image source, in Chromium and Firefox. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeInBrowsers } from "./browsers.ts";
import { root, serve, stopServers } from "./chromium.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-sources-"));
let address: string;

beforeAll(async () => {
  await build({
    absWorkingDir: root,
    entryPoints: { page: resolve(import.meta.dirname, "page-sources-page.ts") },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: folder,
    logLevel: "error",
  });
  const green = { width: 4, height: 3, channels: 3, background: "rgb(10, 200, 30)" } as const;
  await sharp({ create: green }).png().toFile(join(folder, "green.png"));
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  address = await serve({ mounts: { "/sources": folder } });
});
afterAll(() => {
  stopServers();
  rmSync(folder, { recursive: true, force: true });
});

describeInBrowsers("what a page has in hand", (kind) => {
  it("is read at the call, or says why not", async () => {
    const browser = await kind.launch();
    try {
      const page = await browser.open(`${address}/sources/index.html`, "readAll");
      const found = await page.ask(() => window.readAll(), undefined);
      const green = "4x3 10,200,30";
      expect(found).toMatchObject({
        canvas: green,
        offscreen: green,
        bitmap: green,
        image: green,
        blob: green,
        response: green,
        closed: expect.stringMatching(/^an ImageBitmap: .*closed/),
        missing: expect.stringMatching(/^an <img> of .*nothing\.png: .*without pixels/),
        used: expect.stringMatching(/read already/),
        refused: expect.stringMatching(/answered 404/),
        empty: expect.stringMatching(/0 × 3/),
        video: expect.stringMatching(/loadeddata/),
      });
    } finally {
      await browser.close();
    }
  });
});
