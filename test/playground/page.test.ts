/** @slow: it builds the page, and walks through its first three sections, its questions and its address in two browsers. */

import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ANSWERS } from "../../examples/playground/src/answers.ts";
import { hashOf, type QuestionName, usualState } from "../../examples/playground/src/state.ts";
import { courseOf } from "../../examples/playground/src/why/cursor.ts";
import { lessonOf } from "../../examples/playground/src/why/lesson.ts";
import { cost, withinBudget } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { conv2d, depthwise, pointwise, sequential } from "../../src/layers/index.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "../browser/browsers.ts";
import { stopServers } from "../browser/chromium.ts";
import { builtPage } from "./built.ts";
import { address, click, count, counted, evident, exactly, focused, number, put, said, seen } from "./driver.ts";
import { en, ko } from "./words.ts";

let built: Awaited<ReturnType<typeof builtPage>>;
beforeAll(async () => {
  built = await builtPage();
});
afterAll(() => {
  stopServers();
  built?.[Symbol.dispose]();
});

/** Opens the page with a state. */
async function open(browser: TestBrowser, hash: string): Promise<TestPage> {
  return browser.open(`${built.address}#${hash}`, "document");
}

/** 200 settings, by counting. */
const SETTINGS = Array.from({ length: 200 }, (_, i) => {
  const at = (count: number, seed: number) => Math.floor(((i + 1) * seed) / 7) % count;
  const kernelSize = 1 + at(5, 17);
  return {
    kernelSize,
    inputChannels: 1 + at(4, 29),
    filters: 1 + at(8, 41),
    size: Math.max(kernelSize, 3 + at(5, 53)),
    stride: 1 + at(2, 61),
    padding: at(2, 71) === 0 ? ("same" as const) : ("valid" as const),
    multiplier: 1 + at(2, 83),
  };
});

/** Firefox refuses more addresses than so many in ten seconds. Drivers of browsers turn that off. */
const AS_FOR_PEOPLE = { "dom.navigation.navigationRateLimit.count": 200 };

/** What a page answers that is perhaps still being loaded anew. */
async function reloaded<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await question();
    } catch (error) {
      // The page that was asked is gone.
      if (!/context|navigat|realm|frame|destroyed/i.test(String(error))) throw error;
    }
  }
}

describeInBrowsers("the playground", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch(AS_FOR_PEOPLE);
  });
  afterAll(() => browser?.close());

  it("counts as cost does, for 200 settings", async () => {
    const half = SETTINGS.length / 2;
    for (const settings of [SETTINGS.slice(0, half), SETTINGS.slice(half)]) {
      const page = await open(browser, "view=why&language=en");
      await said(page, "standard-count");
      for (const given of settings) {
        const hash = hashOf({ ...usualState("en"), ...given, at: 1_000_000 });
        const shown = await page.ask(async (hash) => {
          location.hash = hash;
          // The way to this section is written with the state that is shown.
          const isShown = () => document.querySelector<HTMLAnchorElement>("nav a[aria-current]")?.hash === hash;
          while (!isShown()) await new Promise((done) => setTimeout(done, 5));
          const text = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`)?.textContent ?? "";
          return [text("standard-count"), text("separable-count"), text("ratio")];
        }, hash);
        const { kernelSize, inputChannels, filters, size, stride, padding, multiplier } = given;
        const inputShape = [size, size, inputChannels] as const;
        const window = { kernel: kernelSize, stride, padding, bias: false };
        const multAdds = (layers: Parameters<typeof sequential>[1]) =>
          cost(sequential({ inputShape }, layers)).totals.multAdds ?? 0;
        const standard = multAdds([conv2d({ ...window, filters })]);
        const pair = multAdds([depthwise({ ...window, multiplier }), pointwise({ filters, bias: false })]);
        const wanted = [standard, pair, Number((pair / standard).toFixed(4))];
        expect([given, shown.map(number)]).toEqual([given, wanted]);
      }
      expect(page.complaints).toEqual([]);
      await page.close();
    }
  });

  it("steps forward and back by the same cursor, and keeps its place in the address", async () => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count", "^0$");
    for (let step = 0; step < 19; step++) await click(page, "Next multiplication");
    expect([await said(page, "standard-count"), await said(page, "separable-count")]).toEqual(["18", "19"]);
    await click(page, "One multiplication back");
    expect([await said(page, "standard-count"), await said(page, "separable-count")]).toEqual(["18", "18"]);
    await address(page, "at=18");
    await click(page, "Next output cell");
    expect([await said(page, "standard-count", "18"), await said(page, "separable-count", "20")]).toEqual(["18", "20"]);
    await page.close();
  });

  it("plays to the end and stops there, pauses, is scrubbed, and is read out when it is stepped", async () => {
    const { moments } = courseOf(lessonOf(usualState("en")), true);
    const page = await open(browser, `view=why&language=en&at=${moments - 3}`);
    const isRead = () => page.ask(() => document.querySelector(".sentence")?.getAttribute("aria-live"), undefined);
    await said(page, "standard-count");
    expect(await isRead()).toBe("polite");
    await click(page, "Play");
    await counted(page, '.sentence[aria-live="off"]', 2);
    await said(page, "standard-count", "1,800");
    await counted(page, '.sentence[aria-live="polite"]', 2);
    await put(page, ".transport input", "4");
    expect([await said(page, "standard-count", "^4$"), await said(page, "separable-count")]).toEqual(["4", "4"]);
    expect(await seen(page, ".sentence")).toMatch(/^Standard convolution: −?\d+ × −?\d+ = −?\d+; sum so far −?\d+$/);
    await click(page, "Play");
    await said(page, "standard-count", "^([5-9]|\\d\\d)$");
    await click(page, "Pause");
    await counted(page, '.transport button[aria-label="Play"]', 1);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("has an address that browsers take, however fast the cursor moves", async () => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count");
    await page.ask(async () => {
      const slider = document.querySelector<HTMLInputElement>(".transport input");
      for (let at = 1; at <= 300; at++) {
        if (slider === null) return;
        slider.value = String(at);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        // The page has drawn it, and its effects have run, before the next one.
        while (
          document.querySelector<HTMLElement>("nav a[aria-current]")?.getAttribute("href")?.includes(`at=${at}`) !==
          true
        )
          await new Promise((done) => setTimeout(done, 0));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
      }
    }, undefined);
    await address(page, "at=300");
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("plays the depthwise step alone where there is no pointwise one", async () => {
    const { counts } = lessonOf(usualState("en"));
    for (const [at, made] of [
      [0, 0],
      [19, 18],
      [1_000_000, counts.depthwise],
    ] as const) {
      const page = await open(browser, `view=why&language=en&mixing=off&at=${at}`);
      expect(number(await said(page, "separable-count"))).toBe(made);
      expect(await said(page, "ratio")).toBe((counts.depthwise / counts.standard).toFixed(4));
      // D_F² numbers of M maps, each of D_K² multiplications.
      const filled = await page.ask(() => {
        const maps = [...document.querySelectorAll(".route")][1]?.querySelectorAll(".row");
        return [...(maps?.[2]?.querySelectorAll(".cells span") ?? [])].filter((cell) => cell.textContent !== "").length;
      }, undefined);
      expect(filled).toBe(Math.floor(made / 9));
      const [, sentence] = await page.ask(
        () => [...document.querySelectorAll(".sentence")].map(({ textContent }) => textContent),
        undefined,
      );
      expect(sentence).toMatch(at === 0 ? /Nothing multiplied yet/ : /Done at this place\./);
      await page.close();
    }
  });

  it("shows that depthwise alone mixes no channels, from the list of questions", async () => {
    const page = await open(browser, "view=try&language=en");
    await click(page, en.questions.title);
    await click(page, "Why does depthwise alone not mix channels?");
    const changed = await seen(page, ".changed");
    expect(changed).toBe("Other numbers in the input: channel 1; in the output: channel 1.");
    await click(page, "on: channels are mixed");
    expect(await seen(page, ".changed", ", ")).toMatch(/output: channel 1, channel 2, channel 3, channel 4\.$/);
    // At the end of this course too: all outputs are there to be seen.
    expect(await said(page, "standard-count", "^972$")).toBe("972");
    expect(await said(page, "separable-count")).toBe("351");
    await page.close();
  });

  it.each([
    ["en", en, 1366, 768],
    ["ko", ko, 360, 800],
  ] as const)(
    "leads from each of ten questions to what answers it, in the viewport, and back to the list, in %s",
    async (language, words, width, height) => {
      const page = await open(browser, `view=try&language=${language}`);
      await page.resize(width, height);
      expect(Object.keys(ANSWERS)).toHaveLength(10);
      for (const name of Object.keys(ANSWERS) as QuestionName[]) {
        const ask = words.questions.list[name].ask.replaceAll(/D_([FK])/g, "D$1");
        await click(page, words.questions.title);
        await click(page, ask);
        expect(await focused(page, exactly(ask))).toBe(ask);
        expect(await evident(page, name)).not.toBe("");
        const view = words.views[ANSWERS[name].view ?? "why"];
        expect(await seen(page, "main h2", exactly(view))).toBe(view);
        expect(await page.ask(() => document.title, undefined)).toBe(`${view} · ${words.title}`);
        await click(page, words.close);
        expect(await focused(page, exactly(words.questions.title))).toBe(words.questions.title);
        expect(await count(page, ".answer")).toBe(0);
      }
      expect(page.complaints).toEqual([]);
      await page.close();
    },
  );

  it("shows the evidence of an answer that comes with the address, and leaves the focus alone", async () => {
    const page = await open(browser, hashOf({ ...usualState("en"), ...ANSWERS.memory, question: "memory" }).slice(1));
    expect(await evident(page, "memory")).toContain(en.widths.peak);
    expect(await page.ask(() => document.activeElement === document.body, undefined)).toBe(true);
    await page.close();
  });

  it.each([
    [true, "instant"],
    [false, "smooth"],
  ] as const)("moves to the evidence at once for those who want less motion: %s", async (isWanted, behavior) => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count");
    await page.ask((isWanted) => {
      Object.assign(window, {
        moves: [],
        matchMedia: (query: string) => ({ matches: isWanted && query.includes("reduced-motion") }),
      });
      Element.prototype.scrollIntoView = (options) => {
        (window as unknown as { moves: unknown[] }).moves.push(options);
      };
    }, isWanted);
    await click(page, en.questions.list.mixing.ask);
    await seen(page, ".answer h3");
    expect(await page.ask(() => (window as unknown as { moves: unknown[] }).moves, undefined)).toEqual([
      { block: "end", behavior },
    ]);
    await page.close();
  });

  it("keeps the focus on a button that has gone as far as it can, and goes nowhere by it", async () => {
    const page = await open(browser, "view=why&language=en&at=3");
    await said(page, "standard-count");
    const press = (label: string) =>
      page.ask(async (label) => {
        const button = () => document.querySelector<HTMLElement>(`.transport button[aria-label="${label}"]`);
        button()?.focus();
        button()?.click();
        while (button()?.getAttribute("aria-disabled") !== "true") await new Promise((done) => setTimeout(done, 20));
        // Browsers take the focus from what is off before the next frame.
        for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
        button()?.click();
        return document.activeElement?.getAttribute("aria-label");
      }, label);
    expect(await press("To the end")).toBe("To the end");
    expect(await said(page, "standard-count")).toBe("1,800");
    expect(await press("To the beginning")).toBe("To the beginning");
    expect(await said(page, "standard-count")).toBe("0");
    await page.close();
  });

  it("marks in both routes what a changed channel changes", async () => {
    const page = await open(browser, "view=why&language=en&changed=1&at=1000000");
    await seen(page, ".changed");
    const marked = await page.ask(
      () =>
        ["letters", "channels"].map((question) =>
          [...document.querySelectorAll(`[data-evidence~="${question}"] .cells`)].map((grid) =>
            [...grid.children].map((cell) => cell.classList.contains("other")).join(),
          ),
        ),
      undefined,
    );
    expect(marked[0]).toEqual(marked[1]);
    expect(marked[0]).toHaveLength(4);
    for (const grid of marked[0] ?? []) expect(grid).toContain("true");
    await page.close();
  });

  it("follows a link though the address is written anew before it is heard of", async () => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count");
    await page.ask(() => {
      const before = location.href;
      location.hash = "view=widths&language=en";
      // As the page itself does, some time after each change of what it shows.
      history.replaceState(null, "", before);
    }, undefined);
    expect(await said(page, "mult-adds")).toMatch(/^[\d,]+$/);
    await page.close();
  });

  it("drops an answer when a slider makes it untrue", async () => {
    const page = await open(browser, "view=why&language=en&question=letters&inputChannels=3&filters=5");
    await seen(page, ".answer h3");
    await put(page, ".control:nth-child(3) input", "4");
    await counted(page, ".answer", 0);
    await address(page, "filters=4|^(?!.*filters)");
    await page.close();
  });

  it("changes its language at the control", async () => {
    const page = await open(browser, "view=widths&language=en");
    await said(page, "language");
    await put(page, '[data-testid="language"]', "ko");
    expect(await seen(page, "h1", exactly(ko.title))).toBe(ko.title);
    expect(await page.ask(() => [document.documentElement.lang, document.title], undefined)).toEqual([
      "ko",
      `${ko.views.widths} · ${ko.title}`,
    ]);
    await address(page, "language=ko");
    await page.close();
  });

  it("shows what α and ρ cost, in both languages, by the rule that is chosen, beside the twin", async () => {
    const page = await open(browser, "view=widths&language=ko&alpha=0.5&resolution=160");
    const model = mobileNetV1({ alpha: 0.5, resolution: 160 });
    const { totals } = cost(model);
    expect(number(await said(page, "mult-adds"))).toBe(totals.multAdds);
    expect(number(await said(page, "parameters"))).toBe(totals.parameters);
    expect(await page.ask(() => document.documentElement.lang, undefined)).toBe("ko");
    await put(page, ".select select", "hardware");
    const twice = 2 * totals.multAdds!;
    expect(number(await said(page, "mult-adds", exactly(twice.toLocaleString("en-US"))))).toBe(twice);
    expect(await seen(page, ".select .note")).toBe(ko.widths.conventions.hardware);
    await click(page, ko.widths.twinOn);
    const twin = cost(mobileNetV1({ alpha: 0.5, resolution: 160, standardConvolution: true }), {
      convention: "hardware",
    });
    await seen(page, '[data-testid="mult-adds"] + td', exactly(twin.totals.multAdds!.toLocaleString("en-US")));
    await seen(page, '[data-testid="peak"] + td', exactly(totals.peakActivationBytes.toLocaleString("en-US")));
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("chooses by a budget from either table, on the Pareto front, whose numbers stand in a table", async () => {
    const page = await open(browser, "view=widths&language=en&budget=100");
    for (const table of ["imagenet", "cifar10"] as const) {
      await click(page, en.widths[table]);
      const { best, front } = withinBudget({ multAdds: 100e6, table });
      await seen(page, "[role=status]", exactly(en.widths.best(best!.name, `${best!.top1.toFixed(1)} %`)));
      // Every network on the front has a row, which its name heads.
      const rows = await page.ask(
        () => [...document.querySelectorAll("figure:last-of-type tbody th[scope=row]")].map((cell) => cell.textContent),
        undefined,
      );
      for (const { name } of front) expect(rows).toContain(name);
    }
    const budget = 'section[aria-label="Accuracy against cost"] input[type=range]';
    await put(page, budget, "1");
    const { best } = withinBudget({ multAdds: 20e6, table: "cifar10" });
    await seen(
      page,
      "[role=status]",
      exactly(best === undefined ? en.widths.nothing : en.widths.best(best.name, `${best.top1.toFixed(1)} %`)),
    );
    await put(page, budget, "0");
    await counted(page, "[role=status]", 0);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it("measures both networks, and shows that at the size at which it was measured alone", async () => {
    const page = await open(browser, "view=speed&language=en&alpha=0.25&resolution=96");
    await click(page, en.speed.start);
    await seen(page, ".result");
    await put(page, '[data-testid="rho"]', "1");
    await seen(page, "button.main", exactly(en.speed.start));
    expect(await count(page, ".result")).toBe(0);
    await put(page, '[data-testid="rho"]', "0");
    const result = await seen(page, ".result");
    const [, work, time] = /^([\d.]+) times fewer multiplications, ([\d.]+) times faster\.$/.exec(result) ?? [];
    const reasons = await seen(page, ".lead", "of what this machine|Of what this machine");
    const shares = [...reasons.matchAll(/(\d+) %/g)].map(([, share]) => Number(share));
    expect(shares).toHaveLength(2);
    expect(reasons).toContain(`${work} times faster`);
    // What is said follows what was measured.
    const gain = Number(time) / Number(work);
    if (gain < 0.94) expect(reasons).toContain(en.speed.gains.less);
    if (gain > 1.06) expect(reasons).toContain(en.speed.gains.more);
    // FLOP per byte: the first layer, 96 × 96 × 3 in, 48 × 48 × 8 out.
    const bytes = 4 * (96 * 96 * 3 + 27 * 8 + 8 + 48 * 48 * 8);
    const intensity = ((2 * 27 * 8 * 48 * 48) / bytes).toFixed(1);
    const cells = await page.ask(
      () =>
        [...document.querySelectorAll("table:last-of-type tbody tr")].map((row) =>
          [...row.children].map((cell) => cell.textContent),
        ),
      undefined,
    );
    expect(cells.find(([name]) => name === "conv1")?.[4]).toBe(intensity);
    await page.close();
  });

  it("says that a section could not be loaded, and loads it when asked again", async () => {
    const assets = join(built.folder, "assets");
    const hidden = readdirSync(assets).filter((name) => /^view-.*\.js$/.test(name));
    const page = await open(browser, "view=why&language=ko");
    await said(page, "standard-count");
    for (const name of hidden) renameSync(join(assets, name), join(assets, `${name}.away`));
    try {
      await click(page, ko.views.widths);
      expect(await said(page, "error")).toContain(ko.faults.PART_MISSING);
      expect(await count(page, "main > [role=status]")).toBe(0);
      expect(
        await page.ask(() => document.querySelector('[data-testid="error"] p')?.getAttribute("lang"), undefined),
      ).toBe("en");
    } finally {
      for (const name of hidden) renameSync(join(assets, `${name}.away`), join(assets, name));
    }
    await click(page, ko.retry);
    await reloaded(() => said(page, "mult-adds"));
    await page.close();
  });

  it("has a policy that refuses scripts and styles of others, and all other places", async () => {
    const page = await open(browser, "view=why&language=en");
    await said(page, "standard-count");
    const refused = await page.ask(async () => {
      const found = new Set<string>();
      addEventListener("securitypolicyviolation", ({ effectiveDirective }) => found.add(effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "globalThis.wasRun = true";
      const style = document.createElement("style");
      style.textContent = "body { color: red }";
      document.head.append(script, style);
      document.body.setAttribute("style", "color: red");
      new Image().src = "https://example.invalid/picture.png";
      await fetch("https://example.invalid/").catch(() => undefined);
      const wanted = ["script-src-elem", "style-src-elem", "style-src-attr", "img-src", "connect-src"];
      // Firefox and Chromium name some by the directive that they fall back to.
      const isRefused = (name: string) => found.has(name) || found.has(name.replace(/-(elem|attr)$/, ""));
      while (!wanted.every(isRefused)) await new Promise((done) => setTimeout(done, 20));
      return { wasRun: "wasRun" in globalThis, isRed: getComputedStyle(document.body).color === "rgb(255, 0, 0)" };
    }, undefined);
    expect(refused).toEqual({ wasRun: false, isRed: false });
    await page.close();
  });
});
