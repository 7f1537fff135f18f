/** @slow: it builds the page. What axe-core finds of it: nothing, in two languages and two colour schemes. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { VIEWS } from "../../examples/playground/src/state.ts";
import { describeInChromium, executablePath, launch, root, stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";

interface Axe {
  run(): Promise<{
    readonly violations: readonly { readonly id: string; readonly nodes: readonly { html: string }[] }[];
  }>;
}

const axe = readFileSync(resolve(root, "node_modules/axe-core/axe.min.js"), "utf8");
let built: Awaited<ReturnType<typeof builtPage>>;
let address = "";
let browser: Browser;
beforeAll(async () => {
  if (executablePath === undefined) return;
  built = await builtPage();
  address = built.address;
  browser = await launch();
});
afterAll(async () => {
  stopServers();
  built?.[Symbol.dispose]();
  await browser?.close();
});

const cases = (["en", "ko"] as const).flatMap((language) =>
  (["light", "dark"] as const).flatMap((scheme) => VIEWS.map((view) => ({ language, scheme, view }))),
);

describeInChromium("the playground and axe-core", () => {
  it.each(cases)("$view in $language, $scheme", async ({ language, scheme, view }) => {
    const page = await browser.newPage({ colorScheme: scheme, bypassCSP: true });
    await page.goto(`${address}#view=${view}&language=${language}&question=mixing&twin=beside&budget=100&at=19`);
    await page.locator("main h2").waitFor();
    await page.locator("main .lead").first().waitFor();
    await page.addScriptTag({ content: axe });
    const { violations } = await page.evaluate(() => (window as unknown as { readonly axe: Axe }).axe.run());
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    await page.close();
  });

  it.each([360, 768, 1920])("nothing leaves a screen of %i pixels to the side", async (width) => {
    for (const language of ["en", "ko"]) {
      for (const view of VIEWS) {
        const page = await browser.newPage({ viewport: { width, height: 800 } });
        await page.goto(`${address}#view=${view}&language=${language}&question=alpha`);
        await page.locator("main .lead").first().waitFor();
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect([language, view, beyond]).toEqual([language, view, expect.toSatisfy((pixels) => pixels <= 0)]);
        await page.close();
      }
    }
  });

  it("is usable by keyboard alone: every control is reached, and seen", async () => {
    const page = await browser.newPage();
    await page.goto(`${address}#view=why&language=en`);
    await page.locator("main .lead").first().waitFor();
    const controls = await page.locator("a, button:not(:disabled), input, select, summary").count();
    const reached = new Set<string>();
    for (let press = 0; press < 2 * controls; press++) {
      await page.keyboard.press("Tab");
      const found = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return undefined;
        const { width, height } = element.getBoundingClientRect();
        const outline = getComputedStyle(element).outlineStyle;
        return { name: element.outerHTML.slice(0, 200), isSeen: width > 0 && height > 0 && outline !== "none" };
      });
      if (found === undefined) continue;
      expect(found).toMatchObject({ isSeen: true });
      reached.add(found.name);
    }
    // Of a group of radio buttons the arrows reach the others.
    expect(reached.size).toBeGreaterThan(18);
    await page.close();
  });

  it("has targets of at least 24 pixels", async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
    for (const view of VIEWS) {
      await page.goto(`${address}#view=${view}&language=en`);
      await page.locator("main .lead").first().waitFor();
      const small = await page.evaluate(() =>
        [
          ...document.querySelectorAll(
            "button, select, summary, nav a, .questions a, label:has(input[type=radio]), input[type=range]",
          ),
        ]
          .map((element) => ({ html: element.outerHTML.slice(0, 90), ...element.getBoundingClientRect().toJSON() }))
          .filter(({ width, height }) => width > 0 && Math.min(width, height) < 24)
          .map(({ html, height }) => [html, height]),
      );
      expect([view, small]).toEqual([view, []]);
    }
    await page.close();
  });
});
