/** The languages of the page: their words, and numbers as they write them. */

import { LANGUAGE_NAMES, type State } from "./state.ts";
import { en, type Words } from "./words/en.ts";
import { ko } from "./words/ko.ts";

export type LanguageName = State["language"];

export const LANGUAGES: Readonly<Record<LanguageName, Words>> = { en, ko };

export interface Language {
  readonly name: LanguageName;
  readonly words: Words;
  /** A whole number, or one of so many digits behind the point. */
  readonly number: (value: number, digits?: number) => string;
  /** A share of 1, as so many hundredths. */
  readonly percent: (share: number, digits?: number) => string;
}

export function languageOf(name: LanguageName): Language {
  const formats = new Map<number, Intl.NumberFormat>();
  const format = (digits: number) => {
    const known = formats.get(digits);
    const made = known ?? new Intl.NumberFormat(name, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    if (known === undefined) formats.set(digits, made);
    return made;
  };
  // A minus sign, not the hyphen that some languages' formats have; and none before 0, of which products have two.
  const number = (value: number, digits = 0) =>
    format(digits)
      .format(value + 0)
      .replace("-", "−");
  const words = LANGUAGES[name];
  return { name, words, number, percent: (share, digits) => words.percent(number(100 * share, digits)) };
}

/** The first of the reader's languages that the page has. */
export function preferredLanguage(wanted: readonly string[] = navigator.languages): LanguageName {
  const names = wanted.map((tag) => tag.toLowerCase().split("-")[0]);
  return names.flatMap((wish) => LANGUAGE_NAMES.find((name) => name === wish) ?? [])[0] ?? "en";
}
