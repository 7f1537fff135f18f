/** Training in Chromium and Firefox, on a page and in its worker: the bits of Node, on as many threads as there may be. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import type { ServerOptions } from "./chromium.ts";
import { bundleTraining, type TrainingPages } from "./training-bundle.ts";
import { type StepsAsked, tenSteps } from "./training-steps.ts";

const places = {
  isolated: { isolated: true },
  "not isolated": {},
  "without wasm": { isolated: true, noWasm: true },
} as const satisfies Record<string, ServerOptions>;
const addresses: Record<string, string> = {};

let pages: TrainingPages;
beforeAll(async () => {
  pages = await bundleTraining();
  for (const [place, options] of Object.entries(places)) addresses[place] = await pages.serve(options);
});
afterAll(() => pages?.close());

describe("ten steps of training in Node", () => {
  it("give the same bits on one, two and four threads", async () => {
    const [one, two, four] = [await inNode(1), await inNode(2), await inNode(4)];
    expect(two).toEqual({ ...one, threads: 2 });
    expect(four).toEqual({ ...one, threads: 4 });
    console.log(`ten steps in Node ${process.versions.node}, plain SIMD: ${one.sha256}`);
  });
});

const known = new Map<number, ReturnType<typeof tenSteps>>();
function inNode(threads: number) {
  const found = known.get(threads) ?? tenSteps({ type: "steps", threads, simd: "plain" });
  known.set(threads, found);
  return found;
}

/** Other roundings grow from step to step: the first ones are compared. */
async function expectNear(losses: readonly number[]): Promise<void> {
  for (const [step, loss] of (await inNode(1)).losses.slice(0, 3).entries()) expect(losses[step]).toBeCloseTo(loss, 3);
}

describeInBrowsers("training", (kind) => {
  let browser: TestBrowser;
  const open: Partial<Record<keyof typeof places, TestPage>> = {};
  beforeAll(async () => {
    browser = await kind.launch();
  });
  afterAll(() => browser?.close());

  const ask = async (
    place: keyof typeof places,
    { where, ...asked }: Omit<StepsAsked, "type"> & { readonly where: "page" | "worker" },
  ) => {
    const page = open[place] ?? (await browser.open(addresses[place] ?? "", "train"));
    open[place] = page;
    const question = { asked: { type: "steps", ...asked } as const, where };
    const answer = await page.ask(({ asked, where }) => window.train(asked, where), question);
    if ("failure" in answer) throw new Error(answer.failure);
    return { answer, complaints: page.complaints };
  };
  /** There a worker makes none. */
  const isFirefox = kind.title === "Firefox";

  describe.each(["page", "worker"] as const)("in the %s", (where) => {
    it.each([1, 2])("has the bits of Node on %s threads, with plain SIMD", async (threads) => {
      const { answer, complaints } = await ask("isolated", { where, threads, simd: "plain" });
      const { reasons, ...expected } = await inNode(1);
      const isAlone = threads === 1 || (isFirefox && where === "worker");
      expect(answer).toMatchObject({ ...expected, threads: isAlone ? 1 : 2 });
      if (isAlone && threads > 1) expect(answer.reasons).toMatch(/^one thread: .*Firefox/);
      else expect(answer.reasons).toBe(reasons);
      expect(complaints).toEqual([]);
    });

    it("runs with the SIMD that there is, and the bits of one thread on two", async () => {
      const one = await ask("isolated", { where, threads: 1 });
      const two = await ask("isolated", { where, threads: 2 });
      expect(two.answer.sha256).toBe(one.answer.sha256);
      expect(one.answer.backend).toBe("wasm");
      await expectNear(one.answer.losses);
    });

    it("takes one thread where the page is not isolated, and says why", async () => {
      const { answer, complaints } = await ask("not isolated", { where, threads: 2, simd: "plain" });
      expect(answer).toMatchObject({ sha256: (await inNode(1)).sha256, threads: 1 });
      expect(answer.reasons).toMatch(/one thread: no shared memory here .*isolated/);
      expect(complaints).toEqual([]);
    });

    it("trains in plain loops where a policy refuses wasm, and says why", async () => {
      const { answer } = await ask("without wasm", { where, threads: 2 });
      expect(answer).toMatchObject({ backend: "reference", simd: "none", threads: 1 });
      expect(answer.reasons).toMatch(
        /plain instead of wasm: .*refuses to compile WebAssembly.*reference instead of plain/,
      );
      await expectNear(answer.losses);
    });
  });

  it("leaves no worker", async () => {
    for (const page of Object.values(open)) await expect.poll(() => page.workers(), { timeout: 60_000 }).toBe(0);
  });
});
