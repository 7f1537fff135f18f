/** Chromium and Firefox behind one face, for tests that run in both: a page that answers, or a test that fails. */

import { existsSync } from "node:fs";
import type { BrowserContext } from "playwright-core";
import puppeteer, { type Page as FirefoxPage, type Browser as Launched } from "puppeteer-core";
import { describeWhere, executablePath, launch as launchChromium, type Needed, watch } from "./chromium.ts";

export interface TestPage {
  /** Errors that the page did not catch, and what it complained of. */
  readonly complaints: readonly string[];
  /** What a function of the page gives. Rejects where the page does not answer in time. */
  ask<Asked, Answer>(question: (asked: Asked) => Answer | Promise<Answer>, asked: Asked): Promise<Answer>;
  /** Picks files for the `input` of an id. */
  pick(id: string, paths: readonly string[]): Promise<void>;
  /** Makes its window so large, in pixels. */
  resize(width: number, height: number): Promise<void>;
  /** Workers that live. */
  workers(): number;
  close(): Promise<void>;
}

export interface TestBrowser {
  readonly title: string;
  readonly version: string;
  /**
   * Opens a page, and waits until its window has a name.
   *
   * @param beside a page whose storage it shares; in Firefox all do
   */
  open(address: string, name: string, beside?: TestPage): Promise<TestPage>;
  close(): Promise<void>;
}

export interface BrowserKind extends Needed {
  /**
   * Starts one with a profile of its own, empty and gone afterwards. Only where `path` is.
   *
   * @param preferences of Firefox; Chromium has none
   */
  launch(preferences?: Readonly<Record<string, unknown>>): Promise<TestBrowser>;
}

/** Most time for one question: the longest takes a tenth of it. */
const PATIENCE_MS = 90_000;
/** Most time for a page or a browser to end by itself. */
const FAREWELL_MS = 10_000;

/** Playwright drives no Firefox but its own build, and Debian's speaks WebDriver BiDi only: hence Puppeteer. */
const firefoxPath = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find((path) => existsSync(path));

export const BROWSERS: readonly BrowserKind[] = [
  { title: "Chromium", package: "chromium", path: executablePath, launch: startChromium },
  { title: "Firefox", package: "firefox-esr", path: firefoxPath, launch: startFirefox },
];

/** `describe` for each browser: where one is missing it says so, and in CI it fails. */
export function describeInBrowsers(name: string, body: (kind: BrowserKind) => void): void {
  for (const kind of BROWSERS) describeWhere(kind, `${name} in ${kind.title}`, () => body(kind));
}

async function startChromium(): Promise<TestBrowser> {
  const browser = await launchChromium();
  const contexts = new WeakMap<TestPage, BrowserContext>();
  return {
    title: "Chromium",
    version: browser.version(),
    async open(address, name, beside) {
      const context = (beside && contexts.get(beside)) ?? (await browser.newContext());
      const page = await context.newPage();
      const complaints = watch(page);
      await page.goto(address);
      await page.waitForFunction((wanted) => wanted in window, name);
      const opened: TestPage = {
        complaints,
        // Playwright's type of a question knows of handles, which nobody asks for here.
        ask: (question, asked) => inTime("Chromium", page.evaluate(question as (asked: unknown) => never, asked)),
        pick: (id, paths) => page.setInputFiles(`#${id}`, [...paths]),
        resize: (width, height) => page.setViewportSize({ width, height }),
        workers: () => page.workers().length,
        close: () => soon(page.close()),
      };
      contexts.set(opened, context);
      return opened;
    },
    close: () => browser.close(),
  };
}

async function startFirefox(preferences: Readonly<Record<string, unknown>> = {}): Promise<TestBrowser> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    ...(firefoxPath === undefined ? {} : { executablePath: firefoxPath }),
    headless: true,
    extraPrefsFirefox: { ...preferences },
    timeout: 60_000,
  });
  return {
    title: "Firefox",
    version: (await browser.version()).replace("firefox/", ""),
    async open(address, name) {
      const page = await browser.newPage();
      const complaints = watchFirefox(page);
      await page.goto(address);
      await page.waitForFunction((wanted) => wanted in window, {}, name);
      return {
        complaints,
        ask: (question, asked) => inTime("Firefox", page.evaluate(question as (asked: unknown) => never, asked)),
        pick: async (id, paths) => {
          const input = await page.$(`input#${id}`);
          await (input as Awaited<ReturnType<typeof page.$<"input">>>)?.uploadFile(...paths);
        },
        resize: (width, height) => page.setViewport({ width, height }),
        workers: () => page.workers().length,
        close: () => soon(page.close()),
      };
    },
    close: () => endFirefox(browser),
  };
}

/** A page that hangs keeps Firefox from ending by itself. */
async function endFirefox(browser: Launched): Promise<void> {
  const end = browser.process();
  const timer = setTimeout(() => end?.kill("SIGKILL"), FAREWELL_MS);
  try {
    await browser.close();
  } finally {
    clearTimeout(timer);
  }
}

function watchFirefox(page: FirefoxPage): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error instanceof Error ? error.message : String(error)));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(message.text());
  });
  return complaints;
}

/** A page that hangs does not close: its browser ends it. */
function soon(end: Promise<void>): Promise<void> {
  return Promise.race([end, new Promise<void>((resolve) => setTimeout(resolve, FAREWELL_MS).unref())]);
}

async function inTime<Answer>(title: string, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const hangs = () => reject(new Error(`The page in ${title} has not answered for ${PATIENCE_MS / 1000} seconds.`));
    timer = setTimeout(hangs, PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
