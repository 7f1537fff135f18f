/** @slow: it takes half a minute. */

/** The page of examples/train-in-browser: it learns, stops, goes on after a reload, and names what is drawn. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import {
  describeInChromium,
  executablePath,
  launch,
  type ServerOptions,
  serve,
  stopServers,
  watch,
} from "./chromium.ts";

type Point = readonly [number, number];

/** As a hand would, in shares of the paper. */
const DRAWINGS: Readonly<Record<string, readonly Point[]>> = {
  circle: Array.from({ length: 28 }, (_, i): Point => [0.5 + 0.35 * Math.cos(i / 4.2), 0.45 + 0.3 * Math.sin(i / 4.2)]),
  square: [
    [0.2, 0.2],
    [0.82, 0.22],
    [0.8, 0.8],
    [0.18, 0.77],
    [0.22, 0.17],
  ],
  triangle: [
    [0.5, 0.15],
    [0.85, 0.8],
    [0.12, 0.75],
    [0.52, 0.12],
  ],
  star: Array.from(
    { length: 6 },
    (_, i): Point => [0.5 + 0.4 * Math.sin((i * 4 * Math.PI) / 5), 0.5 - 0.38 * Math.cos((i * 4 * Math.PI) / 5)],
  ),
};

const PATIENCE = { timeout: 60_000 };

let browser: Browser;
let context: BrowserContext;
beforeAll(async () => {
  if (executablePath !== undefined) browser = await launch();
});
beforeEach(async () => {
  context = await browser?.newContext({ viewport: { width: 800, height: 1200 } });
});
afterEach(() => context?.close());
afterAll(async () => {
  stopServers();
  await browser?.close();
});

async function open(address: string, missing?: string) {
  const page = await context.newPage();
  const complaints = watch(page);
  if (missing !== undefined) await page.route(missing, (route) => route.fulfill({ status: 404 }));
  await page.goto(`${address}/examples/train-in-browser/index.html`);
  return { page, complaints };
}

const shows = (page: Page, id: string, text: RegExp) =>
  expect.poll(() => page.textContent(`#${id}`), PATIENCE).toMatch(text);

async function draw(page: Page, points: readonly Point[]): Promise<string> {
  await page.click("#clear");
  const paper = page.locator("#paper");
  await paper.scrollIntoViewIfNeeded();
  const box = await paper.boundingBox();
  const at = ([x, y]: Point): [number, number] => [(box?.x ?? 0) + 280 * x, (box?.y ?? 0) + 280 * y];
  for (const [i, point] of points.entries()) {
    await page.mouse.move(...at(point), { steps: i === 0 ? 1 : 2 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
  await page.locator("#labels .best").waitFor();
  return ((await page.locator("#labels .best").textContent()) ?? "").replace(/\s+/g, " ");
}

describeInChromium("the page that trains", () => {
  it("learns shapes, goes on after a stop and a reload, and names what is drawn", async () => {
    const address = await serve({ isolated: true });
    const { page, complaints } = await open(address);
    await shows(page, "state", /^2,000 pictures of 4 classes are made; a fifth is held back\.$/);
    await page.click("#train");
    await shows(page, "how", /^wasm backend, SIMD: relaxed, threads: 2$/);
    await shows(page, "state", /^Epoch 2 of 6: loss/);
    await page.click("#stop");
    await shows(page, "state", /^Stopped\. Train goes on from here/);
    await page.reload();
    await shows(page, "state", /Train goes on where it was stopped\.$/);
    await page.click("#train");
    await shows(page, "state", /^Epoch [2-6] of 6: loss/);
    const other = await open(address);
    await shows(other.page, "state", /pictures/);
    await other.page.click("#train");
    await shows(other.page, "error", /^CHECKPOINT_IN_USE: /);
    await other.page.close();
    await page.bringToFront();
    await shows(
      page,
      "state",
      /^Trained: it names (100\.0|9\d\.\d) % of 400 pictures that it has never seen\. Now draw\.$/,
    );
    expect(await page.locator("#curve circle").count()).toBe(6);
    for (const [name, points] of Object.entries(DRAWINGS)) expect(await draw(page, points)).toMatch(RegExp(`^${name}`));
    await page.click("#forget");
    await shows(page, "state", /^Forgotten\.$/);
    expect(complaints).toEqual([]);
  });

  it.each([
    [
      "on one thread where it is not isolated",
      {},
      /^wasm backend, .* threads: 1; one thread: no shared memory .*isolated/,
    ],
    [
      "in plain loops where a policy refuses wasm",
      { isolated: true, noWasm: true },
      /^reference backend, SIMD: none, threads: 1; .*refuses to compile WebAssembly/,
    ],
  ] as const)("trains %s, says why, and stops when asked", async (_, options: ServerOptions, how) => {
    const { page } = await open(await serve(options));
    await shows(page, "state", /pictures/);
    await page.click("#train");
    await shows(page, "how", how);
    await shows(page, "state", /^Epoch 1 of 6: loss/);
    await page.click("#stop");
    await shows(page, "state", /^Stopped/);
  });

  it("says so where the worker's script is missing", async () => {
    const { page } = await open(await serve({}), "**/train-in-browser/worker.js");
    await shows(page, "error", /worker could not be loaded/);
  });
});
