/** @slow: it takes half a minute. */

/** What a page holds that others have a hand in: another origin, another realm, a video's clock, a worker. */

import { resolve } from "node:path";
import { build } from "esbuild";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Act, type MisbehavingServer, startServer } from "../fixtures/misbehaving-server.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import { root } from "./chromium.ts";

let server: MisbehavingServer;
let elsewhere: MisbehavingServer;

const send =
  (type: string, body: string | Uint8Array, headers: Record<string, string> = {}): Act =>
  (_request, response) =>
    void response.writeHead(200, { "content-type": type, ...headers }).end(body);

beforeAll(async () => {
  [server, elsewhere] = [await startServer(), await startServer()];
  const entryPoints = { page: resolve(import.meta.dirname, "page-held-page.ts") };
  const options = { absWorkingDir: root, bundle: true, format: "esm", target: "es2022", logLevel: "error" } as const;
  const { outputFiles } = await build({ ...options, entryPoints, write: false, outdir: "/bundle" });
  server.on("/page.js", send("text/javascript", outputFiles[0]?.contents ?? ""));
  server.on("/", send("text/html", '<!doctype html><body><script type="module" src="page.js"></script>'));
  const create = { width: 64, height: 48, channels: 3, background: "rgb(10, 200, 30)" } as const;
  const png = new Uint8Array(await sharp({ create }).png().toBuffer());
  elsewhere.on("/green.png?token=hunter2", send("image/png", png));
  elsewhere.on("/green.png", send("image/png", png));
  elsewhere.on("/open.png", send("image/png", png, { "access-control-allow-origin": "*" }));
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await elsewhere?.[Symbol.asyncDispose]();
});

const GREEN = "64x48 green";

describeInBrowsers("what a page holds", (kind) => {
  let browser: TestBrowser;
  let page: TestPage;
  beforeAll(async () => {
    browser = await kind.launch();
    page = await browser.open(`${server.url}/`, "classifyAllKinds");
  });
  afterAll(() => browser?.close());

  it("of another origin says that it may not be read, and what to do, without what is secret in its address", async () => {
    const found = await page.ask((url) => window.lookAtOrigins(url), elsewhere.url);
    const why =
      /^IMAGE_UNREADABLE: .*pixels that this page may not read, .*another origin\. Set crossOrigin = "anonymous"/;
    expect(found).toMatchObject({
      tainted: expect.stringMatching(why),
      offscreen: expect.stringMatching(why),
      image: expect.stringMatching(why),
      bitmap: expect.stringMatching(why),
      asked: GREEN,
      refused: expect.stringMatching(/^IMAGE_UNREADABLE: an <img> of .*green\.png: .*without pixels/),
      opaque: expect.stringMatching(/^FILE_UNREADABLE: Response: it is opaque: .* Fetch it with mode: "cors"/),
    });
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  it("of another realm is known by what it is", async () => {
    const found = await page.ask(() => window.lookAtRealms(), undefined);
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, GREEN])));
    expect(Object.keys(found)).toHaveLength(10);
  });

  it("is a video's frame at the call, or a video that has none yet", async () => {
    const found = await page.ask(() => window.lookAtVideos(), undefined);
    const before = expect.stringMatching(
      /^IMAGE_UNREADABLE: a <video>.*before its first frame\. Wait for its loadeddata/,
    );
    expect(found).toMatchObject({ empty: before, before, playing: `true ${GREEN}`, ended: "64x48 red" });
    // Both have it; another may not.
    if (found["frame"] === undefined) return;
    const closed = expect.stringMatching(/^IMAGE_UNREADABLE: a VideoFrame: .*one that was closed/);
    expect(found).toMatchObject({ frame: "64x48 red", taken: "64x48 red", closed });
  });

  it("is a canvas of any context, or one that has nothing to show", async () => {
    const found = await page.ask(() => window.lookAtCanvases(), undefined);
    expect(found).toMatchObject({
      closed: expect.stringMatching(/^IMAGE_UNREADABLE: an ImageBitmap: .*closed/),
      sent: expect.stringMatching(/^IMAGE_UNREADABLE: an OffscreenCanvas: .*transferred/),
      control: GREEN,
      handed: GREEN,
      shown: GREEN,
      none: expect.stringMatching(/^IMAGE_UNREADABLE: a canvas: .*0 × 0 pixels/),
      flat: expect.stringMatching(/^IMAGE_UNREADABLE: an OffscreenCanvas: .*5 × 0 pixels/),
      drawing: GREEN,
      ...("webgl" in found ? { webgl: GREEN } : {}),
    });
  });

  it("is classified, embedded and taken from a list, whatever it is, and takes no room that a file waits for", async () => {
    const before = page.complaints.length;
    const found = await page.ask(() => window.classifyAllKinds(), undefined);
    const { all, list, fileList, ...single } = found;
    expect({ all, list, fileList }).toEqual({ all: "true", list: "true", fileList: "true" });
    expect(single).toEqual(Object.fromEntries(Object.keys(single).map((name) => [name, "true true"])));
    // Of the canvas before.
    const isOfDriver = (text: string) => text.includes("GL Driver Message");
    expect(page.complaints.slice(before).filter((text) => !isOfDriver(text))).toEqual([]);
  });
});
