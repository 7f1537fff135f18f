/** What tests of the page read of it, and press. */

import type { TestPage } from "../browser/browsers.ts";

/** Waits until an element is there, and says something; gives what it says. */
export function said(page: TestPage, id: string, pattern = "."): Promise<string> {
  return page.ask(
    async ({ id, pattern }) => {
      const wanted = new RegExp(pattern);
      for (;;) {
        const text = document.querySelector<HTMLElement>(`[data-testid="${id}"]`)?.textContent.trim() ?? "";
        if (wanted.test(text)) return text;
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    { id, pattern },
  );
}

/** Clicks what has these words, or this label. */
export function click(page: TestPage, words: string): Promise<boolean> {
  return page.ask(async (wanted) => {
    for (;;) {
      const found = [...document.querySelectorAll<HTMLElement>("button, a, label, summary")].find(
        (one) => one.textContent.trim() === wanted || one.getAttribute("aria-label") === wanted,
      );
      if (found !== undefined && !(found instanceof HTMLButtonElement && found.disabled)) {
        found.click();
        return true;
      }
      await new Promise((done) => setTimeout(done, 20));
    }
  }, words);
}
