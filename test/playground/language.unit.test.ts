/** Numbers as the page writes them. */

import { expect, it } from "vitest";
import { languageOf, preferredLanguage } from "../../examples/playground/src/languages.ts";

it.each(["en", "ko"] as const)("writes numbers with a minus sign of their own, and 0 without, in %s", (name) => {
  const { number } = languageOf(name);
  expect([number(-1), number(-0), number(0), number(-1234.5, 1)]).toEqual(["−1", "0", "0", "−1,234.5"]);
});

it("writes shares as hundredths: with a space in English, without in Korean", () => {
  expect([languageOf("en").percent(0.125, 1), languageOf("ko").percent(0.125, 1)]).toEqual(["12.5 %", "12.5%"]);
});

it("takes the first of the reader's languages that it has", () => {
  expect(preferredLanguage(["de-DE", "ko-KR", "en"])).toBe("ko");
  expect(preferredLanguage(["de"])).toBe("en");
  expect(preferredLanguage([])).toBe("en");
});
