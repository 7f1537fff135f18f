/** Headless Chromium with a page of the project's own server, for the benches that ask a browser. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withServer } from "./server.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
const QUIET = ["--disable-background-networking", "--disable-component-update"];

/**
 * Starts a browser and a server; `use` gets an empty page, cross-origin isolated, and the browser's version. Both are
 * ended when it is done.
 *
 * @param mounts more of what is served: `/path=FOLDER`; the project is at `/`
 */
export async function withPage(mounts, use) {
  // Only now: it is a package of the project, which the other benches do without.
  const { chromium } = await import("playwright-core");
  const folder = mkdtempSync(join(tmpdir(), "depthwise-bench-browser-"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>bench</title>");
  let browser;
  try {
    return await withServer([`/page=${folder}`, ...mounts], async (address) => {
      browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: [...FLAGS, ...QUIET] });
      const page = await browser.newPage();
      await page.goto(`${address}/page/index.html`);
      return await use(page, browser.version());
    });
  } finally {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
