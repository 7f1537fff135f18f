/** Words of the sections that come when they are asked for: they come with them. */

import { useLanguage } from "./language.tsx";
import type { LanguageName } from "./languages.ts";
import { enLater, type LaterWords } from "./words/en-later.ts";
import { koLater } from "./words/ko-later.ts";

export const LATER: Readonly<Record<LanguageName, LaterWords>> = { en: enLater, ko: koLater };

export function useLater(): LaterWords {
  return LATER[useLanguage().name];
}
