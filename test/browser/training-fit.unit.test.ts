/**
 * `fit` in workers of pages, in Chromium and Firefox: the page stays free, checkpoints lie in IndexedDB, and a run that
 * was stopped, killed or left by its page goes on to the bits of one that never stopped.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type MisbehavingServer, startServer } from "../fixtures/misbehaving-server.ts";
import { BROWSERS, describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import { describeWhere } from "./chromium.ts";
import { bundleTraining, type TrainingPages } from "./training-bundle.ts";
import { type FitAsked, type Fitted, fitShortly } from "./training-fit.ts";
import type { Outcome } from "./training-page.ts";

let pages: TrainingPages;
let isolated: string;
let notIsolated: string;
let expected: Fitted;

beforeAll(async () => {
  pages = await bundleTraining();
  [isolated, notIsolated] = [await pages.serve({ isolated: true }), await pages.serve({})];
  expected = await fitShortly({ threads: 1 });
});
afterAll(() => pages?.close());

type Ended = Outcome<FitAsked>;

const ask = (page: TestPage, asked: Omit<FitAsked, "type">, where: "page" | "worker" = "worker"): Promise<Ended> =>
  page.ask((what) => window.train(what.asked, what.where), { asked: { type: "fit", ...asked } as const, where });

const begin = (page: TestPage, asked: Omit<FitAsked, "type">, event: string) =>
  page.ask((what) => window.begin(what.asked, what.event), { asked: { type: "fit", ...asked } as const, event });

/** A busy machine may hold a page up once; training on it would do so all the time. */
const FEW = expect.toSatisfy((tasks: readonly number[]) => tasks.length < 2);

const bits = () => ({ sha256: expected.sha256, history: expected.history });

describeInBrowsers("fit", (kind) => {
  let browser: TestBrowser;
  let page: TestPage;
  beforeAll(async () => {
    browser = await kind.launch();
    page = await browser.open(isolated, "train");
  });
  afterAll(() => browser?.close());

  it("gives the bits of Node in a worker, and leaves the page free", async () => {
    const ended = await ask(page, { threads: 2 });
    expect(ended).toMatchObject({ ...bits(), threads: kind.title === "Firefox" ? 1 : 2, longTasks: FEW });
    console.log(`${kind.title}: the page waited ${ended.longestWait.toFixed(0)} ms at most for a timer of 10 ms`);
  });

  it("goes on from IndexedDB after it was stopped and its page was closed, on another number of threads", async () => {
    const first = await browser.open(isolated, "train");
    const stopped = await ask(first, { threads: 2, store: "stopped", stopAfter: 20 });
    expect(stopped).toMatchObject({ stopped: "AbortError", longTasks: FEW });
    await first.close();
    const second = await browser.open(isolated, "train", first);
    const ended = await ask(second, { threads: 1, store: "stopped" });
    expect(ended).toMatchObject(bits());
    expect((ended as Fitted).events.slice(0, 2)).toEqual(["started", "resumed"]);
    expect([...first.complaints, ...second.complaints]).toEqual([]);
    await second.close();
  });

  it("goes on after its worker was ended in its middle", async () => {
    await begin(page, { threads: 1, store: "killed" }, "checkpoint");
    await page.ask(() => window.kill(), undefined);
    const ended = await ask(page, { threads: 1, store: "killed" });
    expect(ended).toMatchObject(bits());
    expect((ended as Fitted).events).toContain("resumed");
  });

  it("keeps a second worker, and a second tab, from a store that is in use", async () => {
    await begin(page, { threads: 1, store: "shared", epochs: 1000 }, "started");
    const other = await browser.open(isolated, "train", page);
    const inUse = expect.stringMatching(/^CHECKPOINT_IN_USE: .*in use by another run/);
    expect(await ask(page, { threads: 1, store: "shared" })).toMatchObject({ failure: inUse });
    expect(await ask(other, { threads: 1, store: "shared" })).toMatchObject({ failure: inUse });
    await page.ask(() => window.kill(), undefined);
    await other.close();
  });

  it("runs on one thread where the page is not isolated", async () => {
    const plain = await browser.open(notIsolated, "train");
    expect(await ask(plain, { threads: 2, store: "plain" })).toMatchObject({ ...bits(), threads: 1, longTasks: FEW });
    await plain.close();
  });

  it("says so, typed, where the page may keep nothing", async () => {
    const server = await sandboxed();
    const inSandbox = await browser.open(`${server.url}/`, "train");
    const ended = await ask(inSandbox, { threads: 1, store: "none" }, "page");
    expect(ended).toMatchObject({ failure: expect.stringMatching(/^FILE_UNREADABLE: .*IndexedDB/) });
    await inSandbox.close();
    await server[Symbol.asyncDispose]();
  });

  it("leaves no worker", async () => {
    await expect.poll(() => page.workers(), { timeout: 60_000 }).toBe(0);
    expect(page.complaints).toEqual([]);
  });
});

/** The page in a sandbox: an origin of its own, which has neither IndexedDB nor locks. */
async function sandboxed(): Promise<MisbehavingServer> {
  const server = await startServer();
  const headers = { "access-control-allow-origin": "*", "content-security-policy": "sandbox allow-scripts" };
  for (const name of pages.files) {
    const type = name.endsWith(".html") ? "text/html" : "text/javascript";
    server.on(name === "index.html" ? "/" : `/${name}`, (_request, response) => {
      response.writeHead(200, { ...headers, "content-type": type }).end(readFileSync(join(pages.folder, name)));
    });
  }
  return server;
}

/** Of all sites together; Chromium's is that of the disk. */
const ROOM_KIB = 4000;

for (const kind of BROWSERS.filter(({ title }) => title === "Firefox")) {
  describeWhere(kind, "fit where there is no room", () => {
    it("rejects, typed, and the checkpoint before is untouched", async () => {
      const browser = await kind.launch({ "dom.quotaManager.temporaryStorage.fixedLimit": ROOM_KIB });
      try {
        const page = await browser.open(isolated, "train");
        const failure = expect.stringMatching(/^FILE_UNREADABLE: IndexedDB, depthwise:full: .*Make room for it/);
        for (const _ of ["at first", "and again, from there"]) {
          expect(await ask(page, { threads: 1, store: "full" })).toMatchObject({ failure });
        }
      } finally {
        await browser.close();
      }
    });
  });
}
