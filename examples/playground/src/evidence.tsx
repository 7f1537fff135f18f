/** The answer to a question stands right above what shows it, and both are brought into view. */

import { type ComponentChildren, createContext } from "preact";
import { useContext, useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLanguage } from "./language.tsx";
import { Letters } from "./parts/letters.tsx";
import type { QuestionName, State } from "./state.ts";

interface Asking {
  readonly question: State["question"];
  /** What the reader asked last, an object a time; undefined where the answer came with the address. */
  readonly asked: { readonly question: QuestionName } | undefined;
  readonly close: () => void;
}

const Context = createContext<Asking>({ question: "none", asked: undefined, close: () => undefined });

export const AskingProvider = Context.Provider;

interface EvidenceProps {
  /** What it shows the answers of. */
  readonly of: readonly QuestionName[];
  readonly children: ComponentChildren;
}

export function Evidence({ of, children }: EvidenceProps) {
  const { question } = useContext(Context);
  const shown = useRef<HTMLDivElement>(null);
  const asked = of.find((name) => name === question);
  return (
    <>
      {asked !== undefined && <Answer question={asked} evidence={() => shown.current} />}
      <div ref={shown} class="evidence" data-evidence={of.join(" ")}>
        {children}
      </div>
    </>
  );
}

interface AnswerProps {
  readonly question: QuestionName;
  readonly evidence: () => Element | null;
}

function Answer({ question, evidence }: AnswerProps) {
  const { words } = useLanguage();
  const { asked, close } = useContext(Context);
  const { ask, answer } = words.questions.list[question];
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const isAsked = asked?.question === question;
    // A page that opens with an answer leaves the focus where it is.
    if (isAsked) heading.current?.focus({ preventScroll: true });
    const isCalm = !isAsked || matchMedia("(prefers-reduced-motion: reduce)").matches;
    // By its end: so there is room for the answer above.
    evidence()?.scrollIntoView({ block: "end", behavior: isCalm ? "instant" : "smooth" });
  }, [asked, question]);
  return (
    <section class="answer" aria-labelledby={id}>
      <h3 ref={heading} id={id} tabIndex={-1}>
        <Letters text={ask} />
      </h3>
      <p>
        <Letters text={answer} />
      </p>
      <button type="button" onClick={close}>
        {words.close}
      </button>
    </section>
  );
}
