/** What a picture says in its language: sentences, and numbers as they are written there. */

import { oneOf } from "../core/options.ts";
import { PICTURE_LANGUAGES, type PictureLanguage } from "./languages.ts";
import { EN, type PictureWords } from "./words/en.ts";
import { KO } from "./words/ko.ts";

const WORDS: Readonly<Record<PictureLanguage, PictureWords>> = { en: EN, ko: KO };

/** Powers of ten that have a word of their own, largest first. English counts in thousands, Korean in ten thousands. */
const LARGE: Readonly<Record<PictureLanguage, readonly (readonly [size: number, word: string])[]>> = {
  en: [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ],
  ko: [
    [1e12, "조"],
    [1e8, "억"],
    [1e4, "만"],
  ],
};

/** Below it a number is written out where others are shortened. */
const SHORT_FROM = 10_000;

/** From it on numbers have no word, and are written with a power of ten. */
const SHORT_TO = 1e15;

export interface Voice {
  readonly words: PictureWords;
  /** All digits: `568,740,352`; of what a double does not hold to the last one, six. */
  count(value: number): string;
  /** Three digits: `569 M`. */
  short(value: number): string;
  /** A share from 0 to 1, as per cent with a digit behind the point. */
  share(value: number): string;
  /** A number with so many digits behind the point. */
  fixed(value: number, digits: number): string;
}

/** The voice of a language; `owner` is who was asked for a picture. Throws `OPTION_INVALID`. */
export function voiceOf(owner: string, language: PictureLanguage = "en"): Voice {
  const known = oneOf(owner, "language", language, PICTURE_LANGUAGES);
  const words = WORDS[known];
  const whole = new Intl.NumberFormat(known, { maximumFractionDigits: 3 });
  const three = new Intl.NumberFormat(known, { maximumSignificantDigits: 3 });
  const fixed = (value: number, digits: number) =>
    new Intl.NumberFormat(known, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  return {
    words,
    count: (value) => (value > Number.MAX_SAFE_INTEGER ? value.toExponential(5) : whole.format(value)),
    short: (value) => {
      if (value >= SHORT_TO) return value.toExponential(2);
      const [size, word] = LARGE[known].find(([each]) => value >= each) ?? [1, ""];
      return value < SHORT_FROM ? whole.format(value) : `${three.format(value / size)}${word}`;
    },
    share: (value) =>
      value > 0 && value < 0.0005 ? words.percent(`<${fixed(0.1, 1)}`) : words.percent(fixed(100 * value, 1)),
    fixed,
  };
}
