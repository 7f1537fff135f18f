/** Models at an address, loaded in Chromium: kept in the browser's caches, resumed, given up, from other origins. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import {
  type Act,
  file,
  type MisbehavingServer,
  redirect,
  sha256,
  startServer,
  tagOf,
} from "../fixtures/misbehaving-server.ts";
import { describeInChromium, executablePath, launch } from "./chromium.ts";
import { type Bundle, bundle, openPage, serveBundle } from "./readers-bundle.ts";
import type { LoadRequest } from "./readers-page.ts";

const TINY = { alpha: 0.25, resolution: 32, classes: 3 } as const;
const MODEL = mobileNetV1(TINY);
const BYTES = encodeModel(MODEL);
const OTHER = encodeModel(mobileNetV1({ ...TINY, classes: 4 }));
const HALF = Math.floor(BYTES.length / 2);
const PATH = "/model.safetensors";

let browser: Browser;
let bundled: Bundle;

beforeAll(async () => {
  if (executablePath === undefined) return;
  [bundled, browser] = await Promise.all([bundle(), launch()]);
});
afterAll(() => browser?.close());

/** A page of a server of its own, and so with caches of its own. */
interface Site extends AsyncDisposable {
  readonly server: MisbehavingServer;
  readonly context: BrowserContext;
  readonly page: Page;
  load(source: string, more?: Partial<LoadRequest>): ReturnType<Window["load"]>;
  /** Loads the page anew. */
  reopen(): Promise<void>;
}

/** @param missing names of the window that this browser does without */
async function open(acts: readonly Act[], missing: readonly string[] = []): Promise<Site> {
  const server = await serveBundle(bundled);
  server.on(PATH, ...acts);
  const context = await browser.newContext();
  await context.addInitScript((names) => {
    for (const name of names) Reflect.deleteProperty(window, name);
  }, missing);
  const { page, complaints } = await openPage(context, server);
  for (const name of missing) expect(await page.evaluate((key) => key in window, name)).toBe(false);
  return {
    server,
    context,
    page,
    load: (url, more) => page.evaluate((request) => window.load(request), { source: { url }, ...more }),
    async reopen() {
      await page.reload();
      await page.waitForFunction(() => "load" in window);
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await server[Symbol.asyncDispose]();
      // Chromium itself tells of answers that are cut off, denied or no 200.
      expect(complaints.filter((text) => !/^(Failed to load resource|Access to fetch)/.test(text))).toEqual([]);
    },
  };
}

const databases = (page: Page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

describeInChromium("a model at an address, in Chromium", () => {
  it.each([
    ["the Cache API", []],
    ["IndexedDB where there is no Cache API", ["caches"]],
  ] as const)("is kept in %s, and asked for anew only if it changed", async (_where, missing) => {
    await using site = await open([file(BYTES), file(BYTES), file(OTHER)], missing);
    const { server, page, load } = site;
    const url = `${server.url}${PATH}`;

    const first = await load("model.safetensors");
    expect(first.failure).toBeUndefined();
    expect(first.description?.file).toBe(url);
    const received = first.progress.map((step) => step.received);
    expect(received).toEqual([...received].sort((a, b) => a - b));
    expect(first.progress.at(-1)).toEqual({ file: url, received: BYTES.length, total: BYTES.length, fromCache: false });
    expect(await databases(page)).toEqual(missing.length === 0 ? [] : ["depthwise"]);
    const [entry, ...others] = await page.evaluate(() => window.listCache());
    expect(entry).toMatchObject({ url, bytes: BYTES.length, sha256: sha256(BYTES) });
    expect(others).toEqual([]);

    // The page is opened anew: what follows comes from what was kept.
    await site.reopen();
    const second = await load(url);
    expect(second.progress).toEqual([{ file: url, received: BYTES.length, total: BYTES.length, fromCache: true }]);
    expect(server.asked.at(-1)).toMatchObject({ path: PATH, headers: { "if-none-match": tagOf(BYTES) } });
    for (const options of [{ refresh: false }, { offline: true }, { sha256: sha256(BYTES) }]) {
      const { failure, progress } = await load(url, { options });
      expect(failure).toBeUndefined();
      expect(progress).toEqual(second.progress);
    }
    expect(server.count(PATH)).toBe(2);

    const changed = await load(url);
    expect(changed.description?.decisions.find(({ name }) => name === "classes")?.value).toBe(4);
    expect(await page.evaluate(() => window.listCache())).toMatchObject([{ url, bytes: OTHER.length }]);
    expect(await page.evaluate(() => window.clearCache())).toEqual({ entries: 1, unfinished: 0, bytes: OTHER.length });
    expect(await page.evaluate(() => window.listCache())).toEqual([]);
    const offline = await load(url, { options: { offline: true } });
    expect(offline.failure?.code).toBe("FILE_NOT_FOUND");
    expect(offline.failure?.message).toContain(missing.length === 0 ? "Cache API" : "IndexedDB");
    expect(server.count(PATH)).toBe(3);
  });

  it("is loaded, and kept nowhere, by a browser without both", async () => {
    await using site = await open([file(BYTES)], ["caches", "indexedDB"]);
    for (const times of [1, 2]) {
      const { failure, progress } = await site.load("model.safetensors");
      expect(failure).toBeUndefined();
      expect(progress.at(-1)).toMatchObject({ received: BYTES.length, fromCache: false });
      expect(site.server.count(PATH)).toBe(times);
    }
    expect(await site.page.evaluate(() => window.listCache())).toEqual([]);
  });

  it("has its shards fetched from beside it, which are kept as well", async () => {
    await using site = await open([]);
    const files = encodeTfjs(MODEL);
    for (const [name, bytes] of files) site.server.on(`/models/${name}`, file(bytes));
    expect(files.size).toBeGreaterThan(1);
    expect((await site.load("models/model.json")).failure).toBeUndefined();
    const asked = site.server.asked.length;
    await site.reopen();
    const again = await site.load("models/model.json", { options: { offline: true } });
    expect(again.failure).toBeUndefined();
    expect(again.progress).toHaveLength(files.size);
    expect(site.server.asked.slice(asked).filter(({ path }) => path.startsWith("/models/"))).toEqual([]);
  });

  it("can be given up in the middle: the connection ends, nothing is kept", async () => {
    let closed = false;
    const stalled = file(BYTES, { stallAfter: HALF });
    const act: Act = (request, response) => {
      response.on("close", () => {
        closed = true;
      });
      stalled(request, response);
    };
    await using site = await open([act, file(BYTES)]);
    const { failure, progress } = await site.load("model.safetensors", { abortAt: HALF });
    expect(failure).toEqual({ name: "AbortError", message: "enough" });
    expect(progress.at(-1)?.received).toBe(HALF);
    await expect.poll(() => closed).toBe(true);
    expect(await site.page.evaluate(() => window.listCache())).toEqual([]);
    expect((await site.load("model.safetensors")).failure).toBeUndefined();
  });

  it("goes on where the connection broke", async () => {
    await using site = await open([file(BYTES, { stallAfter: HALF }), file(BYTES)]);
    await site.page.exposeFunction("reached", () => site.server.cut());
    const { failure, progress } = await site.load("model.safetensors", { tellAt: HALF });
    expect(failure).toBeUndefined();
    expect(progress.at(-1)).toMatchObject({ received: BYTES.length, total: BYTES.length });
    expect(site.server.count(PATH)).toBe(2);
    expect(site.server.asked.at(-1)?.headers).toMatchObject({ range: `bytes=${HALF}-`, "if-range": tagOf(BYTES) });
    expect(await site.page.evaluate(() => window.listCache())).toMatchObject([{ sha256: sha256(BYTES) }]);
  });

  it("says what became of it: missing, broken off for good, another file than was asked for", async () => {
    await using site = await open([file(BYTES, { stallAfter: HALF })]);
    await site.page.exposeFunction("reached", () => site.server.cut());
    expect((await site.load("nothing.safetensors")).failure?.code).toBe("FILE_NOT_FOUND");
    const broken = await site.load("model.safetensors", { tellAt: HALF, options: { retries: 0 } });
    expect(broken.failure).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(broken.failure?.message).toContain(`the connection ended after ${HALF.toLocaleString("en-US")} of`);
    site.server.on("/right.safetensors", file(BYTES));
    const wrong = await site.load("right.safetensors", { options: { sha256: sha256(OTHER) } });
    expect(wrong.failure?.code).toBe("FILE_CORRUPT");
    expect(await site.page.evaluate(() => window.listCache())).toEqual([]);
  });

  describe("of another origin that allows to be read", () => {
    /** Another server, that tells any page what it has and `exposed` headers of its answers. */
    async function openFar(exposed: readonly string[] = []) {
      const far = await startServer();
      const on = (path: string, ...acts: readonly Act[]) =>
        far.on(
          path,
          ...acts.map((act): Act => {
            return (request, response) => {
              response.setHeader("access-control-allow-origin", "*");
              response.setHeader("access-control-expose-headers", exposed.join(", "));
              // Otherwise Chromium's own cache goes on where it broke off, in one test and not in another.
              response.setHeader("cache-control", "no-store");
              act(request, response);
            };
          }),
        );
      return { far, on };
    }

    it("is asked for without a question beforehand, and kept", async () => {
      await using site = await open([]);
      const { far, on } = await openFar();
      await using _ = far;
      const url = on(PATH, file(BYTES));
      for (const times of [1, 2]) {
        const { failure, progress } = await site.load(url);
        expect(failure).toBeUndefined();
        expect(progress.at(-1)).toMatchObject({ received: BYTES.length, total: BYTES.length, fromCache: false });
        // A question would be a request of its own.
        expect(far.asked).toHaveLength(times);
      }
      const offline = await site.load(url, { options: { offline: true } });
      expect(offline.progress).toMatchObject([{ fromCache: true }]);
    });

    it("may come packed, of which the page is not told", async () => {
      await using site = await open([]);
      const { far, on } = await openFar();
      await using _ = far;
      const options = { size: BYTES.length, sha256: sha256(BYTES) };
      const { failure, progress } = await site.load(on(PATH, file(BYTES, { gzip: true })), { options });
      expect(failure).toBeUndefined();
      expect(progress.at(-1)).toMatchObject({ received: BYTES.length });
      expect(far.asked).toHaveLength(1);
      const wrong = await site.load(on("/other", file(OTHER)), { options });
      expect(wrong.failure?.code).toBe("FILE_CORRUPT");
    });

    it.each([
      ["begins again where the connection broke off", [], undefined],
      ["goes on if the server shows the headers that this takes", ["etag", "content-range"], `bytes=${HALF}-`],
    ] as const)("%s", async (_name, exposed, range) => {
      await using site = await open([]);
      const { far, on } = await openFar(exposed);
      await using _ = far;
      await site.page.exposeFunction("reached", () => far.cut());
      const url = on(PATH, file(BYTES, { stallAfter: HALF }), file(BYTES));
      expect((await site.load(url, { tellAt: HALF })).failure).toBeUndefined();
      expect(await site.page.evaluate(() => window.listCache())).toMatchObject([{ sha256: sha256(BYTES) }]);
      expect(far.asked.map(({ headers }) => headers.range)).toEqual([undefined, range]);
    });

    it("is redirected to, without what was given for the first", async () => {
      await using site = await open([]);
      const { far, on } = await openFar();
      await using _ = far;
      site.server.on("/moved", redirect(on(PATH, file(BYTES))));
      const authorized = { headers: { authorization: "Bearer s3cret" }, cache: false };
      expect((await site.load("moved", { options: authorized })).failure).toBeUndefined();
      expect(site.server.asked.at(-1)?.headers.authorization).toBe("Bearer s3cret");
      expect(far.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
      const { failure } = await site.load("moved", { options: { headers: { "x-api-key": "k3y" }, cache: false } });
      expect(failure?.code).toBe("FILE_UNREADABLE");
      expect(failure?.message).toContain("must not get the headers given (x-api-key)");
      expect(far.asked).toHaveLength(1);
    });

    it("or not: then the error says so", async () => {
      await using site = await open([]);
      await using far = await startServer();
      const { failure } = await site.load(far.on(PATH, file(BYTES)), { options: { retries: 0 } });
      expect(failure?.code).toBe("FILE_UNREADABLE");
      expect(failure?.message).toContain(
        "it cannot be reached (Failed to fetch), or does not let pages of other origins",
      );
    });
  });
});
