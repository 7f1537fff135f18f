/**
 * Does a page stay free while it runs networks? The longest gap between its timers, its longest frame, and (Chromium
 * tells) its longest task, over 32 queued and 32 awaited runs, on the page's thread and in a worker; and what a run
 * takes. In headless Chromium and Firefox, from the built files.
 *
 *     node page-breath.mjs [alpha resolution]
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { withServer } from "./harness/server.mjs";

const [alpha = 1, resolution = 224] = process.argv.slice(2).map(Number);
const RUNS = 32;

const folder = mkdtempSync(join(tmpdir(), "depthwise-page-breath-"));
writeFileSync(join(folder, "index.html"), "<!doctype html><title>bench</title>");
const browsers = {
  Chromium: () => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] }),
  Firefox: () => puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true }),
};
try {
  await withServer([`/page=${folder}`], askAll, { isIsolated: false });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function askAll(address) {
  for (const [title, launch] of Object.entries(browsers)) {
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(`${address}/page/index.html`);
      const rows = await page.evaluate(measure, { alpha, resolution, runs: RUNS });
      console.log(`${title} ${await browser.version()}, ${alpha}-${resolution}, ms`);
      console.table(rows);
    } finally {
      await browser.close();
    }
  }
}

/** Runs in the page, and sees nothing of this file. */
async function measure({ alpha, resolution, runs }) {
  const { compile, mobileNetV1 } = await import("/dist/esm/index.js");
  const model = mobileNetV1({ alpha, resolution });
  model.parameters;
  const image = new Float32Array(resolution * resolution * 3).fill(0.25);
  const watched = async (work) => {
    const longest = { timer: 0, frame: 0, task: Number.NaN };
    let isOver = false;
    let last = performance.now();
    const look = () => {
      const now = performance.now();
      longest.timer = Math.max(longest.timer, now - last);
      last = now;
    };
    const ticker = setInterval(look, 1);
    let frame = performance.now();
    const draw = (now) => {
      longest.frame = Math.max(longest.frame, now - frame);
      frame = now;
      if (!isOver) requestAnimationFrame(draw);
    };
    requestAnimationFrame((now) => {
      frame = now;
      requestAnimationFrame(draw);
    });
    await new Promise((done) => setTimeout(done, 100));
    Object.assign(longest, { timer: 0, frame: 0 });
    const isKnown = PerformanceObserver.supportedEntryTypes.includes("longtask");
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest.task = Math.max(longest.task, duration);
    });
    if (isKnown) {
      longest.task = 0;
      observer.observe({ entryTypes: ["longtask"] });
    }
    const start = performance.now();
    await work();
    const took = performance.now() - start;
    await new Promise((done) => setTimeout(done, 100));
    isOver = true;
    clearInterval(ticker);
    observer.disconnect();
    return { ...longest, took };
  };
  const rows = {};
  const round = ({ timer, frame, task, took }, count) => ({
    "longest gap of timers": Math.round(timer),
    "longest frame": Math.round(frame),
    "longest task over 50": Math.round(task),
    "a run": Number((took / count).toFixed(2)),
  });
  for (const inWorker of [false, true]) {
    const where = inWorker ? "in a worker" : "on the page's thread";
    let session;
    rows[`compile ${where}`] = round(await watched(async () => (session = await compile(model, { inWorker }))), 1);
    for (let run = 0; run < 10; run++) await session.run(image);
    rows[`queued ${where}`] = round(
      await watched(() => Promise.all(Array.from({ length: runs }, () => session.run(image)))),
      runs,
    );
    rows[`awaited ${where}`] = round(
      await watched(async () => {
        for (let run = 0; run < runs; run++) await session.run(image);
      }),
      runs,
    );
    session.close();
  }
  return rows;
}
