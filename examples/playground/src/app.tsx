/** The page: its head, the way through its sections, and the one that is shown. */

import type { ComponentType } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { LANGUAGES, LanguageProvider, languageOf, preferredLanguage } from "./language.tsx";
import { Questions } from "./questions.tsx";
import { hashOf, type State, stateOf, VIEWS, type ViewName } from "./state.ts";
import type { ViewProps } from "./view.ts";
import Why from "./why/view.tsx";

/** Sections but the first come when they are asked for. */
const LAZY: Readonly<Record<Exclude<ViewName, "why">, () => Promise<{ default: ComponentType<ViewProps> }>>> = {
  widths: () => import("./widths/view.tsx"),
  speed: () => import("./speed/view.tsx"),
  try: () => import("./try/view.tsx"),
  teach: () => import("./teach/view.tsx"),
};

export function App() {
  const [state, setState] = useState(() => stateOf(location.hash, preferredLanguage()));
  const language = languageOf(state.language);
  const { words } = language;
  const set = useCallback((patch: Partial<State>) => setState((before) => ({ ...before, ...patch })), []);
  useEffect(() => {
    const onHash = () => setState((before) => stateOf(location.hash, before.language));
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  useEffect(() => {
    const hash = hashOf(state);
    if (hash !== location.hash) history.replaceState(null, "", hash);
  }, [state]);
  useEffect(() => {
    document.documentElement.lang = state.language;
    document.title = words.title;
  }, [state.language, words]);
  const View = useView(state.view);
  return (
    <LanguageProvider value={language}>
      <header>
        <h1>{words.title}</h1>
        <p>{words.subtitle}</p>
        <label class="language">
          {words.language}{" "}
          <select
            data-testid="language"
            value={state.language}
            onChange={(event) => set({ language: event.currentTarget.value as State["language"] })}
          >
            {Object.entries(LANGUAGES).map(([name, { name: own }]) => (
              <option key={name} value={name} lang={name}>
                {own}
              </option>
            ))}
          </select>
        </label>
        <nav aria-label={words.sections}>
          {VIEWS.map((view) => (
            <a
              key={view}
              href={hashOf({ ...state, view, question: "none" })}
              aria-current={view === state.view ? "page" : undefined}
            >
              {words.views[view]}
            </a>
          ))}
        </nav>
      </header>
      <main>
        <h2>{words.views[state.view]}</h2>
        <Questions state={state} set={set} />
        {View === undefined ? <p role="status">{words.loading}</p> : <View state={state} set={set} />}
      </main>
      <footer>{words.source}</footer>
    </LanguageProvider>
  );
}

function useView(name: ViewName): ComponentType<ViewProps> | undefined {
  const [views, setViews] = useState<Partial<Record<ViewName, ComponentType<ViewProps>>>>({ why: Why });
  useEffect(() => {
    if (name === "why") return;
    LAZY[name]().then((module) => setViews((before) => ({ ...before, [name]: module.default })));
  }, [name]);
  return views[name];
}
