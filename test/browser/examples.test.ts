/** The pages of examples/browser: plain and bundled, with threads, without, without wasm, and without the worker. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClassifier, loadModel, mobileNetV1, saveModel } from "../../src/index.ts";
import { readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import {
  describeInChromium,
  executablePath,
  launch,
  root,
  type ServerOptions,
  serve,
  stopServers,
  watch,
} from "./chromium.ts";

const PAGES = ["plain.html", "bundled/index.html"] as const;
const ISOLATED: ServerOptions = { isolated: true };

interface Shown {
  readonly labels: readonly string[];
  readonly how: string;
  readonly error: string;
  readonly workers: number;
  readonly complaints: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), "depthwise-browser-"));
let browser: Browser;

beforeAll(async () => {
  if (executablePath === undefined) return;
  execFileSync(process.execPath, [resolve(root, "examples/browser/bundled/build.mjs")], { cwd: root });
  browser = await launch();
});
afterAll(async () => {
  stopServers();
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

describeInChromium("the pages of examples/browser", () => {
  const files = { weights: join(folder, "seeded.safetensors"), photo: join(folder, "noise.png") };
  let expected: string;

  beforeAll(async () => {
    const labels = Array.from({ length: 10 }, (_, i) => `class ${i}`);
    await saveModel(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 10, labels, seed: 7 }), files.weights);
    const noise = Uint8Array.from({ length: 90 * 70 * 3 }, (_, i) => (i * i * 31) % 251);
    await sharp(noise, { raw: { width: 90, height: 70, channels: 3 } })
      .png()
      .toFile(files.photo);
    const classifier = await createClassifier(await loadModel(files.weights));
    expected = (await classifier.classify(files.photo, { topK: 1 }))[0]?.label ?? "";
    classifier.close();
  });

  /** Opens a page on the seeded model, with two threads, and waits until it says something. */
  async function open(path: string, options: ServerOptions, missing?: string): Promise<Shown> {
    const address = await serve({ ...options, mounts: { "/files": folder } });
    const page = await browser.newPage();
    const complaints = watch(page);
    if (missing !== undefined) await page.route(missing, (route) => route.fulfill({ status: 404 }));
    const query = "weights=/files/seeded.safetensors&photo=/files/noise.png&threads=2";
    await page.goto(`${address}/examples/browser/${path}?${query}`);
    await page.locator("#how:not(:empty), #error:not(:empty)").first().waitFor({ timeout: 60_000 });
    const text = async (id: string) => (await page.locator(`#${id}`).textContent()) ?? "";
    const shown = {
      labels: await page.locator("#labels li").allInnerTexts(),
      how: await text("how"),
      error: await text("error"),
      workers: page.workers().length,
      complaints,
    };
    await page.close();
    return shown;
  }

  describe.each(PAGES)("%s", (path) => {
    it("classifies with two threads where it is isolated", async () => {
      const { labels, how, error, complaints } = await open(path, ISOLATED);
      expect({ error, complaints }).toEqual({ error: "", complaints: [] });
      expect(labels).toHaveLength(5);
      expect(labels[0]).toContain(expected);
      expect(how).toMatch(/^wasm backend, SIMD: relaxed, threads: 2, [\d.]+ ms$/);
    });

    it("classifies with one thread where it is not isolated, and says why", async () => {
      const { labels, how, complaints } = await open(path, {});
      expect(complaints).toEqual([]);
      expect(labels[0]).toContain(expected);
      expect(how).toMatch(/^wasm backend, .* threads: 1, .* ms; one thread: no shared memory .*isolated/);
    });

    it("classifies without wasm where a policy refuses it, and says why", async () => {
      const { labels, how } = await open(path, { isolated: true, noWasm: true });
      expect(labels[0]).toContain(expected);
      expect(how).toMatch(
        /^plain backend, SIMD: none, threads: 1, .* ms; plain instead of wasm: .*refuses to compile WebAssembly/,
      );
    });

    it("runs on one thread where the worker's script is missing, says why, and leaves no worker", async () => {
      const { labels, how, error, workers } = await open(path, ISOLATED, "**/worker.js");
      expect(labels[0]).toContain(expected);
      expect(how).toMatch(/threads: 1, .* ms; one thread: a worker cannot be started: .*script could not be loaded/);
      expect({ error, workers }).toEqual({ error: "", workers: 0 });
    });
  });

  it("shows a typed error for weights that are missing", async () => {
    const { error } = await open("plain.html", ISOLATED, "**/seeded.safetensors");
    expect(error).toMatch(/^FILE_NOT_FOUND: .*404/);
  });
});

interface Photograph {
  readonly file: string;
  readonly top5: Record<string, readonly { readonly label: string }[]>;
}

describeShared("photographs that a person chose", () => {
  const shared = sharedRoot ?? "";
  const images =
    sharedRoot === undefined ? [] : readJson<{ images: readonly Photograph[] }>("reference/index.json").images;

  describeInChromium("in the bundled page", () => {
    it("are named as the reference names them, one after the other", async () => {
      const page = await browser.newPage();
      const complaints = watch(page);
      await page.goto(`${await serve(ISOLATED)}/examples/browser/bundled/index.html?threads=2`);
      await page.setInputFiles("#weights", resolve(shared, "derived/mobilenet_v1_0.25_128.safetensors"));
      const wrong: string[] = [];
      for (const { file, top5 } of images) {
        await page.locator("#how").evaluate((line) => line.replaceChildren());
        await page.setInputFiles("#photo", resolve(shared, "reference", file));
        await page.locator("#how:not(:empty), #error:not(:empty)").first().waitFor();
        const [best = ""] = await page.locator("#labels li").allInnerTexts();
        const label = top5["v1-0.25-128"]?.[0]?.label ?? "";
        if (!best.startsWith(label)) wrong.push(`${file}: ${best} instead of ${label}`);
      }
      console.log(`top-1 in Chromium ${browser.version()}: ${images.length - wrong.length} of ${images.length}`);
      expect(complaints).toEqual([]);
      expect(wrong).toEqual([]);
      await page.close();
    });
  });
});
