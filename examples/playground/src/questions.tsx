/** Ten questions that learners ask: each leads to the view, set up so that it answers. */

import { ANSWERS } from "./answers.ts";
import { useLanguage } from "./language.tsx";
import { Letters } from "./parts/letters.tsx";
import { hashOf, type QuestionName, usualState } from "./state.ts";
import type { ViewProps } from "./view.ts";

export function Questions({ state, set }: ViewProps) {
  const { words } = useLanguage();
  const { questions } = words;
  const { question } = state;
  return (
    <aside class="questions">
      {question !== "none" && (
        <section class="answer" aria-live="polite">
          <h3>
            <Letters text={questions.list[question].ask} />
          </h3>
          <p>
            <Letters text={questions.list[question].answer} />
          </p>
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
                <Letters text={questions.list[name].ask} />
              </a>
            </li>
          ))}
        </ul>
      </details>
    </aside>
  );
}
