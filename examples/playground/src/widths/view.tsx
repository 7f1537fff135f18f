/** Section 2: what α and ρ cost, and what they cost in accuracy. */

import { mobileNetV1 } from "depthwise";
import { type Cost, cost, withinBudget } from "depthwise/cost";
import { drawFront, drawNetwork } from "depthwise/draw";
import { useMemo } from "preact/hooks";
import { Evidence } from "../evidence.tsx";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { Choice, Slider } from "../parts/controls.tsx";
import { Figure } from "../parts/figure.tsx";
import { Formula } from "../parts/formula.tsx";
import { NetworkSliders } from "../parts/network-sliders.tsx";
import { BUDGETS, CONVENTIONS, type State } from "../state.ts";
import type { ViewProps } from "../view.ts";
import type { LaterWords } from "../words/en-later.ts";

export default function Widths({ state, set }: ViewProps) {
  const { number, percent, name: language } = useLanguage();
  const { widths } = useLater();
  const { alpha, resolution, convention } = state;
  const model = useMemo(() => mobileNetV1({ alpha, resolution }), [alpha, resolution]);
  const counted = useMemo(() => cost(model, { convention }), [model, convention]);
  const twin = useMemo(
    () => cost(mobileNetV1({ alpha, resolution, standardConvolution: true }), { convention }),
    [alpha, resolution, convention],
  );
  const picture = useMemo(() => drawNetwork(model, { language }), [model, language]);
  const front = useFront(state, language);
  return (
    <>
      <p class="lead">{widths.lead}</p>
      <section class="panel" aria-label={widths.settings}>
        <NetworkSliders state={state} set={set} />
        <label class="select">
          {widths.convention}
          <select
            value={convention}
            onChange={(event) => set({ convention: event.currentTarget.value as State["convention"] })}
          >
            {CONVENTIONS.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <span class="note">{widths.conventions[convention]}</span>
        </label>
        <Choice
          label={widths.twin}
          value={state.twin}
          names={[
            ["alone", widths.twinOff],
            ["beside", widths.twinOn],
          ]}
          onChange={(value) => set({ twin: value })}
        />
      </section>
      <Formula name="resolution" block />
      <h3>{widths.totals}</h3>
      <Evidence of={["alpha", "macs", "memory"]}>
        <Totals counted={counted} twin={state.twin === "beside" ? twin : undefined} />
        <p class="note">{widths.whichMatters}</p>
      </Evidence>
      <h3>{widths.picture}</h3>
      <Figure picture={picture} />
      <h3>{widths.shares}</h3>
      <Shares counted={counted} />
      <h3>{widths.front}</h3>
      <section class="panel" aria-label={widths.front}>
        <Choice
          label={widths.table}
          value={state.table}
          names={[
            ["imagenet", widths.imagenet],
            ["cifar10", widths.cifar10],
          ]}
          onChange={(table) => set({ table })}
        />
        <Slider
          label={widths.budget}
          value={BUDGETS.indexOf(state.budget)}
          range={[0, BUDGETS.length - 1]}
          text={state.budget === 0 ? widths.noBudget : number(state.budget)}
          onChange={(place) => set({ budget: BUDGETS[place] ?? 0 })}
        />
        {front.choice.kind !== "free" && (
          <p role="status">
            {front.choice.kind === "none"
              ? widths.nothing
              : widths.best(front.choice.best.name, percent(front.choice.best.top1 / 100, 1))}
          </p>
        )}
      </section>
      <Figure picture={front.picture} />
    </>
  );
}

/** Which network a budget chooses: none is asked for where there is no budget. */
type BudgetChoice =
  | { readonly kind: "free" }
  | { readonly kind: "none" }
  | { readonly kind: "best"; readonly best: { readonly name: string; readonly top1: number } };

function useFront({ table, budget }: State, language: State["language"]) {
  return useMemo(() => {
    const bound = { multAdds: budget * 1e6 };
    const picture = drawFront({ table, language, ...(budget === 0 ? {} : { budget: bound }) });
    return { picture, choice: budget === 0 ? ({ kind: "free" } as const) : choiceOf({ ...bound, table }) };
  }, [table, budget, language]);
}

function choiceOf(bound: Parameters<typeof withinBudget>[0]): BudgetChoice {
  const { best } = withinBudget(bound);
  return best === undefined ? { kind: "none" } : { kind: "best", best };
}

function Totals({ counted, twin }: { readonly counted: Cost; readonly twin: Cost | undefined }) {
  const { number } = useLanguage();
  const { widths } = useLater();
  const operations = operationsOf(counted, widths);
  const written = (count: number | null) => (count === null ? widths.none : number(count));
  const rows = [
    [operations, "mult-adds", ({ totals }: Cost) => written(totals.multAdds)],
    [widths.parameters, "parameters", ({ totals }: Cost) => written(totals.parameters)],
    [widths.activations, "activations", ({ totals }: Cost) => written(totals.activationBytes)],
    [widths.peak, "peak", ({ totals }: Cost) => written(totals.peakActivationBytes)],
  ] as const;
  return (
    <div class="wide">
      <table class="numbers">
        {twin && (
          <thead>
            <tr>
              <td />
              <th scope="col">{widths.separable}</th>
              <th scope="col">{widths.standard}</th>
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map(([title, testId, of]) => (
            <tr key={testId}>
              <th scope="row">{title}</th>
              <td data-testid={testId}>{of(counted)}</td>
              {twin && <td>{of(twin)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a convention counts, in the page's language. */
function operationsOf({ word }: Cost, { operations }: LaterWords["widths"]): string {
  return operations[word as keyof typeof operations] ?? operations["mult-adds"];
}

function Shares({ counted }: { readonly counted: Cost }) {
  const { number, percent } = useLanguage();
  const { widths } = useLater();
  const kinds = Object.entries(counted.byType);
  const names: Readonly<Record<string, string>> = widths.kinds;
  return (
    <div class="wide">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">{widths.kind}</th>
            <th scope="col">{widths.layers}</th>
            <th scope="col">{operationsOf(counted, widths)}</th>
            <th scope="col">{widths.share}</th>
            <th scope="col">{widths.parameters}</th>
            <th scope="col">{widths.share}</th>
          </tr>
        </thead>
        <tbody>
          {kinds.map(([kind, { layers, multAdds, multAddsShare, parameters, parametersShare }]) => (
            <tr key={kind}>
              <th scope="row">{names[kind] ?? kind}</th>
              <td>{number(layers)}</td>
              <td>{multAdds === null ? widths.none : number(multAdds)}</td>
              <td>{multAddsShare === null ? "" : percent(multAddsShare, 1)}</td>
              <td>{number(parameters)}</td>
              <td>{percent(parametersShare, 1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
