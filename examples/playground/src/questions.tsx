/** Ten questions that learners ask: each leads to the view, set up so that it answers. */

import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { ANSWERS } from "./answers.ts";
import { useLanguage } from "./language.tsx";
import { Letters } from "./parts/letters.tsx";
import { hashOf, type QuestionName, usualState } from "./state.ts";
import type { ViewProps } from "./view.ts";

export function Questions({ state, set }: ViewProps) {
  const { words } = useLanguage();
  const { questions } = words;
  const { question } = state;
  const heading = useRef<HTMLHeadingElement>(null);
  const summary = useRef<HTMLElement>(null);
  const id = useId();
  /** Whether the reader has just asked: a page that opens with an answer leaves the focus where it is. */
  const isAsked = useRef(false);
  useLayoutEffect(() => {
    if (isAsked.current && question !== "none") {
      heading.current?.focus();
      isAsked.current = false;
    }
  }, [question]);
  return (
    <aside class="questions" aria-label={questions.title}>
      {question !== "none" && (
        <section class="answer" aria-labelledby={id}>
          <h3 ref={heading} id={id} tabIndex={-1}>
            <Letters text={questions.list[question].ask} />
          </h3>
          <p>
            <Letters text={questions.list[question].answer} />
          </p>
          <button
            type="button"
            onClick={() => {
              set({ question: "none" });
              summary.current?.focus();
            }}
          >
            {words.close}
          </button>
        </section>
      )}
      <details>
        <summary ref={summary}>{questions.title}</summary>
        <ul>
          {(Object.keys(ANSWERS) as QuestionName[]).map((name) => (
            <li key={name}>
              <a
                href={hashOf({ ...usualState(state.language), ...ANSWERS[name], question: name })}
                onClick={(event) => {
                  isAsked.current = name !== question;
                  if (name === question) heading.current?.focus();
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
