/** @slow: it builds the page. What is changed while something is still on its way, in two browsers. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "../browser/browsers.ts";
import { root, stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";
import { click, exactly, put, said, seen } from "./driver.ts";
import { en } from "./words.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-playground-"));
const [first, second, unnamed, broken] = ["first", "second", "unnamed", "broken"].map((name) =>
  join(folder, `${name}.safetensors`),
) as [string, string, string, string];
const picture = join(root, "examples/drawings/cat.png");
let built: Awaited<ReturnType<typeof builtPage>>;
beforeAll(async () => {
  built = await builtPage();
  const size = { alpha: 0.25, resolution: 32, classes: 2 } as const;
  await saveModel(mobileNetV1({ ...size, labels: ["one", "two"] }), first);
  await saveModel(mobileNetV1({ ...size, labels: ["eins", "zwei"] }), second);
  await saveModel(mobileNetV1(size), unnamed);
  writeFileSync(broken, "no weights at all");
});
afterAll(() => {
  stopServers();
  built?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function textOf(page: TestPage, selector: string): Promise<string> {
  return page.ask((wanted) => document.querySelector<HTMLElement>(wanted)?.textContent ?? "", selector);
}

function goTo(page: TestPage, hash: string): Promise<void> {
  return page.ask(async (wanted) => {
    location.hash = wanted;
    for (let frame = 0; frame < 5; frame++) await new Promise((done) => setTimeout(done, 20));
  }, hash);
}

const DESCRIBED = "main details pre";

describeInBrowsers("the playground, meanwhile,", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch();
  });
  afterAll(() => browser?.close());
  const open = (hash: string) => browser.open(`${built.address}#${hash}&language=en`, "document");

  it("ends a measurement that nobody waits for any more", async () => {
    const page = await open("view=speed&alpha=1&resolution=224");
    await seen(page, "button.main", exactly(en.speed.start));
    await page.ask(() => {
      const sent: unknown[] = [];
      const replies: unknown[] = [];
      Object.assign(window, {
        ...{ sent, replies },
        Worker: class extends Worker {
          constructor(url: URL, options: WorkerOptions) {
            super(url, options);
            this.addEventListener("message", ({ data }) => replies.push(data));
          }
          override postMessage(message: unknown) {
            sent.push(message);
            super.postMessage(message);
          }
        },
      });
      document.querySelector<HTMLElement>("button.main")?.click();
    }, undefined);
    await put(page, '[data-testid="alpha"]', "0");
    const [sent, reply] = await page.ask(async () => {
      const { sent, replies } = window as unknown as { sent: readonly object[]; replies: readonly object[] };
      while (replies.length === 0) await new Promise((done) => setTimeout(done, 20));
      return [sent, replies[0]] as const;
    }, undefined);
    // The second network is not asked about, and the first has no times.
    expect(sent).toMatchObject([{ id: 1, name: "measure" }, { withdrawn: 1 }]);
    expect(reply).toMatchObject({ id: 1, fault: { message: expect.stringMatching(/abort/i) } });
    await seen(page, "button.main", exactly(en.speed.start));
    expect([await textOf(page, ".result"), await said(page, "error", "^$")]).toEqual(["", ""]);
    await put(page, '[data-testid="rho"]', "0");
    await click(page, en.speed.start);
    expect(await seen(page, ".result")).toMatch(/times faster\.$/);
    await page.close();
  });

  it("describes the network that answers, when the one asked for last is broken", async () => {
    const page = await open("view=try&model=own");
    await seen(page, "main", "Weights");
    await page.pick("weights-input", [first]);
    await seen(page, DESCRIBED, "first");
    await page.pick("weights-input", [second]);
    await page.pick("weights-input", [broken]);
    await said(page, "error", "broken");
    expect(await textOf(page, DESCRIBED)).toContain("second.safetensors");
    await page.pick("photo-input", [picture]);
    expect(await said(page, "predictions")).toMatch(/eins|zwei/);
    await page.close();
  });

  it("shows no network of its own where a file is chosen", async () => {
    const page = await open("view=try&model=digits");
    await click(page, "small photographs");
    await click(page, "a file of mine");
    await page.ask(async () => {
      while (document.getElementById("weights-input") === null) await new Promise((done) => setTimeout(done, 20));
    }, undefined);
    await page.pick("weights-input", [broken]);
    // Questions are answered in turn: what was opening is open by then.
    await said(page, "error", "broken");
    expect(await textOf(page, DESCRIBED)).toBe("");
    await page.close();
  });

  it("forgets the network and the picture when the address names another", async () => {
    const page = await open("view=try&model=cifar10");
    await seen(page, DESCRIBED, ".");
    await page.pick("photo-input", [picture]);
    await said(page, "predictions");
    await goTo(page, "view=try&model=own&language=en");
    expect([await textOf(page, DESCRIBED), await textOf(page, '[data-testid="predictions"]')]).toEqual(["", ""]);
    await page.close();
  });

  it("calls classes that a file does not name by their places", async () => {
    const page = await open("view=try&model=own");
    await seen(page, "main", "Weights");
    await page.pick("weights-input", [unnamed]);
    await seen(page, DESCRIBED, "unnamed");
    await page.pick("photo-input", [picture]);
    expect(await said(page, "predictions")).toMatch(/^[01]\d+\.\d %[01]\d+\.\d %$/);
    await page.close();
  });

  it("switches off a camera that is allowed when nobody waits for it any more", async () => {
    const page = await open("view=try&model=cifar10");
    await seen(page, "main", "Use the camera");
    const state = await page.ask(async () => {
      const stream = document.createElement("canvas").captureStream();
      let allow = () => {};
      const allowed = new Promise<MediaStream>((done) => {
        allow = () => done(stream);
      });
      navigator.mediaDevices.getUserMedia = () => allowed;
      const button = [...document.querySelectorAll("button")].find((one) => one.textContent === "Use the camera");
      button?.click();
      location.hash = "view=why&language=en";
      while (document.querySelector(".transport") === null) await new Promise((done) => setTimeout(done, 20));
      allow();
      while (stream.getTracks()[0]?.readyState !== "ended") await new Promise((done) => setTimeout(done, 20));
      return stream.getTracks()[0]?.readyState;
    }, undefined);
    expect(state).toBe("ended");
    await page.close();
  });

  it("keeps the name that a thing is learnt by, whatever is typed meanwhile", async () => {
    const page = await open("view=teach");
    await page.pick("photo-input", [picture]);
    await click(page, "Add the picture above");
    const name = await page.ask(async () => {
      const input = document.querySelector<HTMLInputElement>(".things input");
      if (input === null) return undefined;
      input.value = "another";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      while (document.querySelector(".things p")?.textContent !== "Pictures: 1") {
        await new Promise((done) => setTimeout(done, 20));
      }
      return document.querySelector<HTMLInputElement>(".things input")?.value;
    }, undefined);
    expect(name).toBe("Thing 1");
    await page.close();
  });

  it("draws with one finger, and answers a line that was broken off", async () => {
    const page = await open("view=try&model=digits");
    await seen(page, DESCRIBED, ".");
    const inked = await page.ask(async () => {
      const sheet = document.querySelector<HTMLCanvasElement>("canvas.sheet");
      if (sheet === null) return [];
      // Fingers of a script cannot be held.
      sheet.setPointerCapture = () => {};
      const { left, top, width } = sheet.getBoundingClientRect();
      const finger = (type: string, pointerId: number, x: number, y: number) =>
        sheet.dispatchEvent(
          new PointerEvent(type, {
            ...{ pointerId, bubbles: true },
            clientX: left + (x * width) / 280,
            clientY: top + (y * width) / 280,
          }),
        );
      finger("pointerdown", 1, 60, 40);
      finger("pointerdown", 2, 240, 240);
      finger("pointermove", 1, 60, 240);
      finger("pointermove", 2, 200, 240);
      finger("pointercancel", 1, 60, 240);
      const ink = (x: number, y: number) => sheet.getContext("2d")?.getImageData(x, y, 1, 1).data[0];
      return [ink(60, 140), ink(150, 140), ink(240, 240)];
    }, undefined);
    expect(inked).toEqual([255, 0, 0]);
    expect(await said(page, "predictions")).toMatch(/%/);
    await page.close();
  });
});
