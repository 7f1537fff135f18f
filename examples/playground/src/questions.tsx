/** Ten questions that learners ask: each leads to the view, set up so that it answers. */

import { useLanguage } from "./language.tsx";
import { hashOf, type QuestionName, type State, usualState } from "./state.ts";
import type { ViewProps } from "./view.ts";

/** What each sets up, beside what is usual. */
export const ANSWERS: Readonly<Record<QuestionName, Partial<State>>> = {
  mixing: { view: "why", mixing: "off", changed: 1, inputChannels: 3, at: 100_000 },
  separable: { view: "why", at: 19 },
  channels: { view: "why", inputChannels: 2, multiplier: 2, filters: 6, at: 100_000 },
  stride: { view: "why", stride: 2, size: 7, at: 60 },
  letters: { view: "why", inputChannels: 3, filters: 5, at: 30 },
  ratio: { view: "why", filters: 8, at: 100_000 },
  speed: { view: "speed" },
  alpha: { view: "widths", alpha: 0.5 },
  macs: { view: "widths", convention: "hardware" },
  memory: { view: "widths", twin: "beside" },
};

export function Questions({ state, set }: ViewProps) {
  const { words } = useLanguage();
  const { questions } = words;
  const { question } = state;
  return (
    <aside class="questions">
      {question !== "none" && (
        <section class="answer" aria-live="polite">
          <h3>{questions.list[question].ask}</h3>
          <p>{questions.list[question].answer}</p>
          <button type="button" onClick={() => set({ question: "none" })}>
            {words.close}
          </button>
        </section>
      )}
      <details>
        <summary>{questions.title}</summary>
        <ul>
          {(Object.keys(ANSWERS) as QuestionName[]).map((name) => (
            <li key={name}>
              <a
                href={hashOf({ ...usualState(state.language), ...ANSWERS[name], question: name })}
                onClick={(event) => event.currentTarget.closest("details")?.removeAttribute("open")}
              >
                {questions.list[name].ask}
              </a>
            </li>
          ))}
        </ul>
      </details>
    </aside>
  );
}
