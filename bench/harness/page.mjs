/** Headless Chromium with a page of the project's own server, for the benches that ask a browser. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
const QUIET = ["--disable-background-networking", "--disable-component-update"];
const SERVER = fileURLToPath(new URL("../../examples/browser/serve.mjs", import.meta.url));

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
  const places = [`/page=${folder}`, ...mounts].flatMap((mount) => ["--mount", mount]);
  const server = spawn(process.execPath, [SERVER, "--port", "0", "--isolated", ...places], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let browser;
  try {
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: [...FLAGS, ...QUIET] });
    const address = String((await once(server.stdout, "data"))[0]).trim();
    const page = await browser.newPage();
    await page.goto(`${address}/page/index.html`);
    return await use(page, browser.version());
  } finally {
    await browser?.close();
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
