/** @slow: it builds the page. What axe-core finds of it: nothing, in two languages and two colour schemes. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { VIEWS } from "../../examples/playground/src/state.ts";
import { describeInChromium, executablePath, launch, root, stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";
import { en, ko } from "./words.ts";

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

/** What axe-core finds in a page as it is now. It is put there by the browser: the page's policy stands. */
async function violations(page: Page): Promise<readonly (readonly [id: string, html: string | undefined])[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(() => (window as unknown as { readonly axe: Axe }).axe.run());
  return found.violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
}

const schemes = (["en", "ko"] as const).flatMap((language) =>
  (["light", "dark"] as const).map((scheme) => ({ language, scheme })),
);
const cases = (["en", "ko"] as const).flatMap((language) =>
  (["light", "dark"] as const).flatMap((scheme) => VIEWS.map((view) => ({ language, scheme, view }))),
);

describeInChromium("the playground and axe-core", () => {
  it.each(cases)("$view in $language, $scheme", async ({ language, scheme, view }) => {
    const page = await browser.newPage({ colorScheme: scheme });
    await page.goto(`${address}#view=${view}&language=${language}&question=mixing&twin=beside&budget=100&at=19`);
    await page.locator("main h2").waitFor();
    await page.locator("main .lead").first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.close();
  });

  it.each(schemes)("finds nothing in what comes later, in $language, $scheme", async ({ language, scheme }) => {
    const words = { en, ko }[language];
    const page = await browser.newPage({ colorScheme: scheme });
    const show = async (hash: string) => {
      await page.goto("about:blank");
      await page.goto(`${address}#language=${language}&${hash}`);
      await page.locator("main .lead").first().waitFor();
    };
    const found: unknown[] = [];
    const look = async (where: string) => found.push(...(await violations(page)).map((one) => [where, ...one]));
    await show("view=try&model=cifar10");
    await page.getByAltText(words.tryIt.drawingOf("ship")).click();
    await page.locator("canvas.overlay").waitFor();
    await page.locator("details pre").evaluate((text) => text.closest("details")?.setAttribute("open", ""));
    await look("bars, maps and what is known");
    await page.setInputFiles("#photo-input", {
      name: "a.jpg",
      mimeType: "image/jpeg",
      buffer: Buffer.from("no picture"),
    });
    await page.locator(".trouble").waitFor();
    await look("an error");
    await show("view=speed&alpha=0.25&resolution=96");
    await page.locator("button.main").click();
    await page.locator(".result").waitFor();
    await look("what was measured");
    await show("view=widths&twin=beside");
    await page.locator("figure details").first().waitFor();
    for (const table of await page.locator("figure summary").all()) await table.click();
    await look("tables of pictures");
    await show("view=teach");
    for (const [place, name] of ["ship", "cat"].entries()) {
      await page.getByAltText(words.tryIt.drawingOf(name)).click();
      await page.locator(".things .buttons button:first-child:not([aria-disabled=true])").nth(place).click();
      await page
        .locator(".things > section > p", { hasText: words.teach.examples("1") })
        .nth(place)
        .waitFor();
    }
    await page.locator(".bars li").first().waitFor();
    await look("what was taught");
    await show("view=why&mixing=off&changed=1&at=30");
    await page.locator("summary").first().click();
    await look("questions");
    expect(found).toEqual([]);
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

  it("cuts no word of a table on a narrow screen", async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
    await page.goto(`${address}#view=speed&language=ko&alpha=0.25&resolution=96`);
    await page.locator("button.main").click();
    await page.locator(".result").waitFor();
    const heights = await page
      .locator("table:last-of-type tbody tr")
      .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
    expect(heights.length).toBeGreaterThan(20);
    // Two lines at most.
    expect(Math.max(...heights)).toBeLessThan(60);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    await page.close();
  });

  it.each(VIEWS)("is usable by keyboard alone: every control of %s is reached, and seen", async (view) => {
    const page = await browser.newPage();
    await page.goto(`${address}#view=${view}&language=en&question=alpha&at=5`);
    await page.locator("main .lead").first().waitFor();
    // All that can be used now, numbered: of a group of radio buttons the chosen one, from which the arrows reach the others.
    const controls = await page.evaluate(() => {
      const found = [...document.querySelectorAll<HTMLElement>("a, button, input, select, summary")].filter(
        (one) => one.checkVisibility() && !one.matches(":disabled, [type=radio]:not(:checked)"),
      );
      for (const [index, one] of found.entries()) one.dataset["control"] = String(index);
      return found.map((one) => one.outerHTML.slice(0, 120));
    });
    const reached = new Set<number>();
    for (let press = 0; press < 2 * controls.length && reached.size < controls.length; press++) {
      await page.keyboard.press("Tab");
      const found = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement | null;
        if (element?.dataset["control"] === undefined) return undefined;
        const { width, height } = element.getBoundingClientRect();
        const outline = getComputedStyle(element).outlineStyle;
        return { place: Number(element.dataset["control"]), isSeen: width > 0 && height > 0 && outline !== "none" };
      });
      if (found === undefined) continue;
      expect([controls[found.place], found.isSeen]).toEqual([controls[found.place], true]);
      reached.add(found.place);
    }
    expect(controls.filter((_, place) => !reached.has(place))).toEqual([]);
    expect(controls.length).toBeGreaterThan(8);
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
