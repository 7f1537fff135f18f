/** The page: its head, the way through its sections, and the one that is shown. */

import type { ComponentType } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { AskingProvider } from "./evidence.tsx";
import { type Fault, messageOf } from "./fault.ts";
import { LanguageProvider } from "./language.tsx";
import { LANGUAGES, languageOf, preferredLanguage } from "./languages.ts";
import { Trouble } from "./parts/trouble.tsx";
import { Questions } from "./questions.tsx";
import { changedState, hashOf, type QuestionName, type State, stateOf, VIEWS, type ViewName } from "./state.ts";
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
  const set = useCallback((patch: Partial<State>) => setState((before) => changedState(before, patch)), []);
  // Before anything can be clicked: an effect after the paint would miss the first link of whoever is quick.
  useLayoutEffect(() => {
    // By what it says and not by the address: that may have been written anew since, by what was shown before.
    const onHash = ({ newURL }: HashChangeEvent) =>
      setState((before) => stateOf(new URL(newURL).hash, before.language));
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  useAddress(state);
  useEffect(() => {
    document.documentElement.lang = state.language;
    document.title = `${words.views[state.view]} · ${words.title}`;
  }, [state.language, state.view, words]);
  const { View, fault } = useView(state.view);
  const [asked, setAsked] = useState<{ readonly question: QuestionName }>();
  const summary = useRef<HTMLElement>(null);
  const close = () => {
    set({ question: "none" });
    summary.current?.focus();
  };
  const reload = () => {
    // A browser may remember that a script did not come, as long as the page is there. The address has all that is shown.
    location.hash = hashOf(state);
    location.reload();
  };
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
        <Questions state={state} summary={summary} onAsk={(question) => setAsked({ question })} />
        <AskingProvider value={{ question: state.question, asked, close }}>
          {View !== undefined && <View state={state} set={set} />}
        </AskingProvider>
        {fault !== undefined && <Trouble fault={fault} onRetry={reload} />}
        {View === undefined && fault === undefined && <p role="status">{words.loading}</p>}
      </main>
      <footer>{words.source}</footer>
    </LanguageProvider>
  );
}

/** How long nothing has to change until the address does: browsers take some hundred addresses in some seconds. */
const SETTLED_MS = 250;

function useAddress(state: State): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      const hash = hashOf(state);
      try {
        if (hash !== location.hash) history.replaceState(null, "", hash);
      } catch {
        // The page shows the same whatever its address.
      }
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [state]);
}

interface Loaded {
  readonly View: ComponentType<ViewProps> | undefined;
  /** Why there is none. */
  readonly fault: Fault | undefined;
}

function useView(name: ViewName): Loaded {
  const [views, setViews] = useState<Partial<Record<ViewName, ComponentType<ViewProps>>>>({ why: Why });
  const [faults, setFaults] = useState<Partial<Record<ViewName, Fault | undefined>>>({});
  useEffect(() => {
    if (name === "why" || views[name] !== undefined) return;
    setFaults((before) => ({ ...before, [name]: undefined }));
    LAZY[name]().then(
      (module) => setViews((before) => ({ ...before, [name]: module.default })),
      (error) => setFaults((before) => ({ ...before, [name]: { code: "PART_MISSING", message: messageOf(error) } })),
    );
  }, [name]);
  return { View: views[name], fault: faults[name] };
}
