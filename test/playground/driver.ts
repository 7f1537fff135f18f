/** Driving the page: each waits for a state of it, and none for a time. */

import type { TestPage } from "../browser/browsers.ts";

/** Waits until an element that a selector names says something; gives what it says. */
export function seen(page: TestPage, selector: string, pattern = "."): Promise<string> {
  return page.ask(
    async ({ selector, pattern }) => {
      const wanted = new RegExp(pattern);
      for (;;) {
        for (const element of document.querySelectorAll<HTMLElement>(selector)) {
          const text = element.textContent.trim();
          if (wanted.test(text)) return text;
        }
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    { selector, pattern },
  );
}

/** The same of what scripts know by a name. */
export function said(page: TestPage, id: string, pattern = "."): Promise<string> {
  return seen(page, `[data-testid="${id}"]`, pattern);
}

/** How many elements a selector names now. */
export function count(page: TestPage, selector: string): Promise<number> {
  return page.ask((wanted) => document.querySelectorAll(wanted).length, selector);
}

/** Waits until a selector names so many. */
export function counted(page: TestPage, selector: string, wanted: number): Promise<boolean> {
  return page.ask(
    async ({ selector, wanted }) => {
      while (document.querySelectorAll(selector).length !== wanted) await new Promise((done) => setTimeout(done, 20));
      return true;
    },
    { selector, wanted },
  );
}

/** Clicks what has these words, this label or this description, once it can be clicked. */
export function click(page: TestPage, words: string): Promise<boolean> {
  return page.ask(async (wanted) => {
    for (;;) {
      const found = [...document.querySelectorAll<HTMLElement>("button, a, label, summary, img")].find(
        (one) =>
          one.textContent.trim() === wanted ||
          one.getAttribute("aria-label") === wanted ||
          one.getAttribute("alt") === wanted,
      );
      if (found !== undefined && found.getAttribute("aria-disabled") !== "true") {
        found.click();
        return true;
      }
      await new Promise((done) => setTimeout(done, 20));
    }
  }, words);
}

/** Moves a slider, or writes or chooses a value, as a reader would. */
export function put(page: TestPage, selector: string, value: string): Promise<boolean> {
  return page.ask(
    async ({ selector, value }) => {
      for (;;) {
        const found = document.querySelector<HTMLInputElement | HTMLSelectElement>(selector);
        if (found !== null && !found.disabled) {
          found.value = value;
          found.dispatchEvent(new Event("input", { bubbles: true }));
          found.dispatchEvent(new Event("change", { bubbles: true }));
          return true;
        }
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    { selector, value },
  );
}

/** Waits until a control can be used. */
export function usable(page: TestPage, selector: string): Promise<boolean> {
  return page.ask(async (selector) => {
    const isUsable = () => {
      const control = document.querySelector<HTMLInputElement | HTMLButtonElement>(selector);
      return control !== null && !control.disabled && control.getAttribute("aria-disabled") !== "true";
    };
    while (!isUsable()) await new Promise((done) => setTimeout(done, 20));
    return true;
  }, selector);
}

/** Waits until the address holds something; gives it. */
export function address(page: TestPage, pattern: string): Promise<string> {
  return page.ask(async (pattern) => {
    const wanted = new RegExp(pattern);
    while (!wanted.test(location.hash)) await new Promise((done) => setTimeout(done, 20));
    return location.hash;
  }, pattern);
}

/** What has the focus: its words. */
export function focused(page: TestPage, pattern: string): Promise<string> {
  return page.ask(async (pattern) => {
    const wanted = new RegExp(pattern);
    for (;;) {
      const text = document.activeElement === document.body ? "" : (document.activeElement?.textContent?.trim() ?? "");
      if (wanted.test(text)) return text;
      await new Promise((done) => setTimeout(done, 20));
    }
  }, pattern);
}

/**
 * Waits until what answers a question is inside the viewport as a whole, with the answer's heading, and nothing lies over
 * it; gives what stands there.
 */
export function evident(page: TestPage, question: string): Promise<string> {
  return page.ask(async (question) => {
    const isInside = (element: Element | null) => {
      if (element === null) return false;
      const { top, bottom, left, width, height } = element.getBoundingClientRect();
      const lies = document.elementFromPoint(left + width / 2, top + 1);
      return top >= 0 && bottom <= innerHeight && height > 0 && (element.contains(lies) || lies?.contains(element));
    };
    for (;;) {
      const evidence = document.querySelector(`[data-evidence~="${question}"]`);
      if (isInside(evidence) && isInside(document.querySelector(".answer h3"))) return evidence?.textContent ?? "";
      await new Promise((done) => setTimeout(done, 20));
    }
  }, question);
}

export const number = (text: string) => Number(text.replaceAll(",", ""));

/** A text as a pattern that matches it and nothing else. */
export const exactly = (text: string) => `^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;
