/**
 * Is the page of `examples/playground` there at once, and does it stay free while its worker measures 1.0-224 and its
 * twin? The first paint, the moment its own formula stands there, and the longest task (Chromium tells those above
 * 50 ms) and gap of timers of the page's thread. In headless Chromium and Firefox.
 *
 *     npm run build:playground (in the project), then node playground.mjs
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

const at = (path) => fileURLToPath(new URL(`../examples/${path}`, import.meta.url));
const mount = `/page=${at("playground/dist")}`;
const server = spawn(process.execPath, [at("browser/serve.mjs"), "--port", "0", "--isolated", "--mount", mount], {
  stdio: ["ignore", "pipe", "inherit"],
});
const address = `${String((await once(server.stdout, "data"))[0]).trim()}/page/`;
const browsers = {
  Chromium: () => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] }),
  Firefox: () => puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true }),
};
const VISITS = 5;
for (const [title, launch] of Object.entries(browsers)) {
  const browser = await launch();
  try {
    const visits = [];
    for (let visit = 0; visit < VISITS; visit++) {
      const page = await browser.newPage();
      await page.goto(`${address}?${visit}#view=why&language=en`);
      visits.push(await page.evaluate(arrival));
      await page.close();
    }
    const page = await browser.newPage();
    await page.goto(`${address}#view=speed&language=en&alpha=1&resolution=224`);
    const row = {
      "first paint": Math.max(...visits.map(({ paint }) => paint)),
      "formulas and grids": Math.max(...visits.map(({ formulas }) => formulas)),
      ...(await page.evaluate(whileMeasuring)),
    };
    console.log(`${title} ${await browser.version()}, ms, the worst of ${VISITS} visits`);
    console.table(row);
  } finally {
    await browser.close();
  }
}
server.kill();

/** Runs in the page: milliseconds from its start until something is painted, and until the first section stands there. */
async function arrival() {
  const wait = () => new Promise((done) => setTimeout(done, 1));
  while (document.querySelector('[data-testid="ratio"]') === null) await wait();
  await new Promise((done) => requestAnimationFrame(done));
  const formulas = Math.round(performance.now());
  while (performance.getEntriesByName("first-contentful-paint").length === 0) await wait();
  return { formulas, paint: Math.round(performance.getEntriesByName("first-contentful-paint")[0].startTime) };
}

/** Runs in the page: presses the button that measures both networks, and watches until they stand there. */
async function whileMeasuring() {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  while (document.querySelector("button.main") === null) await wait(5);
  await wait(500);
  let [task, gap, last] = [0, 0, performance.now()];
  const isKnown = PerformanceObserver.supportedEntryTypes.includes("longtask");
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) task = Math.max(task, duration);
  });
  if (isKnown) observer.observe({ entryTypes: ["longtask"] });
  const ticker = setInterval(() => {
    gap = Math.max(gap, performance.now() - last);
    last = performance.now();
  }, 1);
  document.querySelector("button.main").click();
  while (document.querySelector(".result") === null) await wait(5);
  await wait(200);
  clearInterval(ticker);
  observer.disconnect();
  return {
    "longest task over 50": isKnown ? Math.round(task) : "not told",
    "longest gap of timers": Math.round(gap),
    result: document.querySelector(".result").innerText,
  };
}
