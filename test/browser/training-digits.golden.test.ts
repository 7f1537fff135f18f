/**
 * @slow: it takes half a minute.
 *
 * The pilot in a browser: digits of MNIST in a worker of a page in Chromium, stopped in its middle and gone on with.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeShared, sharedRoot } from "../shared.ts";
import { BROWSERS, type TestBrowser, type TestPage } from "./browsers.ts";
import { describeWhere } from "./chromium.ts";
import { bundleTraining, type TrainingPages } from "./training-bundle.ts";
import type { DigitsAsked, DigitsLearnt } from "./training-digits.ts";

const TRAIN = 6000;
const TEST = 1000;
const EPOCHS = 2;
const STEPS = EPOCHS * Math.ceil(TRAIN / 128);

let pages: TrainingPages;
let address: string;

/** The first of a file, without its head, as a file of the page. */
function place(file: string, head: number, each: number, count: number): string {
  const bytes = gunzipSync(readFileSync(resolve(sharedRoot ?? "", "datasets/mnist", `${file}-ubyte.gz`)));
  writeFileSync(join(pages.folder, `${file}-${count}`), bytes.subarray(head, head + each * count));
  return `${file}-${count}`;
}

describeShared("digits", () => {
  beforeAll(async () => {
    pages = await bundleTraining();
    address = await pages.serve({ isolated: true });
  });
  afterAll(() => pages?.close());

  for (const kind of BROWSERS.filter(({ title }) => title === "Chromium")) {
    describeWhere(kind, "in a worker of a page", () => {
      let browser: TestBrowser;
      let page: TestPage;
      beforeAll(async () => {
        browser = await kind.launch();
        page = await browser.open(address, "learn");
      });
      afterAll(() => browser?.close());

      const learn = async (on: TestPage, asked: Omit<DigitsAsked, "train" | "test" | "type" | "epochs">) => {
        const places = {
          train: {
            pictures: place("train-images-idx3", 16, 784, TRAIN),
            labels: place("train-labels-idx1", 8, 1, TRAIN),
          },
          test: {
            pictures: place("t10k-images-idx3", 16, 784, TEST),
            labels: place("t10k-labels-idx1", 8, 1, TEST),
          },
        };
        const question = { asked: { epochs: EPOCHS, ...asked }, places };
        const ended = await on.ask((what) => window.learn(what.asked, what.places), question);
        if ("failure" in ended) throw new Error(ended.failure);
        return ended;
      };

      it("are learnt, and the same when it is stopped and goes on in another tab", async () => {
        const whole = await learn(page, { threads: 2 });
        // A busy machine may hold a page up once or twice; training on it would do so all the time.
        expect(whole.longTasks.length).toBeLessThan(3);
        expect(whole.accuracy).toBeGreaterThan(0.8);
        const stopped = await learn(page, { threads: 2, store: "digits", stopAfter: Math.floor(STEPS / 2) });
        expect(stopped.stopped).toBe("AbortError");
        const other = await browser.open(address, "learn", page);
        const resumed = await learn(other, { threads: 1, store: "digits" });
        expect(resumed.sha256).toBe(whole.sha256);
        expect(resumed.accuracy).toBe(whole.accuracy);
        console.log(`${TRAIN} digits in Chromium ${browser.version}: ${report(whole)}`);
      });
    });
  }
});

function report({ accuracy, seconds, imagesPerSecond, threads, waitedForData }: DigitsLearnt): string {
  const waited = `${(100 * waitedForData).toFixed(1)} % of it waiting for data`;
  const speed = `${seconds.toFixed(1)} s, ${imagesPerSecond.toFixed(0)} a second on ${threads} threads, ${waited}`;
  return `${(100 * accuracy).toFixed(2)} % of ${TEST}, ${EPOCHS} epochs, ${speed}`;
}
