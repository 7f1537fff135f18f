/**
 * Is the page of `examples/playground` there at once, and does it stay free while its worker measures 1.0-224 and its
 * twin? The first paint, the moment its own formula stands there, and the longest task (Chromium tells those above
 * 50 ms) and gap of timers of the page's thread. In headless Chromium and Firefox.
 *
 *     npm run build:playground (in the project), then node playground.mjs [--quick]
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Refusal } from "../scripts/shared/refusal.mjs";
import { asProgram, readFlags } from "./harness/program.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { withServer } from "./harness/server.mjs";

const BUILT = fileURLToPath(new URL("../examples/playground/dist", import.meta.url));
const OPTIONS = { quick: { type: "boolean", default: false } };

/**
 * @typedef {object} Answer of a browser, in ms, the worst of all visits
 * @property {string} browser with its version @property {number} paint @property {number} formulas
 * @property {number | null} task the longest above 50 ms, 0: none; null: not told
 * @property {number} gap of timers @property {string} result what the page says of both networks
 */

await asProgram(import.meta.url, async (args) => {
  const { quick } = readFlags(args, OPTIONS);
  const visits = quick ? 1 : 5;
  const answers = await askBrowsers(visits);
  writeReport("playground", { isQuick: quick }, { visits, answers }, playgroundPage(answers, visits));
});

/** @param {readonly Answer[]} answers @param {number} visits @returns {string} Markdown */
export function playgroundPage(answers, visits) {
  const headers = ["ms", "first paint", "formulas and grids", "longest task above 50", "longest gap of timers"];
  const rows = answers.map(({ browser, paint, formulas, task, gap }) => [
    ...[browser, paint, formulas],
    task === null ? "not told" : task === 0 ? "none" : task,
    gap,
  ]);
  const said = answers.map(({ browser, result }) => `- ${browser}: ${result}`).join("\n");
  return [
    `The worst of ${visits} visit${visits === 1 ? "" : "s"}, headless and cross-origin isolated; task and gap while 1.0-224 and its twin are measured.`,
    table(headers, rows),
    `What the page said then:\n\n${said}`,
  ].join("\n\n");
}

/** @param {number} visits @returns {Promise<Answer[]>} */
async function askBrowsers(visits) {
  if (!existsSync(BUILT)) throw new Refusal(`${BUILT} is not there: npm run build:playground makes it.`);
  // Only now: they are packages of the project, which the other benches do without.
  const [{ chromium }, { default: puppeteer }] = [await import("playwright-core"), await import("puppeteer-core")];
  const browsers = {
    Chromium: () => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] }),
    Firefox: () => puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true }),
  };
  return withServer([`/page=${BUILT}`], async (address) => {
    const answers = [];
    for (const [title, launch] of Object.entries(browsers)) {
      const browser = await launch();
      try {
        const version = (await browser.version()).replace(/^firefox\//, "");
        answers.push({ browser: `${title} ${version}`, ...(await ask(browser, `${address}/page/`, visits)) });
      } finally {
        await browser.close();
      }
    }
    return answers;
  });
}

async function ask(browser, address, visits) {
  const arrivals = [];
  for (let visit = 0; visit < visits; visit++) {
    const page = await browser.newPage();
    await page.goto(`${address}?${visit}#view=why&language=en`);
    arrivals.push(await page.evaluate(arrival));
    await page.close();
  }
  const page = await browser.newPage();
  await page.goto(`${address}#view=speed&language=en&alpha=1&resolution=224`);
  return {
    paint: Math.max(...arrivals.map(({ paint }) => paint)),
    formulas: Math.max(...arrivals.map(({ formulas }) => formulas)),
    ...(await page.evaluate(whileMeasuring)),
  };
}

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
    task: isKnown ? Math.round(task) : null,
    gap: Math.round(gap),
    result: document.querySelector(".result").textContent,
  };
}
