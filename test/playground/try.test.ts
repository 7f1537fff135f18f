/** @slow: it builds the page, and tries its networks in two browsers: digits, photographs, files, cameras, what lies inside. */

import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { digitsFile } from "../../src/pretrained/digits.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "../browser/browsers.ts";
import { root, stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";
import { click, counted, exactly, put, said, seen } from "./driver.ts";
import { en, ko } from "./words.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-playground-"));
let built: Awaited<ReturnType<typeof builtPage>>;
beforeAll(async () => {
  built = await builtPage();
});
afterAll(() => {
  stopServers();
  built?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the page with a state. */
async function open(browser: TestBrowser, hash: string): Promise<TestPage> {
  return browser.open(`${built.address}#${hash}`, "document");
}

/** What is known of a network is there once it is open. */
const isOpen = (page: TestPage) => seen(page, "details pre");

describeInBrowsers("the section to try networks", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch();
  });
  afterAll(() => browser?.close());

  it("reads a drawing that is there, and names a small picture; nothing comes from elsewhere", async () => {
    const page = await open(browser, "view=try&language=en");
    await click(page, "Take the drawing of 7");
    expect(await said(page, "predictions")).toMatch(/^7\s*\d/);
    expect(await said(page, "latency")).toMatch(/^[\d.]+ ms/);
    expect(await said(page, "backend")).toMatch(/^Backend: wasm/);
    await click(page, "small photographs");
    await click(page, "Drawing: ship");
    expect(await said(page, "predictions", "ship")).toMatch(/^ship/);
    const fetched = await page.ask(() => performance.getEntriesByType("resource").map(({ name }) => name), undefined);
    expect(fetched.filter((name) => !name.startsWith(built.address) && !name.startsWith("blob:"))).toEqual([]);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("reads what is drawn with a pointer", async () => {
    const page = await open(browser, "view=try&language=en");
    await isOpen(page);
    await page.ask(() => {
      const sheet = document.querySelector<HTMLCanvasElement>("canvas.sheet");
      if (sheet === null) return;
      const { left, top, width, height } = sheet.getBoundingClientRect();
      // A pointer that no hand moves cannot be captured.
      sheet.setPointerCapture = () => undefined;
      const move = (type: string, x: number, y: number) =>
        sheet.dispatchEvent(
          new PointerEvent(type, { bubbles: true, clientX: left + x * width, clientY: top + y * height, pointerId: 1 }),
        );
      // A stroke downwards: a one.
      move("pointerdown", 0.5, 0.2);
      for (let y = 0.2; y <= 0.8; y += 0.05) move("pointermove", 0.5, y);
      move("pointerup", 0.5, 0.8);
    }, undefined);
    expect(await said(page, "predictions")).toMatch(/^1\s*\d/);
    await click(page, "Clear");
    await counted(page, '[data-testid="predictions"]', 0);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it.each(["drop", "paste"])("takes a picture by %s", async (way) => {
    const page = await open(browser, "view=try&language=en&model=cifar10");
    await isOpen(page);
    await page.ask(async (way) => {
      const drawing = document.querySelector<HTMLImageElement>('img[alt="Drawing: ship"]');
      const bytes = await (await fetch(drawing?.src ?? "")).blob();
      const files = new DataTransfer();
      files.items.add(new File([bytes], "ship.png", { type: "image/png" }));
      if (way === "paste") {
        const event = new ClipboardEvent("paste", { bubbles: true, clipboardData: files });
        // Firefox leaves out files of a clipboard that a script made.
        if (event.clipboardData?.files.length !== 1) Object.defineProperty(event, "clipboardData", { value: files });
        document.body.dispatchEvent(event);
        return;
      }
      const place = document.querySelector(".drop");
      place?.dispatchEvent(new DragEvent("dragover", { bubbles: true, cancelable: true, dataTransfer: files }));
      place?.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
    }, way);
    expect(await said(page, "predictions", "ship")).toMatch(/^ship/);
    await counted(page, "img.shown", 1);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("names a file beside the picture that is shown, and no other", async () => {
    writeFileSync(join(folder, "mine.png"), readFileSync(join(root, "examples/drawings/cat.png")));
    const page = await open(browser, "view=try&language=en&model=cifar10");
    await isOpen(page);
    const named = () =>
      page.ask(() => document.querySelector<HTMLInputElement>("#photo-input")?.files?.[0]?.name ?? "", undefined);
    await page.pick("photo-input", [join(folder, "mine.png")]);
    await said(page, "predictions");
    expect(await named()).toBe("mine.png");
    await click(page, "Drawing: ship");
    await said(page, "predictions", "^ship");
    expect(await named()).toBe("");
    await page.close();
  });

  it("shows the maps of the layer that is chosen, and what speaks for the answer over the picture itself", async () => {
    const page = await open(browser, "view=try&language=ko&model=cifar10");
    await click(page, "그림: ship");
    await seen(page, ".note", "특징 맵");
    const layers = await page.ask(
      () => [...document.querySelectorAll("main section > label select option")].map(({ textContent }) => textContent),
      undefined,
    );
    const before = await seen(page, ".note", "특징 맵");
    await put(page, "main section > label select", layers[0]!);
    // The input itself: three maps, of its colours.
    expect(await seen(page, ".note", "3 / 3")).toBe(ko.tryIt.mapsOf("3", "3", "32\u00a0×\u00a032"));
    expect(before).not.toBe(ko.tryIt.mapsOf("3", "3", "32\u00a0×\u00a032"));
    await counted(page, ".maps canvas", 3);
    await seen(page, ".note", exactly(ko.tryIt.classActivationOf("ship", "4\u00a0×\u00a04")));
    const drawn = await page.ask(async () => {
      const { data, width, height } = (() => {
        const canvas = document.querySelector<HTMLCanvasElement>("canvas.overlay");
        const context = canvas?.getContext("2d");
        if (!canvas || !context) return { data: new Uint8ClampedArray(), width: 0, height: 0 };
        return context.getImageData(0, 0, canvas.width, canvas.height);
      })();
      let [coloured, opaque] = [0, 0];
      for (let i = 0; i < data.length; i += 4) {
        if (Math.abs((data[i] ?? 0) - (data[i + 2] ?? 0)) > 24) coloured++;
        if (data[i + 3] === 255) opaque++;
      }
      // Blue is of the picture: the veil is orange.
      let blue = 0;
      for (let i = 0; i < data.length; i += 4) if ((data[i + 2] ?? 0) > (data[i] ?? 0) + 24) blue++;
      return { width, height, coloured, opaque, blue };
    }, undefined);
    expect([drawn.width, drawn.height, drawn.opaque]).toEqual([224, 224, 224 * 224]);
    expect(drawn.coloured).toBeGreaterThan(1000);
    expect(drawn.blue).toBeGreaterThan(1000);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("says what is wrong with a picture or with weights, and goes on", async () => {
    writeFileSync(join(folder, "text.jpg"), "no picture at all");
    writeFileSync(join(folder, "large.png"), hugePng(20_000));
    writeFileSync(join(folder, "broken.safetensors"), "no weights at all");
    const page = await open(browser, "view=try&language=ko&model=cifar10");
    await isOpen(page);
    await page.pick("photo-input", [join(folder, "text.jpg")]);
    expect(await said(page, "error")).toContain(ko.faults.IMAGE_UNREADABLE);
    // The library's own words stand beside, and say which language they are in.
    expect(await seen(page, '[data-testid="error"] [lang="en"]')).toMatch(/text\.jpg|an image/);
    await page.pick("photo-input", [join(folder, "large.png")]);
    expect(await said(page, "error", "20,?000|pixels")).toContain(ko.faults.IMAGE_TOO_LARGE);
    await click(page, ko.tryIt.own);
    await counted(page, "#weights-input", 1);
    await page.pick("weights-input", [join(folder, "broken.safetensors")]);
    expect(await said(page, "error", "broken")).toMatch(/broken\.safetensors/);
    await click(page, ko.tryIt.digits);
    await said(page, "error", "^$");
    await click(page, ko.tryIt.readyDigit("4"));
    expect(await said(page, "predictions")).toMatch(/^4\s*\d/);
    await page.close();
  });

  it("opens weights from a file of one's own, and lets the same file be chosen again", async () => {
    writeFileSync(join(folder, "mine.safetensors"), new Uint8Array(await digitsFile().arrayBuffer()));
    const page = await open(browser, "view=try&language=en&model=own");
    await counted(page, "#weights-input", 1);
    await page.pick("weights-input", [join(folder, "mine.safetensors")]);
    expect(await isOpen(page)).toMatch(/digits|28/);
    const left = await page.ask(() => {
      const input = document.querySelector<HTMLInputElement>("#weights-input");
      // A click that opens no dialog.
      addEventListener("click", (event) => event.preventDefault(), { once: true, capture: true });
      input?.click();
      return input?.files?.length;
    }, undefined);
    expect(left).toBe(0);
    await click(page, "Drawing: ship");
    await said(page, "predictions");
    await page.close();
  });

  it("says that a camera is refused, and goes on", async () => {
    const page = await open(browser, "view=try&language=en&model=cifar10");
    await isOpen(page);
    await click(page, "Use the camera");
    // Nobody is there to allow it; a machine without a camera may say that first.
    expect([en.faults.CAMERA_REFUSED, en.faults.CAMERA_MISSING]).toContain(await said(page, "error"));
    await click(page, "Drawing: ship");
    expect(await said(page, "predictions", "ship")).toMatch(/^ship/);
    expect(await said(page, "error", "^$")).toBe("");
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("gives the focus from one button of the camera to the next", async () => {
    const page = await open(browser, "view=try&language=en&model=cifar10");
    await isOpen(page);
    const words = await page.ask(
      async (names) => {
        const sheet = document.createElement("canvas");
        [sheet.width, sheet.height] = [32, 32];
        sheet.getContext("2d")?.fillRect(0, 0, 8, 8);
        // No camera is there, nor somebody to allow it.
        const devices = { getUserMedia: async () => sheet.captureStream() };
        Object.defineProperty(navigator, "mediaDevices", { configurable: true, value: devices });
        const focused: string[] = [];
        for (const name of names) {
          const found = () => [...document.querySelectorAll("button")].find((one) => one.textContent === name);
          while (found() === undefined) await new Promise((done) => setTimeout(done, 20));
          const button = found();
          if (focused.length === 0) button?.focus();
          focused.push(document.activeElement?.textContent ?? "");
          const pressed = name === names[1] ? button?.nextElementSibling : button;
          (pressed as HTMLElement).click();
        }
        return focused;
      },
      [en.tryIt.camera, en.tryIt.take, en.tryIt.camera],
    );
    expect(words).toEqual([en.tryIt.camera, en.tryIt.take, en.tryIt.camera]);
    await page.close();
  });

  it("says that a drawing could not be fetched, and that a network could not, and goes on", async () => {
    const assets = join(built.folder, "assets");
    const hidden = readdirSync(assets).filter((name) => /^(ship|digit-3)-.*\.png$/.test(name));
    expect(hidden).toHaveLength(2);
    const page = await open(browser, "view=try&language=ko&model=digits");
    await isOpen(page);
    for (const name of hidden) renameSync(join(assets, name), join(assets, `${name}.away`));
    try {
      await click(page, ko.tryIt.readyDigit("3"));
      expect(await said(page, "error")).toContain(ko.faults.PART_MISSING);
      await click(page, ko.tryIt.readyDigit("5"));
      await said(page, "predictions");
      expect(await said(page, "error", "^$")).toBe("");
    } finally {
      for (const name of hidden) renameSync(join(assets, `${name}.away`), join(assets, name));
    }
    await page.close();
  });

  it("starts another worker for one that was lost, with the network that was open", async () => {
    const page = await open(browser, "view=why&language=ko");
    await said(page, "standard-count");
    await page.ask(() => {
      const made: Worker[] = [];
      const Usual = Worker;
      Object.assign(window, {
        made,
        Worker: class extends Usual {
          constructor(url: URL, options: WorkerOptions) {
            super(url, options);
            made.push(this);
          }
        },
      });
    }, undefined);
    await click(page, ko.views.try);
    await isOpen(page);
    const lose = () =>
      page.ask(() => {
        const { made } = window as unknown as { readonly made: readonly Worker[] };
        made.at(-1)?.dispatchEvent(new ErrorEvent("error", { message: "lost", cancelable: true }));
        return made.length;
      }, undefined);
    expect(await lose()).toBe(1);
    // Nobody waited for an answer. The next question goes to another worker.
    await click(page, ko.tryIt.readyDigit("6"));
    expect(await said(page, "predictions")).toMatch(/^6\s*\d/);
    // While it is asked:
    await page.ask(() => {
      const { made } = window as unknown as { readonly made: readonly Worker[] };
      document.querySelectorAll<HTMLElement>("button.digit")[2]?.click();
      const ask = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function lost(this: Worker, ...given: Parameters<typeof ask>) {
        ask.apply(this, given);
        // Not while what nobody waits for any more is withdrawn.
        if (!("name" in given[0]) || given[0].name !== "classify") return;
        Worker.prototype.postMessage = ask;
        made.at(-1)?.dispatchEvent(new ErrorEvent("error", { message: "lost", cancelable: true }));
      } as typeof ask;
    }, undefined);
    expect(await said(page, "error")).toContain(ko.faults.WORKER_LOST);
    await click(page, ko.tryIt.readyDigit("8"));
    expect(await said(page, "predictions", "^8")).toMatch(/^8\s*\d/);
    expect(await said(page, "error", "^$")).toBe("");
    await page.close();
  });

  it("opens a network again that could not be opened", async () => {
    const assets = join(built.folder, "assets");
    const hidden = readdirSync(assets).filter((name) => /^worker-.*\.js$/.test(name));
    const page = await open(browser, "view=why&language=ko");
    await said(page, "standard-count");
    for (const name of hidden) renameSync(join(assets, name), join(assets, `${name}.away`));
    try {
      await click(page, ko.views.try);
      expect(await said(page, "error")).toContain(ko.faults.WORKER_LOST);
    } finally {
      for (const name of hidden) renameSync(join(assets, `${name}.away`), join(assets, name));
    }
    await click(page, ko.retry);
    await isOpen(page);
    expect(await said(page, "error", "^$")).toBe("");
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
