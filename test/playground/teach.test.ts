/** @slow: it builds the page, and teaches it things in two browsers. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cifar10 } from "../../src/pretrained/cifar10.ts";
import { fewShot } from "../../src/train/few-shot/index.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "../browser/browsers.ts";
import { root, stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";
import { click, counted, exactly, put, said, seen, usable } from "./driver.ts";
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

/** Of a box, from 1. */
const box = (place: number, inside: string) => `.things > section:nth-child(${place}) ${inside}`;

/** Shows a drawing that is there, and waits until it is the one that is shown. */
function show(page: TestPage, name: string): Promise<void> {
  return page.ask(async (name) => {
    const shown = () => document.querySelector<HTMLImageElement>("img.shown")?.src;
    const drawing = () => document.querySelector<HTMLElement>(`img[alt="Drawing: ${name}"]`);
    while (drawing() === null) await new Promise((done) => setTimeout(done, 20));
    const before = shown();
    drawing()?.click();
    while (shown() === undefined || shown() === before) await new Promise((done) => setTimeout(done, 20));
  }, name);
}

/** Adds such a drawing to a box. */
async function add(page: TestPage, name: string, place: number, examples: number): Promise<void> {
  await show(page, name);
  await press(page, box(place, ".buttons button"));
  await seen(page, box(place, "> p"), exactly(en.teach.examples(String(examples))));
}

/** Presses the first button of a selector, once it can be pressed. */
async function press(page: TestPage, selector: string): Promise<void> {
  await usable(page, selector);
  await page.ask((selector) => document.querySelector<HTMLElement>(selector)?.click(), selector);
}

/** What stands in the boxes. */
function names(page: TestPage): Promise<readonly string[]> {
  return page.ask(
    () => [...document.querySelectorAll<HTMLInputElement>(".things input:not([type])")].map(({ value }) => value),
    undefined,
  );
}

describeInBrowsers("the section to teach", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch();
  });
  afterAll(() => browser?.close());

  it("learns things from a few pictures, keeps them while another section is visited, and begins anew", async () => {
    const page = await open(browser, "view=teach&language=en");
    await add(page, "ship", 1, 1);
    await add(page, "airplane", 1, 2);
    await add(page, "cat", 2, 1);
    await add(page, "dog", 2, 2);
    // The answers before are of fewer pictures.
    await seen(page, ".bars li:first-child span", "^Thing 2$");
    await click(page, en.views.why);
    await said(page, "standard-count");
    await click(page, en.views.teach);
    await seen(page, box(1, "> p"), exactly(en.teach.examples("2")));
    await seen(page, box(2, "> p"), exactly(en.teach.examples("2")));
    await show(page, "cat");
    await seen(page, ".bars li:first-child span", "^Thing 2$");
    await press(page, box(2, ".buttons button:nth-child(2)"));
    await seen(page, box(2, "> p"), exactly(en.teach.examples("0")));
    await counted(page, ".bars li", 0);
    await click(page, en.teach.anew);
    await seen(page, box(1, "> p"), exactly(en.teach.examples("0")));
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("calls what nobody named in the language of the page, and lets no two things have one name", async () => {
    const page = await open(browser, "view=teach&language=en");
    await add(page, "ship", 1, 1);
    await put(page, box(2, "input:not([type])"), "Thing 1");
    await seen(page, box(2, "[role=status]"), exactly(en.teach.taken));
    const isOff = (place: number) =>
      page.ask(
        (selector) => document.querySelector(selector)?.getAttribute("aria-disabled") === "true",
        box(place, ".buttons button"),
      );
    expect([await isOff(2), await isOff(3)]).toEqual([true, false]);
    await put(page, box(2, "input:not([type])"), "pets");
    await counted(page, box(2, "[role=status]"), 0);
    await put(page, '[data-testid="language"]', "ko");
    await seen(page, "h1", exactly(ko.title));
    expect(await names(page)).toEqual(["사물 1", "pets", "사물 3"]);
    // It is the same thing under its other name.
    await seen(page, box(1, "> p"), exactly(ko.teach.examples("1")));
    await page.close();
  });

  it("leaves the focus at the field that files came from, which takes none meanwhile", async () => {
    const page = await open(browser, "view=teach&language=en");
    await usable(page, box(1, "input[type=file]"));
    const standing = await page.ask(
      async ({ selector, learnt, word }) => {
        const field = document.querySelector<HTMLInputElement>(selector);
        if (field === null) return undefined;
        const files = async (count: number) => {
          const transfer = new DataTransfer();
          for (let i = 0; i < count; i++) {
            const sheet = new OffscreenCanvas(32, 32);
            sheet.getContext("2d")?.fillRect(0, i, 8, 8);
            transfer.items.add(new File([await sheet.convertToBlob()], `${i}.png`, { type: "image/png" }));
          }
          return transfer.files;
        };
        const [first, second] = [await files(2), await files(3)];
        const give = (given: FileList) => {
          field.files = given;
          field.dispatchEvent(new Event("change", { bubbles: true }));
        };
        field.focus();
        give(first);
        while (field.getAttribute("aria-disabled") !== "true") await new Promise((done) => setTimeout(done, 0));
        give(second);
        const kept = field.files?.length;
        while (document.querySelector(learnt)?.textContent !== word) await new Promise((done) => setTimeout(done, 20));
        return [kept, document.activeElement === field];
      },
      { selector: box(1, "input[type=file]"), learnt: box(1, "> p"), word: en.teach.examples("2") },
    );
    expect(standing).toEqual([0, true]);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("saves what was learnt as a file, which another page goes on from", async () => {
    const page = await open(browser, "view=teach&language=en");
    await put(page, box(1, "input:not([type])"), "vessels");
    await add(page, "ship", 1, 1);
    await add(page, "cat", 2, 1);
    await page.ask(() => {
      HTMLAnchorElement.prototype.click = function keep(this: HTMLAnchorElement) {
        Object.assign(window, { saved: [this.download, fetchBytes(this.href)] });
      };
      // By a request: the policy lets none reach a blob.
      function fetchBytes(href: string): Promise<readonly number[]> {
        return new Promise((done) => {
          const { blobs } = window as unknown as { readonly blobs: ReadonlyMap<string, Blob> };
          blobs
            .get(href)
            ?.arrayBuffer()
            .then((bytes) => done([...new Uint8Array(bytes)]));
        });
      }
      const blobs = new Map<string, Blob>();
      const usual = URL.createObjectURL;
      URL.createObjectURL = (blob: Blob) => {
        const href = usual.call(URL, blob);
        blobs.set(href, blob);
        return href;
      };
      Object.assign(window, { blobs });
    }, undefined);
    await click(page, en.teach.save);
    const [name, bytes] = await page.ask(async () => {
      const kept = () =>
        (window as unknown as { readonly saved?: readonly [string, Promise<readonly number[]>] }).saved;
      for (;;) {
        const saved = kept();
        if (saved !== undefined) return [saved[0], await saved[1]] as const;
        await new Promise((done) => setTimeout(done, 20));
      }
    }, undefined);
    expect(name).toBe("things.safetensors");
    await page.close();
    writeFileSync(join(folder, "things.safetensors"), Uint8Array.from(bytes));
    const other = await open(browser, "view=teach&language=en");
    await usable(other, "#taught-input");
    for (const [length, code] of [
      [0, "FILE_EMPTY"],
      [bytes.length - 8, "FILE_TRUNCATED"],
    ] as const) {
      writeFileSync(join(folder, `${code}.safetensors`), Uint8Array.from(bytes.slice(0, length)));
      await usable(other, "#taught-input");
      await other.pick("taught-input", [join(folder, `${code}.safetensors`)]);
      expect(await said(other, "error", en.faults[code])).toContain(en.faults[code]);
    }
    await usable(other, "#taught-input");
    await other.pick("taught-input", [join(folder, "things.safetensors")]);
    await seen(other, ".note", "^Learnt: vessels, Thing 2");
    expect(await names(other)).toEqual(["vessels", "Thing 2", "Thing 3"]);
    await show(other, "ship");
    await seen(other, ".bars li:first-child span", "^vessels$");
    await other.close();
  });

  it("shows all things of a file, be they more than its boxes", async () => {
    using shots = await fewShot(await cifar10(), { threads: 1 });
    const drawings = ["ship", "cat", "dog", "frog", "horse"];
    for (const name of drawings) {
      await shots.add(name, readFileSync(resolve(root, `examples/drawings/${name}.png`)));
    }
    writeFileSync(join(folder, "five.safetensors"), await shots.save());
    const page = await open(browser, "view=teach&language=en");
    await usable(page, "#taught-input");
    await page.pick("taught-input", [join(folder, "five.safetensors")]);
    await counted(page, ".things > section", 5);
    expect(await names(page)).toEqual(drawings);
    await page.close();
  });
});
