/** Several networks in one page, in Chromium and Firefox: each answers what it answers alone in Node. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VARIANTS } from "../session/several-networks.ts";
import { expectAnswers, FILES, referenceLogits, SHARED_SPECS, SPECS } from "../session/several-networks-expected.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import { root, serve, stopServers } from "./chromium.ts";

const derived = resolve(sharedRoot ?? "", "derived");
const folder = mkdtempSync(join(tmpdir(), "depthwise-several-"));
let addresses: Readonly<Record<"made" | "shared", string>>;

beforeAll(async () => {
  await build({
    absWorkingDir: root,
    entryPoints: { page: resolve(import.meta.dirname, "several-networks-page.ts"), worker: "depthwise/worker" },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: folder,
    logLevel: "error",
  });
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  mkdirSync(join(folder, "files"));
  for (const [name, bytes] of FILES) writeFileSync(join(folder, "files", name), bytes);
  const [made, shared] = await Promise.all([
    serve({ isolated: true, mounts: { "/several": folder } }),
    serve({
      isolated: true,
      mounts: { ...(sharedRoot === undefined ? {} : { "/several/files": derived }), "/several": folder },
    }),
  ]);
  addresses = { made: `${made}/several/index.html`, shared: `${shared}/several/index.html` };
});
afterAll(() => {
  stopServers();
  rmSync(folder, { recursive: true, force: true });
});

describeInBrowsers("several networks in one page", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch();
  });
  afterAll(() => browser?.close());

  async function inPage(address: string, look: (page: TestPage) => Promise<void>): Promise<void> {
    const page = await browser.open(address, "fillMany");
    try {
      await look(page);
      expect(page.complaints).toEqual([]);
    } finally {
      await page.close();
    }
  }

  it.each([false, true])("packs depthwise weights where they belong, however often; shared memory: %s", (shared) =>
    inPage(addresses.made, async (page) => {
      const report = await page.ask((asked) => window.packMany(asked), { calls: 3000, shared });
      expect(report).toEqual({ wrong: 0, first: undefined });
      const { first } = await page.ask((calls) => window.fillMany(calls), 3000);
      const state = first === undefined ? "right" : `wrong from call ${first} on`;
      console.log(`the value of subarray().fill() in ${kind.title} ${browser.version}: ${state}`);
    }),
  );

  const variants = VARIANTS.map((variant) => [`simd ${variant.simd}, ${variant.threads} threads`, variant] as const);

  describe("built, and from files as saveModel writes them", () => {
    let expected: Map<string, number[]>;
    beforeAll(async () => {
      expected = await referenceLogits(SPECS);
    });

    it.each(variants)("answer as each alone: %s", (_name, variant) =>
      inPage(addresses.made, async (page) => {
        const answers = await page.ask((asked) => window.runSeveral(asked), { specs: SPECS, variant });
        expectAnswers(answers, expected, variant);
      }),
    );
  });

  describeShared("from files beside the project", () => {
    let expected: Map<string, number[]>;
    beforeAll(async () => {
      expected = await referenceLogits(SHARED_SPECS, derived);
    });

    it.each(variants)("answer as each alone: %s", (_name, variant) =>
      inPage(addresses.shared, async (page) => {
        const answers = await page.ask((asked) => window.runSeveral(asked), { specs: SHARED_SPECS, variant });
        expectAnswers(answers, expected, variant);
      }),
    );
  });
});
