/** Ten questions that learners ask: each leads to the view, set up so that it answers. */

import type { RefObject } from "preact";
import { ANSWERS } from "./answers.ts";
import { useLanguage } from "./language.tsx";
import { Letters } from "./parts/letters.tsx";
import { hashOf, type QuestionName, type State, usualState } from "./state.ts";

interface QuestionsProps {
  readonly state: State;
  /** Who closes an answer is there again. */
  readonly summary: RefObject<HTMLElement | null>;
  readonly onAsk: (question: QuestionName) => void;
}

export function Questions({ state, summary, onAsk }: QuestionsProps) {
  const { words } = useLanguage();
  const { questions } = words;
  return (
    <aside class="questions" aria-label={questions.title}>
      <details>
        <summary ref={summary}>{questions.title}</summary>
        <ul>
          {(Object.keys(ANSWERS) as QuestionName[]).map((name) => (
            <li key={name}>
              <a
                href={hashOf({ ...usualState(state.language), ...ANSWERS[name], question: name })}
                onClick={(event) => {
                  onAsk(name);
                  event.currentTarget.closest("details")?.removeAttribute("open");
                }}
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
