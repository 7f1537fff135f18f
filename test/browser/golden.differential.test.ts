/** The golden networks on the wasm backend in Chromium and Firefox: plain and relaxed SIMD, one, two and four threads. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { MobileNetV1Options } from "../../src/models/index.ts";
import { readIntegers, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import { root, serve, stopServers } from "./chromium.ts";
import type { Expected, GoldenNetwork } from "./golden-page.ts";

interface Case {
  readonly name: string;
  readonly options: MobileNetV1Options & { readonly architecture: string; readonly inputShape: readonly number[] };
  readonly input: { readonly shape: number[]; readonly seed: number; readonly low: number; readonly high: number };
  readonly parameters: readonly [string, number[], number, number, number, ...unknown[]][];
  readonly taps: readonly {
    readonly name: string;
    readonly indices: TensorReference;
    readonly values: TensorReference;
    readonly tolerance: number;
  }[];
  readonly outputs: Record<string, TensorReference>;
  readonly tolerance: Record<string, number>;
}

const folder = "golden/models";

function toGolden({ options, input, parameters, taps, outputs, tolerance }: Case): GoldenNetwork {
  const { architecture: _, inputShape, ...rest } = options;
  const [height = 0, width = 0, inputChannels = 0] = inputShape;
  const values = (reference: TensorReference) => [...readTensor(folder, reference).data];
  return {
    options: { ...rest, inputSize: [height, width], inputChannels },
    parameters: parameters.map(([name, shape, seed, low, high]) => [name, shape, seed, low, high]),
    input: [input.shape, input.seed, input.low, input.high],
    taps: taps.map((tap): Expected => ({ ...tap, at: readIntegers(folder, tap.indices), values: values(tap.values) })),
    outputs: Object.entries(outputs).map(
      ([name, reference]): Expected => ({ name, values: values(reference), tolerance: tolerance[name] ?? 0 }),
    ),
  };
}

const pages = mkdtempSync(join(tmpdir(), "depthwise-golden-page-"));
let address: string;

beforeAll(async () => {
  await build({
    absWorkingDir: root,
    entryPoints: { page: resolve(import.meta.dirname, "golden-page.ts"), worker: "depthwise/worker" },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: pages,
    logLevel: "error",
  });
  writeFileSync(join(pages, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  address = await serve({ isolated: true, mounts: { "/golden": pages } });
});
afterAll(() => {
  stopServers();
  rmSync(pages, { recursive: true, force: true });
});

describeInBrowsers("wasm", (kind) => {
  let browser: TestBrowser;
  let page: TestPage;

  beforeAll(async () => {
    browser = await kind.launch();
    page = await browser.open(`${address}/golden/index.html`, "openAndClose");
  });
  afterAll(() => browser?.close());

  describeShared("golden V1 networks", () => {
    const cases = sharedRoot === undefined ? [] : readJson<{ cases: readonly Case[] }>(`${folder}/index.json`).cases;
    let passed = 0;

    it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, golden) => {
      const reports = await page.ask((network) => window.runGolden(network), toGolden(golden));
      expect(reports).toHaveLength(6);
      for (const { variant, threads, simd, fromGolden, fromReference, sameBits } of reports) {
        expect(`${simd}, ${threads} threads`).toBe(variant);
        expect(fromGolden, variant).toBeLessThanOrEqual(1);
        expect(fromReference, variant).toBeLessThanOrEqual(1);
        expect(sameBits, variant).toBe(true);
      }
      passed++;
    });

    afterAll(() => {
      console.log(`golden networks in ${kind.title} ${browser.version}: ${passed} of ${cases.length}, 6 variants each`);
      expect(passed).toBe(cases.length);
    });
  });

  it("sessions open and close fifty times with threads; a run after close rejects, one in the middle ends", async () => {
    const report = await page.ask((times) => window.openAndClose(times), 50);
    expect(report).toMatchObject({ threads: 2, sameBits: true, afterClose: "SESSION_CLOSED" });
    expect(["ran", "SESSION_CLOSED"]).toEqual(expect.arrayContaining([...report.closedInTheMiddle]));
    // The browser tells of a worker's end a little later.
    await expect.poll(() => page.workers(), { timeout: 60_000 }).toBe(0);
    expect(page.complaints).toEqual([]);
  });
});
