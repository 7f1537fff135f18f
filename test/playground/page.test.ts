/** @slow: it builds the page, and walks through it in two browsers. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { conv2d, depthwise, pointwise, sequential } from "../../src/layers/index.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "../browser/browsers.ts";
import { stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";
import { click, said } from "./page-parts.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-playground-"));
let built: Awaited<ReturnType<typeof builtPage>>;
let address = "";
beforeAll(async () => {
  built = await builtPage();
  address = built.address;
});
afterAll(() => {
  stopServers();
  built?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the page with a state. */
async function open(browser: TestBrowser, hash: string): Promise<TestPage> {
  return browser.open(`${address}#${hash}`, "document");
}

/** All addresses that the page fetched from. */
function fetched(page: TestPage): Promise<readonly string[]> {
  return page.ask(() => performance.getEntriesByType("resource").map(({ name }) => name), undefined);
}

const number = (text: string) => Number(text.replaceAll(",", ""));

/** 200 settings, by counting. */
const SETTINGS = Array.from({ length: 200 }, (_, i) => {
  const at = (count: number, seed: number) => Math.floor(((i + 1) * seed) / 7) % count;
  const kernelSize = 1 + at(5, 17);
  return {
    kernelSize,
    inputChannels: 1 + at(4, 29),
    filters: 1 + at(8, 41),
    size: Math.max(kernelSize, 3 + at(5, 53)),
    stride: 1 + at(2, 61),
    padding: at(2, 71) === 0 ? ("same" as const) : ("valid" as const),
    multiplier: 1 + at(2, 83),
  };
});

describeInBrowsers("the playground", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch();
  });
  afterAll(() => browser?.close());

  it("counts as cost does, for 200 settings", async () => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count");
    for (const settings of SETTINGS) {
      const { kernelSize, inputChannels, filters, size, stride, padding, multiplier } = settings;
      const shown = await page.ask(async (given) => {
        const hash = new URLSearchParams(Object.entries(given).map(([name, value]) => [name, String(value)]));
        location.hash = `view=why&language=en&at=1000000&${hash}`;
        // Two frames: one in which the page hears of it, one in which it is drawn.
        for (let frame = 0; frame < 3; frame++) await new Promise((done) => setTimeout(done, 8));
        const text = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`)?.textContent ?? "";
        return [text("standard-count"), text("separable-count"), text("ratio")];
      }, settings);
      const inputShape = [size, size, inputChannels] as const;
      const window = { kernel: kernelSize, stride, padding, bias: false };
      const count = (layers: Parameters<typeof sequential>[1]) =>
        cost(sequential({ inputShape }, layers)).totals.multAdds ?? 0;
      const standard = count([conv2d({ ...window, filters })]);
      const pair = count([depthwise({ ...window, multiplier }), pointwise({ filters, bias: false })]);
      expect([settings, shown.map(number)]).toEqual([settings, [standard, pair, Number((pair / standard).toFixed(4))]]);
    }
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("steps forward and back by the same cursor, and keeps its place in the address", async () => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count", "^0$");
    for (let step = 0; step < 19; step++) await click(page, "Next multiplication");
    expect([await said(page, "standard-count"), await said(page, "separable-count")]).toEqual(["18", "19"]);
    await click(page, "One multiplication back");
    expect([await said(page, "standard-count"), await said(page, "separable-count")]).toEqual(["18", "18"]);
    expect(await page.ask(() => location.hash, undefined)).toContain("at=18");
    await click(page, "Next output cell");
    expect([await said(page, "standard-count", "18"), await said(page, "separable-count", "20")]).toEqual(["18", "20"]);
    await page.close();
  });

  it("shows that depthwise alone mixes no channels, from the list of questions", async () => {
    const page = await open(browser, "view=try&language=en");
    await click(page, "Questions");
    await click(page, "Why does depthwise alone not mix channels?");
    const changed = await page.ask(async () => {
      for (;;) {
        const text = document.querySelector<HTMLElement>(".changed")?.textContent;
        if (text !== undefined) return text;
        await new Promise((done) => setTimeout(done, 20));
      }
    }, undefined);
    expect(changed).toBe("Input channel 1 has other numbers. Output channels that changed: 1.");
    await click(page, "on: channels are mixed");
    const all = await page.ask(async () => {
      for (;;) {
        const text = document.querySelector<HTMLElement>(".changed")?.textContent ?? "";
        if (/, /.test(text)) return text;
        await new Promise((done) => setTimeout(done, 20));
      }
    }, undefined);
    expect(all).toMatch(/changed: 1, 2, 3, 4\.$/);
    await page.close();
  });

  it("shows what α and ρ cost, in both languages", async () => {
    const page = await open(browser, "view=widths&language=ko&alpha=0.5&resolution=160");
    const { totals } = cost(mobileNetV1({ alpha: 0.5, resolution: 160 }));
    expect(number(await said(page, "mult-adds"))).toBe(totals.multAdds);
    expect(number(await said(page, "parameters"))).toBe(totals.parameters);
    expect(await page.ask(() => document.documentElement.lang, undefined)).toBe("ko");
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("reads a drawn digit, and names a small picture", async () => {
    const page = await open(browser, "view=try&language=en");
    await said(page, "error", "^$");
    await click(page, "Take the drawing of 7");
    expect(await said(page, "predictions")).toMatch(/^7\s/);
    expect(await said(page, "latency")).toMatch(/^[\d.]+ ms/);
    expect(await said(page, "backend")).toMatch(/^Backend: wasm/);
    await click(page, "small photographs");
    await page.ask(async () => {
      for (;;) {
        const picture = document.querySelector<HTMLElement>('img[alt="Drawing: ship"]');
        if (picture !== null) return picture.click();
        await new Promise((done) => setTimeout(done, 20));
      }
    }, undefined);
    expect(await said(page, "predictions", "ship")).toMatch(/^ship\s/);
    const outside = (await fetched(page)).filter((name) => !name.startsWith(address) && !name.startsWith("blob:"));
    expect(outside).toEqual([]);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("says what is wrong with a picture or with weights, and goes on", async () => {
    writeFileSync(join(folder, "text.jpg"), "no picture at all");
    writeFileSync(join(folder, "large.png"), hugePng(20_000));
    writeFileSync(join(folder, "broken.safetensors"), "no weights at all");
    const page = await open(browser, "view=try&language=en&model=cifar10");
    await said(page, "error", "^$");
    await page.pick("photo-input", [join(folder, "text.jpg")]);
    expect(await said(page, "error")).toMatch(/text\.jpg|an image/);
    await page.pick("photo-input", [join(folder, "large.png")]);
    expect(await said(page, "error", "20,?000|pixels")).toMatch(/pixels/);
    await click(page, "a file of mine");
    await page.ask(async () => {
      while (document.getElementById("weights-input") === null) await new Promise((done) => setTimeout(done, 20));
    }, undefined);
    await page.pick("weights-input", [join(folder, "broken.safetensors")]);
    expect(await said(page, "error", "broken")).toMatch(/broken\.safetensors/);
    await click(page, "digits");
    await click(page, "Take the drawing of 4");
    expect(await said(page, "predictions")).toMatch(/^4\s/);
    await page.close();
  });

  it("says that a camera is refused, and goes on", async () => {
    const page = await open(browser, "view=try&language=en&model=cifar10");
    await click(page, "Use the camera");
    // Nobody is there to allow it; a machine without a camera may say that first.
    expect(await said(page, "error")).toMatch(/^(The camera was refused|There is no camera that this page may use)\./);
    await page.ask(async () => {
      const wait = () => new Promise((done) => setTimeout(done, 20));
      const find = () => document.querySelector<HTMLElement>('img[alt="Drawing: ship"]');
      while (find() === null) await wait();
      find()?.click();
    }, undefined);
    expect(await said(page, "predictions", "ship")).toMatch(/^ship\s/);
    expect(await said(page, "error", "^$")).toBe("");
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("measures both networks", async () => {
    const page = await open(browser, "view=speed&language=en&alpha=0.25&resolution=96");
    await click(page, "Measure both, here and now");
    const result = await page.ask(async () => {
      for (;;) {
        const text = document.querySelector<HTMLElement>(".result")?.textContent;
        if (text !== undefined) return text;
        await new Promise((done) => setTimeout(done, 50));
      }
    }, undefined);
    expect(result).toMatch(/^[\d.]+ times fewer multiplications, [\d.]+ times faster\.$/);
    await page.close();
  });

  it("learns things from a few pictures", async () => {
    const page = await open(browser, "view=teach&language=en");
    const add = (name: string, thing: number) =>
      page.ask(
        async ({ name, thing }) => {
          const wait = () => new Promise((done) => setTimeout(done, 20));
          const find = () => document.querySelector<HTMLElement>(`img[alt="Drawing: ${name}"]`);
          while (find() === null) await wait();
          find()?.click();
          const button = () => document.querySelectorAll<HTMLButtonElement>(".things section button")[2 * thing];
          while (button()?.disabled !== false) await wait();
          const count = () => document.querySelectorAll<HTMLElement>(".things section p")[thing]?.textContent;
          const before = count();
          button()?.click();
          while (count() === before) await wait();
        },
        { name, thing },
      );
    for (const [name, thing] of [
      ["ship", 0],
      ["airplane", 0],
      ["cat", 1],
      ["dog", 1],
    ] as const)
      await add(name, thing);
    const best = await page.ask(async () => {
      for (;;) {
        const first = document.querySelector<HTMLElement>(".bars li span")?.textContent;
        // The answers before it are of fewer pictures.
        if (first === "Thing 2") return first;
        await new Promise((done) => setTimeout(done, 20));
      }
    }, undefined);
    expect(best).toBe("Thing 2");
    expect(page.complaints).toEqual([]);
    await page.close();
  });
});

/** The head of a PNG of so many pixels a side, and a row of it: what claims to be large. */
function hugePng(side: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const size = Buffer.alloc(13);
  size.writeUInt32BE(side, 0);
  size.writeUInt32BE(side, 4);
  size.set([8, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", size),
    chunk("IDAT", deflateSync(Buffer.alloc(side + 1))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
