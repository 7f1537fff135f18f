/** The language that the page is in, for all its parts. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Language, languageOf } from "./languages.ts";

const Context = createContext<Language>(languageOf("en"));

export const LanguageProvider = Context.Provider;

export function useLanguage(): Language {
  return useContext(Context);
}
