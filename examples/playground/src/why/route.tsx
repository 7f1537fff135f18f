/** A route as a card: its formula, how far it is, what it does now, and its grids. */

import type { ComponentChildren } from "preact";
import type { FormulaName } from "../../math.ts";
import { useLanguage } from "../language.tsx";
import { Formula } from "../parts/formula.tsx";
import type { Product } from "./trace.ts";

interface FrameProps {
  readonly title: string;
  readonly testId: string;
  readonly formula: FormulaName;
  /** What the formula comes to with this lesson's sizes, before it is added up. */
  readonly sum?: string | undefined;
  /** The same of what is made already. */
  readonly soFar?: string | undefined;
  readonly made: number;
  readonly all: number;
  readonly now: Product | undefined;
  readonly isPlaying: boolean;
  /** Of the cell, where this route has finished it. */
  readonly outcome: number | undefined;
  /** What is said in its place where a route has no outcome of its own. */
  readonly done?: string | undefined;
  readonly children: ComponentChildren;
}

export function Route({
  title,
  testId,
  formula,
  sum,
  soFar,
  made,
  all,
  now,
  outcome,
  done,
  isPlaying,
  children,
}: FrameProps) {
  const { words, number } = useLanguage();
  const { why } = words;
  // The count is larger than the words around it, which stand in another order in each language.
  const [before, after] = why.made("\n", number(all)).split("\n");
  return (
    <section class="route" aria-label={title}>
      <h3>{title}</h3>
      <Formula name={formula} block />
      <p class="live">{why.inAll([...(sum === undefined ? [] : [sum]), number(all)].join(" = "))}</p>
      <p class="count">
        {before}
        {soFar !== undefined && <span class="note">{soFar} = </span>}
        <strong data-testid={testId}>{number(made)}</strong>
        {after}
      </p>
      <p class="sentence" aria-live={isPlaying ? "off" : "polite"} aria-atomic="true">
        <span class="unseen">{title}: </span>
        {done ??
          (outcome !== undefined
            ? (made === all ? why.finished : why.waits)(number(outcome))
            : now === undefined
              ? why.notYet
              : why.product(number(now.value), number(now.weight), number(now.value * now.weight), number(now.sum)))}
      </p>
      {children}
    </section>
  );
}

export function Row({ children }: { readonly children: ComponentChildren }) {
  return <div class="row">{children}</div>;
}
